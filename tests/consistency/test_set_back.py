"""A source that was set back in the same epoch: a removal counts where its own row is applied."""

import asyncio
from dataclasses import replace

import pytest

from shared.following.journal_view import HistoryForked, JournalRow
from shared.leases import Leases
from shared.leases.barrier import How
from tests.consistency.test_lives import REMOVAL, SHARD, TTL, Replica, World
from tests.patience import PATIENT
from tests.support.chains import digest_at, report_of


def lost_row(seq: int) -> JournalRow:
    """A row that the source signed before it was set back, or that another holder of its key did.

    It says nothing about the member.
    """
    return JournalRow(
        epoch="e1",
        shard=SHARD,
        seq=seq,
        previous=digest_at(SHARD, 6) if seq == 7 else f"lost {seq - 1}",
        digest=f"lost {seq}",
        part=1,
        parts=1,
        policy_objects=(),
    )


async def on_lost_history(world: World, last: int) -> Replica:
    """A replica that has applied lost rows up to `last`, and has reported them."""
    replica = Replica(world)
    await replica.renew()
    for seq in range(7, last + 1):
        replica.view.on_change(lost_row(seq))
    await world.leases.applied(replica.lease, report_of(replica.ask()))
    assert replica.view.applied == {SHARD: last}
    return replica


@pytest.fixture
async def world():
    made = World()
    yield made
    await made.leases.close()


@pytest.mark.parametrize("last", [7, 8, 9])
async def test_rows_of_a_lost_history_settle_no_removal(world, last):
    """Issue 7, A.2: the barrier never counts a row that is not the source's."""
    replica = await on_lost_history(world, last)
    removal = world.remove()
    await world.looked()
    assert not removal.done(), "the replica has as many rows, and not the removal"
    assert replica.allows()
    await world.leases.applied(replica.lease, report_of(replica.ask()))
    await world.looked()
    assert not removal.done()
    world.clock.move(TTL + 0.21)
    assert [settled.how for settled in (await removal).replicas] == [How.LAPSED]
    assert not replica.allows()


@pytest.mark.parametrize("last", [7, 8, 9])
async def test_a_report_to_another_process_of_the_source_settles_none_either(world, last):
    replica = await on_lost_history(world, last)
    world.leases = Leases(world.store, clock=world.clock, ttl=TTL, timeouts=PATIENT)
    removal = world.remove()
    await world.looked()
    assert not removal.done()
    assert replica.allows()
    world.clock.move(TTL + 0.21)
    await removal


@pytest.mark.parametrize("last", [7, 8, 9])
async def test_the_next_lease_request_ends_a_lost_history_and_the_wait(world, last):
    replica = await on_lost_history(world, last)
    former = replica.lease
    removal = world.remove()
    await world.looked()
    with pytest.raises(HistoryForked):
        await replica.renew()
    assert not replica.allows()
    await world.leases.end(former)
    assert [settled.how for settled in (await removal).replicas] == [How.ENDED]


async def test_lost_rows_that_overtake_a_grant_do_not_make_it_count(world):
    """The grant comes from after the removal, whose place the replica passes meanwhile."""
    replica = Replica(world)
    ask = replica.ask()
    world.store.journal_heads = {SHARD: 7}
    for seq in (7, 8):
        replica.view.on_change(lost_row(seq))
    with pytest.raises(HistoryForked):
        await replica.renew(ask)
    assert not replica.allows()


async def test_a_replica_ahead_on_the_same_history_settles_a_removal(world):
    """A later change of the shard was committed and applied before the report."""
    replica = Replica(world)
    await replica.renew()
    world.store.journal_heads = {SHARD: 8}
    for seq in (7, 8):
        row = replace(
            lost_row(seq), previous=digest_at(SHARD, seq - 1), digest=digest_at(SHARD, seq)
        )
        replica.view.on_change(row)
    await world.leases.applied(replica.lease, report_of(replica.ask()))
    receipt = await world.leases.barrier(
        REMOVAL, digest=digest_at(SHARD, 7), committed_at=world.clock.boottime()
    )
    assert [settled.how for settled in receipt.replicas] == [How.APPLIED]


async def test_a_revision_that_is_used_again_has_a_wait_of_its_own(world):
    """The first change of that revision was lost while it waited for a silent replica."""
    replica = await on_lost_history(world, 7)
    silent = Replica(world)
    await silent.renew()
    lost = asyncio.create_task(
        world.leases.barrier(REMOVAL, digest="lost 7", committed_at=world.clock.boottime())
    )
    await world.looked()
    removal = world.remove()
    await world.looked()
    await world.leases.end(silent.lease)
    await world.looked()
    await world.looked()
    assert not removal.done()
    assert replica.allows()
    world.clock.move(TTL + 0.21)
    await removal
    await lost
