"""The sweeper: rows of dead lives are removed, rows of live ones never."""

import asyncio

import pytest

from shared.contracts.facts import Position
from shared.leases import Leases, LifeEnded
from shared.leases.barrier import How
from shared.leases.sweeper import RELEASED_SECONDS, Sweeper
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore
from tests.support.chains import digest_at, report_at
from tests.waiting import wait_for

TTL = 3
LIFE = "authz/a/1"


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def store():
    return MemoryLeaseStore("e1", {3: 7})


@pytest.fixture
async def leases(store, clock):
    made = Leases(store, clock=clock, ttl=TTL, timeouts=PATIENT)
    yield made
    await made.close()


async def lease(leases, name=LIFE, *, asked=1, applied=0):
    return await leases.grant(name, report_at({3: applied}), asked=asked)


async def change(leases, clock, seq=7):
    """Commit a change, and wait for its barrier."""
    position = Position("team", "e1", 3, seq)
    return await leases.barrier(position, digest=digest_at(3, seq), committed_at=clock.boottime())


async def test_the_row_of_a_dead_life_is_removed_when_its_lease_is_over(leases, store, clock):
    sweeper = Sweeper(store, clock=clock)
    await lease(leases)
    clock.move(100)
    assert await sweeper.look() == {LIFE}, "the time counts from the first look"
    clock.move(TTL + 0.19)
    await sweeper.look()
    assert LIFE in store.table
    clock.move(0.02)
    await sweeper.look()
    assert store.table == {}


async def test_a_row_that_is_renewed_stays(leases, store, clock):
    sweeper = Sweeper(store, clock=clock)
    for asked in range(1, 20):
        await lease(leases, asked=asked)
        await sweeper.look()
        clock.move(TTL * 0.9)
    assert LIFE in store.table


async def test_a_row_that_is_renewed_while_it_is_swept_stays(clock):
    class Renewing(MemoryLeaseStore):
        async def remove(self, row):
            await lease(leases, asked=2)
            await super().remove(row)

    store = Renewing("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=TTL, timeouts=PATIENT)
    sweeper = Sweeper(store, clock=clock)
    await lease(leases)
    await sweeper.look()
    clock.move(TTL + 1)
    await sweeper.look()
    assert LIFE in store.table


async def test_a_reading_that_takes_long_starts_the_time_at_its_end(clock):
    """A row may be written, and its lease requested, until the read returns."""

    class Slow(MemoryLeaseStore):
        async def rows(self, session):
            if not self.looks:
                clock.move(TTL + 1)
            return await super().rows(session)

    store = Slow("e1", {3: 7})
    await lease(Leases(store, clock=clock, ttl=TTL, timeouts=PATIENT))
    sweeper = Sweeper(store, clock=clock)
    await sweeper.look()
    await sweeper.look()
    assert LIFE in store.table


async def test_the_row_of_a_released_life_is_kept_for_ten_minutes(leases, store, clock):
    assert RELEASED_SECONDS == 600
    sweeper = Sweeper(store, clock=clock)
    await lease(leases)
    await leases.end(LIFE)
    await sweeper.look()
    clock.move(RELEASED_SECONDS)
    await sweeper.look()
    with pytest.raises(LifeEnded):
        await lease(leases, asked=2)
    clock.move(1)
    await sweeper.look()
    assert store.table == {}


async def test_a_dead_life_costs_one_change_one_wait_and_then_none(leases, store, clock):
    await lease(leases)
    waiting = asyncio.create_task(change(leases, clock))
    await wait_for(lambda: store.looks > 0)
    clock.move(TTL + 0.21)
    assert [settled.how for settled in (await waiting).replicas] == [How.LAPSED]
    receipt = await change(leases, clock, seq=8)
    assert (receipt.effective, receipt.replicas) == (True, ())


async def test_the_loop_sweeps_so_that_no_change_pays_for_a_dead_life(leases, store, clock):
    await lease(leases)
    sweeping = asyncio.create_task(leases.sweep())
    await wait_for(lambda: store.looks > 0)
    clock.move(TTL + 0.21)
    await wait_for(lambda: store.table == {}, what="the row to be swept")
    receipt = await change(leases, clock)
    assert (receipt.effective, receipt.replicas) == (True, ())
    await wait_for(lambda: not leases._reported, what="the last report to be forgotten")
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
