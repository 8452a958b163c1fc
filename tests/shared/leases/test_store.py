"""The contract of the stores of leases, for both stores."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts.facts import GENESIS, JournalHeads, row_digest
from shared.indexes import build_indexes
from shared.leases import INDEXES, LifeEnded, MongoLeaseStore, Receipt
from shared.leases.barrier import How, LeaseId, LeaseRow, Settled
from shared.leases.receipt import RECEIPT_RETENTION
from shared.leases.store import MARKS_PER_SERVICE
from shared.mongo import connect
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore
from tests.support.chains import digest_at, digests_at

# The database deletes what has expired by its own clock, so this is far ahead of it.
EVENTS = {seq: f"event {seq}" for seq in (6, 7)}
NOON = datetime(2100, 3, 5, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "mongo"])
async def store(request):
    if request.param == "memory":
        memory = MemoryLeaseStore("e1", {3: 7})
        memory.rows_at[3] = {seq: row_digest(event.encode()) for seq, event in EVENTS.items()}
        yield memory
        return
    client = connect(request.getfixturevalue("mongo_url"), app_name="tests", timeouts=PATIENT)
    database = client[request.getfixturevalue("database_name")]
    await database["heads"].insert_many(
        [
            {"_id": "epoch", "epoch": "e1"},
            {"_id": 3, "last_seq": 7, "digest": digest_at(3, 7)},
            {"_id": 4, "last_seq": 0, "digest": GENESIS},
        ]
    )
    await database["journal"].insert_many(
        [{"shard": 3, "seq": seq, "event": event} for seq, event in EVENTS.items()]
    )
    mongo = MongoLeaseStore(client, database)
    await build_indexes(database, *INDEXES)
    yield mongo
    client.close()


def row(**fields: Any) -> LeaseRow:
    """A lease row; its digests follow from what is applied."""
    applied = fields.setdefault("applied", {3: 6})
    lease = LeaseRow(
        id=LeaseId("authz/a/1"),
        asked=1,
        renewal="r1",
        ttl=3.0,
        epoch="e1",
        applied=applied,
        digests=digests_at(applied),
    )
    return replace(lease, **fields)


RELEASED = row(asked=0, renewal="end", ttl=0.0, epoch=None, applied={}, released=True)


async def put(store, lease: LeaseRow) -> None:
    async with store.session() as session:
        await store.put(lease, session)


async def rows(store) -> list[LeaseRow]:
    async with store.session() as session:
        return sorted(await store.rows(session), key=lambda found: found.id)


async def test_a_written_row_is_read_as_it_was_written(store):
    await put(store, row())
    await put(store, row(id="authz/b/1", epoch=None, applied={}))
    assert await rows(store) == [row(), row(id="authz/b/1", epoch=None, applied={})]


async def test_the_digests_of_rows_are_read_where_there_are_rows(store):
    async with store.session() as session:
        found = await store.digests_at(3, {6, 7, 8}, session)
        assert found == {seq: row_digest(EVENTS[seq].encode()) for seq in (6, 7)}
        assert await store.digests_at(5, {1}, session) == {}


async def test_released_lives_are_not_among_the_live_rows(store):
    await put(store, row(id="authz/b/1"))
    await store.release(RELEASED)
    async with store.session() as session:
        assert await store.live_rows(session) == [row(id="authz/b/1")]
    assert len(await rows(store)) == 2


async def test_a_service_keeps_a_limited_number_of_released_lives(store):
    lives = [LeaseId(f"authz/a/{number}") for number in range(MARKS_PER_SERVICE + 5)]
    last, other = lives[-1], LeaseId("team/a/1")
    await put(store, row(id=last))
    for life in (*lives, other):
        await store.release(replace(RELEASED, id=life))
    kept = [found.id for found in await rows(store)]
    assert len(kept) == MARKS_PER_SERVICE + 1
    assert other in kept, "the marks of one service take none of another's"
    assert last not in kept, "its lease has ended all the same"
    await put(store, row(id=last))


async def test_heads_come_with_their_epoch_and_without_empty_shards(store):
    async with store.session() as session:
        heads = JournalHeads(epoch="e1", seqs={3: 7}, digests={3: digest_at(3, 7)})
        assert await store.heads(session) == heads


async def test_a_renewal_replaces_the_row_of_its_own_life_only(store):
    await put(store, row())
    await put(store, row(asked=2, renewal="r2"))
    other = row(id="authz/a/2", renewal="r3", applied={})
    await put(store, other)
    assert await rows(store) == [row(asked=2, renewal="r2"), other]


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


@pytest.mark.parametrize("asked", [1, 2, 99])
@pytest.mark.parametrize("served", [True, False], ids=["served before", "never served"])
async def test_a_released_life_is_refused_and_its_row_stays(store, served, asked):
    if served:
        await put(store, row())
    await store.release(RELEASED)
    with pytest.raises(LifeEnded):
        await put(store, row(asked=asked, renewal="late", ttl=30.0))
    await store.report(row(asked=0, applied={3: 99}))
    assert await rows(store) == [RELEASED]


async def test_writes_that_meet_the_release_never_bring_the_row_back(store):
    async def renew(number):
        try:
            await put(store, row(asked=number, renewal=f"r{number}"))
        except LifeEnded:
            return True
        return False

    renewals = [renew(number) for number in range(8)]
    await asyncio.gather(*renewals[:4], store.release(RELEASED), *renewals[4:])
    assert await rows(store) == [RELEASED]


async def test_a_released_life_does_not_end_another_one_of_its_slot(store):
    await put(store, row(id="authz/a/2"))
    await store.release(RELEASED)
    await put(store, row(id="authz/a/2", asked=2))
    assert await rows(store) == [RELEASED, row(id="authz/a/2", asked=2)]


async def test_a_report_counts_for_its_own_life_only(store):
    await put(store, row())
    await store.report(row(id="authz/a/2", applied={3: 99}))
    await store.report(row(id="authz/unknown/1", applied={3: 99}))
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


async def test_a_row_that_was_released_in_the_meantime_is_not_removed(store):
    await put(store, row())
    await store.release(RELEASED)
    await store.remove(row())
    assert await rows(store) == [RELEASED]


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


async def test_a_row_of_an_earlier_version_is_read_and_removed(mongo_url, database_name):
    """Its replica may hold a lease while the services are updated one after the other."""
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    document = {
        "_id": "host:8080",
        "boot": 1_700_000_000_000,
        "asked": 9,
        "renewal": "old",
        "ttl": 3.0,
        "epoch": "e1",
        "applied": {"3": 6},
    }
    store = MongoLeaseStore(client, client[database_name])
    await client[database_name]["leases"].insert_one(document)
    [found] = await rows(store)
    assert (found.replica, found.ttl, found.applied) == ("host:8080", 3.0, {3: 6})
    assert found.digests == {}, "so a change waits until the lease runs out"
    assert not found.released
    await store.remove(replace(found, renewal="renewed"))
    assert await rows(store) == [found]
    await store.remove(found)
    assert await rows(store) == []
    client.close()


async def test_the_version_before_can_read_each_row(mongo_url, database_name):
    """A process of it that knew no such row would acknowledge what this replica lacks."""
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    store = MongoLeaseStore(client, client[database_name])
    await put(store, row())
    await store.release(replace(RELEASED, id=LeaseId("authz/b/1")))
    known = {"_id", "boot", "asked", "renewal", "ttl", "epoch", "applied"}
    documents = [document async for document in client[database_name]["leases"].find({})]
    assert all(known <= document.keys() for document in documents)
    client.close()
