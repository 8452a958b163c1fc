"""A record that comes when its shard is sealed beyond its row gets its leaf all the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rolecall.audit.verification import Verified, verify
from services.audit.domain.seal_gaps import LAST, Gap, gaps
from services.audit.migrations import migrations
from services.audit.store.seal_gaps import gap_document
from services.audit.use_cases.seal_watch import SealWatch
from services.audit.use_cases.sealing import GAPS
from shared import metrics
from shared.contracts.facts import SHARDS, Position, shard_of
from shared.contracts.topology import Service
from tests.services.audit.sealed_site import ACCOUNT, Sealing, ids, ids_of, record
from tests.services.rows import EPOCH, NOON
from tests.support.journal_keys import signer as row_signer

SHARD = shard_of(ACCOUNT)
ALARM = "Records are not sealed."


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


def gap(first, last, *, epoch=EPOCH):
    return Gap("team", epoch, SHARD, first, last)


@pytest.mark.parametrize(
    ("after", "last", "sequences", "left"),
    [
        (0, 3, [1, 2, 3], []),
        (0, 3, [], [(1, 3)]),
        (2, 9, [4, 5, 8], [(3, 3), (6, 7), (9, 9)]),
        (2, 9, [3, 9], [(4, 8)]),
        (7, 7, [], []),
        (0, LAST, [1], [(2, LAST)]),
    ],
)
def test_rows_without_a_record_are_gaps(after, last, sequences, left):
    found = gaps(Position("team", EPOCH, SHARD, after), last, sequences)
    assert list(found) == [gap(*each) for each in left]


async def stored_gaps(sealing):
    return sorted((await sealing.store.gaps("", limit=1000)).values())


@pytest.mark.rule("B11")
async def test_a_record_that_was_put_aside_and_replayed_is_sealed(sealing):
    records = {seq: record(seq) for seq in range(1, 10)}
    late = [records.pop(seq) for seq in (4, 5, 7)]
    await sealing.add(*records.values())
    await sealing.applied(9)
    sealer = sealing.sealer(page=2)
    await sealer.round()
    earlier = await sealing.checkpoint()
    assert await stored_gaps(sealing) == [gap(4, 5), gap(7, 7)]

    await sealing.add(late[1])
    await sealer.round()
    await sealing.add(late[0], late[2])
    await sealer.round()
    await sealer.round()

    newest = await sealing.checkpoint()
    assert sorted(await ids_of(sealing)) == sorted(ids([*records.values(), *late]))
    assert await ids_of(sealing) == ids([*records.values(), late[1], late[0], late[2]])
    assert verify(await sealing.lines(newest), newest, [earlier]) == Verified(records=9)
    assert await stored_gaps(sealing) == []


async def test_a_row_of_an_epoch_that_was_over_already_is_sealed(sealing):
    """A replica that has not heard of the new epoch records what it has begun."""
    before, after = record(1), record(1, epoch="e2")
    await sealing.add(before, after)
    await sealing.applied(1, epoch="e2")
    sealer = sealing.sealer(looked_at_again=2)
    await sealer.round()
    await sealing.add(late := record(3), also := record(2, epoch="e0"))
    for _ in range(3 + 2 * SHARDS // GAPS):
        await sealer.round()
    assert sorted(await ids_of(sealing)) == sorted(ids([before, after, late, also]))


async def test_two_sealers_at_once_seal_a_late_record_once(sealing):
    await sealing.add(first := record(1), last := record(40))
    await sealing.applied(40)
    sealers = [sealing.sealer() for _ in range(3)]
    await sealers[0].round()
    await sealing.add(*(late := [record(seq) for seq in range(2, 40, 3)]))
    await asyncio.gather(*(sealer.seal() for sealer in sealers))
    for sealer in sealers:
        await sealer.round()
    assert await ids_of(sealing) == ids([first, last, *late])


async def test_a_late_record_waits_behind_few_gaps_of_others(sealing):
    shown = [record(seq) for seq in range(2, 6 * GAPS, 2)]
    await sealing.add(*shown)
    await sealing.applied(6 * GAPS)
    sealer = sealing.sealer()
    await sealer.round()
    await sealing.add(late := record(77))
    for _ in range(4):
        await sealer.round()
    assert await ids_of(sealing) == ids([*shown, late])


def unsealed_told():
    return metrics.UNSEALED_RECORDS.labels(Service.AUDIT)._value.get()


async def test_records_without_a_leaf_are_counted_after_a_minute(sealing, caplog):
    clock = sealing.auditing.clock
    clock.ahead = NOON + timedelta(seconds=50) - clock.now()
    await sealing.add(record(1), record(3), record(4))
    await sealing.applied(1)
    watch, sealer = SealWatch(sealing.store, clock), sealing.sealer()
    await sealer.round()
    assert (await watch.look(), unsealed_told()) == (0, 0)
    clock.ahead += timedelta(seconds=20)
    for _ in range(2):
        assert (await watch.look(), unsealed_told()) == (2, 2)
    [told] = [each for each in caplog.records if each.message == ALARM]
    assert (told.source, told.shard, told.first) == ("team", SHARD, 2)
    assert not hasattr(told, "last"), "the shard has no end yet"
    [shard] = [
        sample for each in metrics.SEAL_AGE.collect() for sample in each.samples if sample.value
    ]
    assert shard.labels["shard"] == str(SHARD)
    assert 60 < shard.value < 120

    await sealing.applied(4)
    await sealer.round()
    assert (await watch.look(), unsealed_told()) == (0, 0)
    await sealing.add(record(2))
    assert await watch.look() == 1
    assert caplog.messages.count(ALARM) == 2
    await sealer.round()
    assert await watch.look() == 0


async def test_gaps_that_an_earlier_version_passed_are_noted(sealing):
    await sealing.add(*(sealed := [record(seq) for seq in (1, 2, 6)]))
    await sealing.applied(6)
    await sealing.sealer().round()
    database = sealing.auditing.database
    await database["seal_gaps"].delete_many({})
    await sealing.add(late := record(4))
    [step] = [each for each in migrations(row_signer("audit")) if each.name == "seal gaps"]
    for _ in range(2):
        await step.step(database)
        assert await stored_gaps(sealing) == [gap(3, 5)]
    await database["seal_gaps"].insert_one(gap_document(gap(1, 5)))  # of a step that ran late
    await sealing.sealer().round()
    assert await ids_of(sealing) == ids([*sealed, late])
    assert await stored_gaps(sealing) == [gap(3, 3), gap(5, 5)]
