"""Counterexamples of the model that one row per slot allowed, on the real classes."""

import asyncio
import itertools
from collections import defaultdict

import pytest

from shared.contracts.facts import Position
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import JournalRow, JournalView, LeaseGrant
from shared.leases import Leases, LifeEnded
from shared.leases.barrier import How, LeaseId, lease_id
from tests.clocks import SetClock
from tests.consistency.simulation import SimulatedMembers
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore
from tests.waiting import wait_for

SHARD = 3
MEMBER = PolicyObject(kind=PolicyObjectKind.MEMBER, id="m", rev=1, state={})
REMOVAL = Position("team", "e1", SHARD, 7)
TTL = 3


class Gate(MemoryLeaseStore):
    """A store in which the writes of some lives hang until they are let through."""

    def __init__(self):
        super().__init__("e1", {SHARD: 6})
        self.gates: defaultdict[LeaseId, asyncio.Event] = defaultdict(open_gate)

    async def put(self, row, session):
        await self.gates[row.id].wait()
        await super().put(row, session)


def open_gate():
    gate = asyncio.Event()
    gate.set()
    return gate


class Replica:
    """A process in the one slot: its view, and what it may answer."""

    def __init__(self, world):
        self.world = world
        self.state = SimulatedMembers(world.clock.boottime)
        self.view = JournalView(self.state)
        self.view.load(epoch="e1", heads={SHARD: 6}, policy_objects=[MEMBER])

    @property
    def lease(self):
        return lease_id(service="authz", slot="slot", life=self.view.life)

    def ask(self):
        return self.view.ask(self.world.clock.boottime())

    async def send(self, ask):
        lease = lease_id(service="authz", slot="slot", life=ask.life)
        return await self.world.leases.grant(
            lease, asked=ask.number, epoch=ask.epoch, applied=ask.applied, held=ask.held
        )

    async def renew(self):
        ask = self.ask()
        given = await self.send(ask)
        grant = LeaseGrant(epoch=given.epoch, heads=given.heads, ttl=given.ttl)
        assert self.view.granted(ask, grant)

    async def learn(self):
        """Take the removal, and report it."""
        gone = MEMBER.model_copy(update={"rev": 7, "state": None})
        row = JournalRow(epoch="e1", shard=SHARD, seq=7, part=1, parts=1, policy_objects=(gone,))
        self.view.on_change(row)
        await self.world.leases.applied(self.lease, epoch="e1", applied=self.view.applied)

    def allows(self):
        return self.state.allows("m") and self.view.holds(self.world.clock.boottime())


class World:
    def __init__(self):
        self.clock = SetClock()
        self.store = Gate()
        self.leases = Leases(self.store, clock=self.clock, ttl=TTL, timeouts=PATIENT)

    def remove(self):
        """Commit the removal, and wait for its barrier."""
        self.store.journal_heads = {SHARD: 7}
        return asyncio.create_task(self.leases.barrier(REMOVAL, committed_at=self.clock.boottime()))

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
    world.store.gates[dead.lease] = asyncio.Event()
    late = asyncio.create_task(dead.send(dead.ask()))
    await live.renew()
    removal = world.remove()
    await world.looked()
    world.store.gates[dead.lease].set()
    await late
    await world.looked()
    assert not removal.done(), "the live process has not applied the removal"
    assert live.allows()
    await live.learn()
    receipt = await removal
    assert [settled.how for settled in receipt.replicas] == [How.APPLIED]
    assert not live.allows()
    await live.renew()


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
    world.store.gates[stopped.lease] = asyncio.Event()
    late = asyncio.create_task(stopped.send(stopped.ask()))
    lease = stopped.lease
    stopped.view.forget()
    await world.leases.end(lease)
    world.store.gates[lease].set()
    with pytest.raises(LifeEnded):
        await late
    receipt = await world.remove()
    assert (receipt.effective, receipt.replicas) == (True, ())
