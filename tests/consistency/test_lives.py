"""Counterexamples of the model that one row per slot allowed, on the real classes."""

import asyncio
import itertools

import pytest

from shared.contracts.facts import Position
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import JournalRow, JournalView
from shared.following.lease_grants import LeaseGrant
from shared.leases import Leases, LifeEnded
from shared.leases.barrier import How, lease_id
from tests.clocks import SetClock
from tests.consistency.simulation import SimulatedMembers
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore
from tests.support.chains import digest_at, digests_at, report_of
from tests.waiting import wait_for

SHARD = 3
MEMBER = PolicyObject(kind=PolicyObjectKind.MEMBER, id="m", rev=1, state={})
REMOVAL = Position("team", "e1", SHARD, 7)
TTL = 3


class Stalled(MemoryLeaseStore):
    """The same rows, for a process whose writes hang until `goes_on` is set."""

    def __init__(self, store):
        super().__init__("e1", {SHARD: 6})
        self.table = store.table
        self.goes_on = asyncio.Event()

    async def put(self, row, session):
        await self.goes_on.wait()
        await super().put(row, session)


class Replica:
    """A process in the one slot: its view, and what it may answer."""

    def __init__(self, world):
        self.world = world
        self.state = SimulatedMembers(world.clock.boottime)
        self.view = JournalView(self.state)
        heads = {SHARD: 6}
        self.view.load(epoch="e1", heads=heads, digests=digests_at(heads), policy_objects=[MEMBER])

    @property
    def lease(self):
        return lease_id(service="authz", slot="slot", life=self.view.life)

    def ask(self):
        return self.view.ask(self.world.clock.boottime())

    async def send(self, ask, leases):
        lease = lease_id(service="authz", slot="slot", life=ask.life)
        return await leases.grant(lease, report_of(ask), asked=ask.number, held=ask.held)

    async def renew(self, ask=None):
        ask = ask or self.ask()
        given = await self.send(ask, self.world.leases)
        grant = LeaseGrant(
            epoch=given.epoch, heads=given.heads, digests=given.digests, ttl=given.ttl
        )
        assert self.view.granted(ask, grant)

    def renew_late(self):
        """Ask a process of the source that is stalled."""
        return asyncio.create_task(self.send(self.ask(), self.world.stalled_leases))

    async def learn(self):
        """Take the removal, and report it."""
        gone = MEMBER.model_copy(update={"rev": 7, "state": None})
        row = JournalRow(
            epoch="e1",
            shard=SHARD,
            seq=7,
            previous=digest_at(SHARD, 6),
            digest=digest_at(SHARD, 7),
            part=1,
            parts=1,
            policy_objects=(gone,),
        )
        self.view.on_change(row)
        await self.world.leases.applied(self.lease, report_of(self.ask()))

    def allows(self):
        return self.state.allows("m") and self.view.holds(self.world.clock.boottime())


class World:
    def __init__(self):
        self.clock = SetClock()
        self.store = MemoryLeaseStore("e1", {SHARD: 6})
        self.stalled = Stalled(self.store)
        self.leases, self.stalled_leases = (
            Leases(store, clock=self.clock, ttl=TTL, timeouts=PATIENT)
            for store in (self.store, self.stalled)
        )

    def remove(self):
        """Commit the removal, and wait for its barrier."""
        self.store.journal_heads = {SHARD: 7}
        return asyncio.create_task(
            self.leases.barrier(
                REMOVAL, digest=digest_at(SHARD, 7), committed_at=self.clock.boottime()
            )
        )

    async def looked(self):
        before = self.store.looks
        await wait_for(lambda: self.store.looks >= before + 2)


@pytest.fixture
async def world():
    made = World()
    yield made
    await made.leases.close()


async def test_a_late_request_of_a_dead_process_hides_no_live_one(world):
    dead, live = Replica(world), Replica(world)
    late = dead.renew_late()
    await live.renew()
    removal = world.remove()
    await world.looked()
    world.stalled.goes_on.set()
    await late
    await world.looked()
    assert not removal.done(), "the live process has not applied the removal"
    assert live.allows()
    await live.learn()
    receipt = await removal
    assert [settled.how for settled in receipt.replicas] == [How.APPLIED]
    assert not live.allows()
    await live.renew()


async def test_a_late_write_with_a_shorter_ttl_ends_no_wait_early(world):
    """One request reaches two processes of the source while `LEASE_SECONDS` is lowered."""
    replica = Replica(world)
    ask = replica.ask()
    world.stalled_leases = Leases(world.stalled, clock=world.clock, ttl=1, timeouts=PATIENT)
    late = asyncio.create_task(replica.send(ask, world.stalled_leases))
    await replica.renew(ask)
    world.stalled.goes_on.set()
    await late
    removal = world.remove()
    await world.looked()
    world.clock.move(TTL * 0.9)
    await world.looked()
    assert not removal.done(), "the replica may still answer"
    assert replica.allows()
    world.clock.move(TTL * 0.2)
    assert [settled.how for settled in (await removal).replicas] == [How.LAPSED]
    assert not replica.allows()


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1))))
async def test_two_live_processes_in_one_slot_are_both_waited_for(world, order):
    both = Replica(world), Replica(world)
    for replica in both:
        await replica.renew()
    removal = world.remove()
    first, second = (both[number] for number in order)
    await first.learn()
    await world.looked()
    assert not removal.done(), "the other process has not applied the removal"
    assert second.allows()
    await second.learn()
    receipt = await removal
    assert [settled.how for settled in receipt.replicas] == [How.APPLIED, How.APPLIED]
    assert len({settled.replica for settled in receipt.replicas}) == 2
    assert not any(replica.allows() for replica in both)


async def test_a_silent_process_is_waited_for_beside_a_live_one_in_its_slot(world):
    silent, live = Replica(world), Replica(world)
    await silent.renew()
    await live.renew()
    removal = world.remove()
    await live.learn()
    await world.looked()
    assert not removal.done()
    world.clock.move(TTL + 0.21)
    assert {settled.how for settled in (await removal).replicas} == {How.APPLIED, How.LAPSED}
    assert not silent.allows()


async def test_a_late_request_of_a_life_that_gave_its_lease_back_is_refused(world):
    """Its row would make every change wait for a process that has ended."""
    stopped = Replica(world)
    await stopped.renew()
    late = stopped.renew_late()
    lease = stopped.lease
    stopped.view.forget()
    await world.leases.end(lease)
    world.stalled.goes_on.set()
    with pytest.raises(LifeEnded):
        await late
    receipt = await world.remove()
    assert (receipt.effective, receipt.replicas) == (True, ())
