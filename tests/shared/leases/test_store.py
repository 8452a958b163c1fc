"""The contract of the stores of leases, for both stores."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.indexes import build_indexes
from shared.leases import INDEXES, MongoLeaseStore, Receipt, Superseded
from shared.leases.barrier import How, LeaseRow, Settled
from shared.leases.receipt import RECEIPT_RETENTION
from shared.mongo import connect
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore

# The database deletes what has expired by its own clock, so this is far ahead of it.
NOON = datetime(2100, 3, 5, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "mongo"])
async def store(request):
    if request.param == "memory":
        yield MemoryLeaseStore("e1", {3: 7})
        return
    client = connect(request.getfixturevalue("mongo_url"), app_name="tests", timeouts=PATIENT)
    database = client[request.getfixturevalue("database_name")]
    await database["heads"].insert_many(
        [{"_id": "epoch", "epoch": "e1"}, {"_id": 3, "seq": 7}, {"_id": 4, "seq": 0}]
    )
    mongo = MongoLeaseStore(client, database)
    await build_indexes(database, *INDEXES)
    yield mongo
    client.close()


def row(**fields: Any) -> LeaseRow:
    lease = LeaseRow(
        replica="a", boot=5, asked=1, renewal="r1", ttl=3.0, epoch="e1", applied={3: 6}
    )
    return replace(lease, **fields)


async def put(store, lease: LeaseRow) -> None:
    async with store.session() as session:
        await store.put(lease, session)


async def rows(store) -> list[LeaseRow]:
    async with store.session() as session:
        return sorted(await store.rows(session), key=lambda found: found.replica)


async def test_a_written_row_is_read_as_it_was_written(store):
    await put(store, row())
    await put(store, row(replica="b", epoch=None, applied={}))
    assert await rows(store) == [row(), row(replica="b", epoch=None, applied={})]


async def test_heads_come_with_their_epoch_and_without_empty_shards(store):
    async with store.session() as session:
        assert await store.heads(session) == ("e1", {3: 7})


async def test_a_renewal_and_a_later_boot_replace_the_row(store):
    await put(store, row())
    await put(store, row(asked=2, renewal="r2"))
    await put(store, row(boot=6, renewal="r3", applied={}))
    assert await rows(store) == [row(boot=6, renewal="r3", applied={})]


async def test_a_request_that_two_processes_write_keeps_the_longer_ttl(store):
    await put(store, row(renewal="quick", ttl=30.0))
    await put(store, row(renewal="slow", ttl=3.0))
    assert await rows(store) == [row(renewal="slow", ttl=30.0)]
    await put(store, row(asked=2, renewal="next", ttl=3.0))
    assert await rows(store) == [row(asked=2, renewal="next", ttl=3.0)]


async def test_a_late_write_of_an_earlier_request_changes_nothing(store):
    await put(store, row(asked=2, renewal="r2", ttl=30.0))
    await put(store, row(asked=1, renewal="late"))
    assert await rows(store) == [row(asked=2, renewal="r2", ttl=30.0)]


async def test_concurrent_writes_of_one_request_leave_the_longest_ttl(store):
    ttls = [float(ttl) for ttl in range(3, 11)]
    await asyncio.gather(*(put(store, row(renewal=f"r{ttl}", ttl=ttl)) for ttl in ttls))
    assert [found.ttl for found in await rows(store)] == [10.0]


async def test_an_older_boot_is_refused_and_changes_nothing(store):
    await put(store, row(boot=6))
    with pytest.raises(Superseded):
        await put(store, row(boot=5, renewal="late"))
    assert await rows(store) == [row(boot=6)]


async def test_a_report_counts_for_its_own_boot_only(store):
    await put(store, row())
    await store.report(row(boot=4, applied={3: 99}))
    await store.report(row(replica="unknown", applied={3: 99}))
    assert await rows(store) == [row()]
    await store.report(row(renewal="not written", applied={3: 7, 9: 1}))
    assert await rows(store) == [row(applied={3: 7, 9: 1})]


async def test_a_row_is_removed_only_as_it_was_seen(store):
    await put(store, row())
    await put(store, row(renewal="r2"))
    await store.remove(row())
    assert await rows(store) == [row(renewal="r2")]
    await store.remove(row(renewal="r2"))
    assert await rows(store) == []


async def test_the_end_of_a_boot_removes_no_later_one(store):
    await put(store, row(boot=6))
    await store.end("a", 5)
    assert await rows(store) == [row(boot=6)]
    await store.end("a", 6)
    assert await rows(store) == []


async def test_the_first_receipt_of_a_revision_is_kept_for_thirty_days(store):
    settled = Settled(replica="a", how=How.APPLIED, at_ms=12.5)
    first = Receipt(revision="team.e1.3.7", effective_at=NOON, replicas=(settled,))
    await store.save(first)
    await store.save(Receipt(revision="team.e1.3.7", effective_at=NOON + timedelta(hours=1)))
    assert (
        await store.receipt("team.e1.3.7", NOON + RECEIPT_RETENTION - timedelta(seconds=1)) == first
    )
    assert await store.receipt("team.e1.3.7", NOON + RECEIPT_RETENTION) is None
    assert await store.receipt("team.e1.3.8", NOON) is None


async def test_a_session_goes_on_after_another_one(store):
    async with store.session() as first:
        await store.put(row(), first)
    async with store.session(first) as second:
        assert await store.rows(second) == [row()]
