"""A simulation that counts wrong allows: of members whose removal was acknowledged.

It is a discrete-event simulation around the product's own cores: `JournalView` in each replica,
`Leases` and `Barrier` in two server processes of the source. Only the network, the database and the
clocks are simulated. They delay, lose, repeat and reorder messages; links are cut, processes pause
and crash, and every clock has its own rate.

A wrong allow is a check that **started** after a removal was acknowledged and was answered
"allow" while the member was still removed.
"""

import random
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.contracts.facts import JournalHeads, Position
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import JournalRow, JournalView, LeaseGrant, RowOutcome
from shared.leases import Leases
from shared.leases.barrier import LeaseId, LeaseRow, lease_id
from shared.leases.store import succeeding
from tests.consistency.virtual_time import SimulatedAlarm, Timeline
from tests.support.chains import digest_at, digests_at

TTL = 1.0
SHARDS = 2
MEMBERS = 8
EPOCH = "e1"
SKEW = 0.005


@dataclass(frozen=True, kw_only=True)
class SimulationParts:
    """The classes of the simulated system; a planted variant replaces one of them."""

    view: type[JournalView] = JournalView
    leases: type[Leases] = Leases
    store: "type[SimulatedStore] | None" = None


class SimulatedMembers:
    """The members that a replica knows of; `clock` is the clock of its process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._known: dict[str, tuple[int, bool]] = {}

    def clear(self) -> None:
        self._known.clear()

    def put(self, policy_objects):
        for policy_object in policy_objects:
            if policy_object.rev > self._known.get(policy_object.id, (-1, False))[0]:
                self._known[policy_object.id] = (policy_object.rev, policy_object.state is not None)

    def allows(self, member: str) -> bool:
        return self._known.get(member, (0, False))[1]


class SimulatedClock:
    """The clocks of one process, with their own rate."""

    def __init__(self, timeline: Timeline, rate: float) -> None:
        self._timeline = timeline
        self._rate = rate

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def boottime(self) -> float:
        return self._timeline.now * self._rate


class SimulatedStore:
    """The database of the source: linearizable; each step happens at its own time."""

    def __init__(self, simulation: "Simulation") -> None:
        self.simulation = simulation
        self.table: dict[str, LeaseRow] = {}

    async def step(self) -> None:
        r = self.simulation.random
        await self.simulation.time.sleep(
            r.expovariate(1000) if r.random() > 0.1 else r.expovariate(10)
        )

    @asynccontextmanager
    async def session(self, after=None):
        yield None

    async def put(self, row, session) -> None:
        await self.step()
        self.table[row.id] = succeeding(row, self.table.get(row.id))
        await self.step()

    async def heads(self, session) -> JournalHeads:
        await self.step()
        heads = self.simulation.heads()
        await self.step()
        return JournalHeads(EPOCH, heads, digests_at(heads))

    async def rows(self, session) -> list[LeaseRow]:
        await self.step()
        rows = list(self.table.values())
        await self.step()
        return rows

    async def report(self, row) -> None:
        await self.step()
        there = self.table.get(row.id)
        if there is not None and not there.released:
            self.table[row.id] = replace(there, epoch=row.epoch, applied=row.applied)

    async def remove(self, row) -> None:
        await self.step()
        there = self.table.get(row.id)
        if there is not None and there.renewal == row.renewal:
            del self.table[row.id]

    async def release(self, row) -> None:
        await self.step()
        self.table[row.id] = row

    async def save(self, receipt) -> None:
        await self.step()

    async def receipt(self, revision, now) -> None:
        return None


@dataclass
class Outcome:
    """The answers and waits (in seconds) of one run."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    worst: float = 0.0
    waits: list[float] = field(default_factory=list)


class Simulation:
    """One source with two processes, its bus, three replicas, a writer and many clients."""

    def __init__(self, seed: int, parts: SimulationParts, *, faults: bool) -> None:
        self.random = random.Random(seed)
        self.time = Timeline()
        self.parts = parts
        self.faults = faults
        self.members = {str(number): (0, True) for number in range(MEMBERS)}
        self.journal: dict[int, list[JournalRow]] = {shard: [] for shard in range(SHARDS)}
        self.removed: dict[str, float] = {}
        self.outcome = Outcome()
        store = (parts.store or SimulatedStore)(self)
        self.servers = [
            (
                clock,
                parts.leases(store, clock=clock, ttl=TTL, alarm=lambda: SimulatedAlarm(self.time)),
            )
            for clock in (self.clock(), self.clock())
        ]
        self.replicas = [SimulatedReplica(self, f"authz-{number}") for number in range(3)]
        self.time.after(self.random.expovariate(4), self.write)
        for replica in self.replicas:
            replica.start()
            self.time.after(self.random.random(), partial(self.ask, replica))
            if faults:
                replica.suffer()

    def clock(self) -> SimulatedClock:
        return SimulatedClock(self.time, 1 + self.random.uniform(-SKEW, SKEW))

    def network(self) -> float:
        r = self.random
        return r.expovariate(1000) if r.random() > 0.02 else r.expovariate(5)

    def heads(self) -> dict[int, int]:
        return {shard: len(rows) for shard, rows in self.journal.items()}

    # The writer: one change of one or two members of a shard.

    def write(self) -> None:
        self.time.spawn(self.change())
        self.time.after(self.random.expovariate(10), self.write)

    async def change(self) -> None:
        shard = self.random.randrange(SHARDS)
        touched = self.random.sample(range(shard, MEMBERS, SHARDS), self.random.choice((1, 1, 2)))
        removed = []
        rows = self.journal[shard]
        start = len(rows)
        for part, number in enumerate(touched, 1):
            member = str(number)
            allowed = not self.members[member][1]
            seq = start + part
            self.members[member] = (seq, allowed)
            if allowed:
                self.removed.pop(member, None)
            else:
                removed.append((member, seq))
            rows.append(
                JournalRow(
                    epoch=EPOCH,
                    shard=shard,
                    seq=seq,
                    previous=digest_at(shard, seq - 1),
                    digest=digest_at(shard, seq),
                    part=part,
                    parts=len(touched),
                    policy_objects=(self.policy_object(member),),
                )
            )
        self.publish(rows[start:])
        committed = self.time.now
        await self.time.sleep(self.network())
        clock, leases = self.random.choice(self.servers)
        position = Position("team", EPOCH, shard, len(rows[: start + len(touched)]))
        await leases.follow(position, committed_at=clock.boottime(), after=None)
        self.outcome.waits.append(self.time.now - committed)
        for member, seq in removed:
            if self.members[member] == (seq, False):
                self.removed[member] = self.time.now

    def publish(self, rows: list[JournalRow]) -> None:
        for replica in self.replicas:
            for row in rows:
                for _ in range(2 if self.faults and self.random.random() < 0.05 else 1):
                    queue = replica.queue
                    self.time.after(self.network(), partial(replica.deliver, row, queue))

    def policy_object(self, member: str) -> PolicyObject:
        rev, allowed = self.members[member]
        return PolicyObject(
            kind=PolicyObjectKind.MEMBER, id=member, rev=rev, state={} if allowed else None
        )

    # The source's routes.

    async def snapshot(self) -> tuple[dict[int, int], list[PolicyObject]]:
        heads = self.heads()
        policy_objects: list[PolicyObject] = []
        names = list(self.members)
        for page in (names[::2], names[1::2]):
            await self.time.sleep(self.network() + self.random.uniform(0, 0.1))
            policy_objects += [self.policy_object(member) for member in page]
        return heads, policy_objects

    async def changes(self, shard: int, after: int) -> list[JournalRow]:
        await self.time.sleep(self.network())
        return self.journal[shard][after : after + 3]

    # The clients: they ask most about the members who were removed last.

    def ask(self, replica: "SimulatedReplica") -> None:
        recent = [member for member, at in self.removed.items() if at > self.time.now - 3]
        member = self.random.choice(recent or list(self.members))
        started = self.time.now
        replica.when_running(lambda: self.answer(replica, member, started))
        self.time.after(self.random.expovariate(200), lambda: self.ask(replica))

    def answer(self, replica: "SimulatedReplica", member: str, started: float) -> None:
        said = replica.check(member)
        self.outcome.answers[said] += 1
        acknowledged = self.removed.get(member)
        if said == "allow" and acknowledged is not None and acknowledged < started:
            self.outcome.wrong += 1
            self.outcome.worst = max(self.outcome.worst, started - acknowledged)


class SimulatedReplica:
    """A process of authz around its `JournalView`, with its links and its faults."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.simulation = simulation
        self.name = name
        self.clock = simulation.clock().boottime
        self.lives = 0
        self.queue = 0
        self.bus_up = self.link_up = True
        self.resumes = 0.0

    def start(self) -> None:
        """Start the process, with nothing of the one before."""
        self.lives += 1
        self.state = SimulatedMembers(self.clock)
        self.view = self.simulation.parts.view(self.state, lambda: str(self.lives))
        self.load(self.lives)
        self.renew(self.lives)

    def row_of(self, life: str) -> LeaseId:
        return lease_id(service="authz", slot=self.name, life=life)

    def when_running(self, action: Callable[[], None]) -> None:
        if self.resumes > self.simulation.time.now:
            pause = self.resumes - self.simulation.time.now
            self.simulation.time.after(pause, lambda: self.when_running(action))
        else:
            action()

    def call(self, work: Callable[[], Coroutine[Any, Any, Any]], then: Callable[[Any], None]):
        """Call one process of the source; the answer may be lost."""
        if not self.link_up:
            return
        life = self.lives
        simulation = self.simulation

        def answered(value: Any) -> None:
            def arrive() -> None:
                if self.lives == life and self.link_up and value is not None:
                    then(value)

            simulation.time.after(simulation.network(), lambda: self.when_running(arrive))

        simulation.time.after(simulation.network(), lambda: simulation.time.spawn(work(), answered))

    def load(self, life: int) -> None:
        if life != self.lives or self.view.loaded:
            return
        self.when_running(lambda: self.call(self.simulation.snapshot, self.loaded))
        self.simulation.time.after(0.1, lambda: self.load(life))

    def loaded(self, answer: tuple[dict[int, int], list[PolicyObject]]) -> None:
        heads, policy_objects = answer
        if self.view.load(
            epoch=EPOCH, heads=heads, digests=digests_at(heads), policy_objects=policy_objects
        ):
            self.lease()

    def renew(self, life: int) -> None:
        if life != self.lives:
            return
        self.when_running(self.lease)
        pause = TTL / 4 * self.simulation.random.uniform(0.8, 1.2)
        self.simulation.time.after(pause, lambda: self.renew(life))

    def lease(self) -> None:
        if not self.view.loaded:
            return
        ask = self.view.ask(self.clock())
        _, leases = self.simulation.random.choice(self.simulation.servers)

        async def grant() -> LeaseGrant:
            granted = await leases.grant(
                self.row_of(ask.life),
                asked=ask.number,
                epoch=ask.epoch,
                applied=ask.applied,
                held=ask.held,
            )
            return LeaseGrant(
                epoch=granted.epoch, heads=granted.heads, digests=granted.digests, ttl=granted.ttl
            )

        def granted(grant: LeaseGrant) -> None:
            assert self.view.granted(ask, grant)
            self.fetch()

        self.call(grant, granted)
        if self.simulation.faults and self.simulation.random.random() < 0.01:
            # A stop at the worst moment: the answer waits in the socket.
            self.simulation.time.after(0.001, self.pause)

    def deliver(self, row: JournalRow, queue: int) -> None:
        self.when_running(lambda: self.take(row) if self.bus_up and queue == self.queue else None)

    def take(self, row: JournalRow) -> None:
        if self.view.on_change(row) is RowOutcome.APPLIED:
            self.report()
        self.fetch()

    def fetch(self) -> None:
        for shard, after in self.view.missing().items():
            self.call(partial(self.simulation.changes, shard, after), self.fill)

    def fill(self, rows: list[JournalRow]) -> None:
        news = [self.view.on_change(row) for row in rows]
        if RowOutcome.APPLIED in news:
            self.report()
            self.fetch()

    def report(self) -> None:
        ask = self.view.ask(self.clock())
        _, leases = self.simulation.random.choice(self.simulation.servers)
        told = partial(
            leases.applied,
            self.row_of(ask.life),
            epoch=ask.epoch,
            applied=ask.applied,
        )
        self.call(told, lambda _: None)

    def check(self, member: str) -> str:
        allowed = self.state.allows(member)
        if not self.view.holds(self.clock()):
            return "closed"
        return "allow" if allowed else "deny"

    # Faults.

    def suffer(self) -> None:
        for rate, fault in (
            (0.15, self.cut_bus),
            (0.12, self.cut_link),
            (0.12, self.pause),
            (0.25, self.crash),
        ):
            self.again(rate, fault)

    def again(self, rate: float, fault: Callable[[], None]) -> None:
        def strike() -> None:
            fault()
            self.again(rate, fault)

        self.simulation.time.after(1 + self.simulation.random.expovariate(rate), strike)

    def cut_bus(self) -> None:
        self.bus_up = False
        self.queue += 1  # an exclusive queue and its messages end with its link

        def heal() -> None:
            self.bus_up = True
            self.when_running(self.lease)

        self.simulation.time.after(
            self.simulation.random.choice((0.1, 0.6, 2, 8)) * self.simulation.random.random(), heal
        )

    def cut_link(self) -> None:
        self.link_up = False

        def heal() -> None:
            self.link_up = True

        self.simulation.time.after(
            self.simulation.random.choice((0.2, 2, 6)) * self.simulation.random.random(), heal
        )

    def pause(self) -> None:
        pause = self.simulation.random.choice((0.05, 0.5, 2, 4)) * self.simulation.random.random()
        self.resumes = self.simulation.time.now + pause

    def crash(self) -> None:
        self.resumes = 0.0
        if self.simulation.random.random() < 0.5:
            self.cut_bus()  # the cause often cuts its link, too
        self.start()


def simulate(
    seed: int, parts: SimulationParts | None = None, *, faults: bool = True, seconds: float = 30
) -> Outcome:
    """Run one simulation for `seconds` of simulated time."""
    simulation = Simulation(seed, parts or SimulationParts(), faults=faults)
    simulation.time.run(until=seconds)
    return simulation.outcome
