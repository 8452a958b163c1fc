"""A simulation that counts wrong allows: of members whose removal was acknowledged.

It is a discrete-event simulation around the product's own cores: `JournalView` in each replica,
`Leases`, `Barrier` and `Snapshot` in two server processes of the source. Only the network, the
database and the clocks are simulated. They delay, lose, repeat and reorder messages; links are cut,
processes pause and crash. A majority lags behind the primary, a process reads an older majority,
every clock has its own rate, and wall clocks are set back.

A removal is acknowledged when its request is answered, and also when a repeat is answered that
finds it made. A wrong allow is a check that **started** after that and was answered "allow" while
the member was still removed.
"""

import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from shared.contracts.facts import Position
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import HistoryForked, JournalRow, JournalView, RowOutcome
from shared.following.lease_grants import LeaseGrant
from shared.journal import Snapshot
from shared.journal.repeats import Repeats, Seen
from shared.journal.snapshot import Page
from shared.leases import Leases
from shared.leases.barrier import LeaseId, lease_id
from shared.problems import Unavailable
from tests.consistency.database import (
    EPOCH,
    SimulatedReplicaSet,
    SimulatedSession,
    SimulatedStore,
    Version,
)
from tests.consistency.virtual_time import SimulatedAlarm, Timeline
from tests.support.chains import digest_at, report_of

TTL = 1.0
SHARDS = 2
MEMBERS = 8
SKEW = 0.005
START = datetime(2026, 1, 1, tzinfo=UTC)
REPEATED_REMOVALS = 0.5
"""Of this part of the removals a repeat comes while the first request may still wait."""


@dataclass(frozen=True, kw_only=True)
class SimulationParts:
    """The classes of the simulated system; a planted variant replaces one of them."""

    view: type[JournalView] = JournalView
    leases: type[Leases] = Leases
    store: type[SimulatedStore] = SimulatedStore
    snapshot: type[Snapshot] = Snapshot
    repeats: type[Repeats] = Repeats


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


def policy_object(member: str, rev: int, allowed: bool) -> PolicyObject:  # noqa: FBT001
    """A member as of one revision; no state if it is none."""
    return PolicyObject(
        kind=PolicyObjectKind.MEMBER, id=member, rev=rev, state={} if allowed else None
    )


class SimulatedClock:
    """The clocks of one machine, with their own rate; the wall clock is set by `error` seconds."""

    def __init__(self, timeline: Timeline, rate: float) -> None:
        self._timeline = timeline
        self._rate = rate
        self.error = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.boottime() + self.error)

    def boottime(self) -> float:
        return self._timeline.now * self._rate


@dataclass
class Outcome:
    """The answers and waits (in seconds) of one run."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    worst: float = 0.0
    repeats: int = 0
    """How many repeats were answered that found a removal made."""
    other_histories: int = 0
    """How often a replica was granted a lease at heads that were below what it had applied."""
    waits: list[float] = field(default_factory=list)


class Server:
    """A process of the source: its clock, its view of the database, its leases and snapshots."""

    def __init__(self, simulation: "Simulation") -> None:
        parts, time = simulation.parts, simulation.time
        self.simulation = simulation
        self.clock = simulation.clock()
        self.store = parts.store(simulation.database)
        self.leases = parts.leases(
            self.store, clock=self.clock, ttl=TTL, alarm=lambda: SimulatedAlarm(time)
        )
        self.snapshot = parts.snapshot("team", self.store, self.read_page)
        self.repeats = parts.repeats(self.store)

    async def read_page(
        self, place: str, session: SimulatedSession, **_: Any
    ) -> tuple[list[PolicyObject], str | None]:
        """One half of the members."""
        members = (await self.store.read(session)).members
        names = list(members)[1::2] if place else list(members)[::2]
        return [policy_object(name, *members[name]) for name in names], None if place else "second"

    def fall_behind(self) -> None:
        """Read an older majority for a while."""
        r = self.simulation.random
        self.store.behind = r.choice((0.05, 0.5, 2.0)) * r.random()

        def catch_up() -> None:
            self.store.behind = 0.0

        self.simulation.time.after(r.choice((0.2, 1.0, 3.0)) * r.random(), catch_up)

    def set_clock(self) -> None:
        """Set the wall clock, mostly back."""
        self.clock.error += self.simulation.random.uniform(-3600, 60)


class Simulation:
    """One source with two processes, its bus, three replicas, a writer and many clients."""

    def __init__(self, seed: int, parts: SimulationParts, *, faults: bool) -> None:
        self.random = random.Random(seed)
        self.time = Timeline()
        self.parts = parts
        self.faults = faults
        members = {str(number): (0, True) for number in range(MEMBERS)}
        start = Version(heads=dict.fromkeys(range(SHARDS), 0), members=members, leases={})
        self.database = SimulatedReplicaSet(self.time, self.random, lags=faults, versions=[start])
        self.journal: dict[int, list[JournalRow]] = {shard: [] for shard in range(SHARDS)}
        self.removed: dict[str, float] = {}
        self.outcome = Outcome()
        self.servers = [Server(self), Server(self)]
        self.replicas = [SimulatedReplica(self, f"authz-{number}") for number in range(3)]
        self.time.after(self.random.expovariate(4), self.write)
        for replica in self.replicas:
            replica.start()
            self.time.after(self.random.random(), partial(self.ask, replica))
            if faults:
                replica.suffer()
        if faults:
            for server in self.servers:
                self.again(0.1, server.fall_behind)
                self.again(0.1, server.set_clock)

    def again(self, rate: float, fault: Callable[[], None]) -> None:
        """Let a fault strike from the first second on, at a rate."""

        def strike() -> None:
            fault()
            self.again(rate, fault)

        self.time.after(1 + self.random.expovariate(rate), strike)

    def server(self) -> Server:
        """Any process of the source."""
        return self.random.choice(self.servers)

    def clock(self) -> SimulatedClock:
        return SimulatedClock(self.time, 1 + self.random.uniform(-SKEW, SKEW))

    def network(self) -> float:
        r = self.random
        return r.expovariate(1000) if r.random() > 0.02 else r.expovariate(5)

    # The writer: one change of one or two members of a shard.

    def write(self) -> None:
        self.time.spawn(self.change())
        self.time.after(self.random.expovariate(10), self.write)

    async def change(self) -> None:
        shard = self.random.randrange(SHARDS)
        touched = self.random.sample(range(shard, MEMBERS, SHARDS), self.random.choice((1, 1, 2)))
        removed = []
        rows = self.journal[shard]
        before = self.database.primary
        start = before.heads[shard]
        members = dict(before.members)
        for part, number in enumerate(touched, 1):
            member = str(number)
            allowed = not members[member][1]
            seq = start + part
            members[member] = (seq, allowed)
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
                    policy_objects=(policy_object(member, seq, allowed),),
                )
            )
        heads = {**before.heads, shard: start + len(touched)}
        version = self.database.change(heads=heads, members=members)
        for member, _ in removed:
            if self.random.random() < REPEATED_REMOVALS:
                self.time.spawn(self.repeat(member))
        committed = self.time.now
        await self.database.committed(version)
        self.publish(rows[start : start + len(touched)])
        await self.time.sleep(self.network())
        server = self.server()
        await server.leases.follow(
            Position("team", EPOCH, shard, start + len(touched)),
            digest=digest_at(shard, start + len(touched)),
            committed_at=server.clock.boottime(),
            after=SimulatedSession(version),
        )
        self.outcome.waits.append(self.time.now - committed)
        for member, seq in removed:
            self.promise(member, seq)

    async def repeat(self, member: str) -> None:
        """A request that finds the removal made, and is answered 404."""
        await self.time.sleep(self.random.choice((0.001, 0.1, 1.0)) * self.random.random())
        server = self.server()
        seq, allowed = self.database.primary.members[member]
        if allowed:
            return
        shard = int(member) % SHARDS
        transaction = SimulatedSession(self.database.last)
        seen = Position("team", EPOCH, shard, self.database.primary.heads[shard])
        await self.time.sleep(self.network())
        try:
            head, digest, session = await server.repeats.head(Seen(seen, session=transaction))
        except Unavailable:
            return
        await server.leases.follow(
            head, digest=digest, committed_at=server.clock.boottime(), after=session
        )
        self.outcome.repeats += 1
        self.promise(member, seq)

    def promise(self, member: str, seq: int) -> None:
        """A removal is acknowledged from now on, if it is not undone by a later change."""
        if self.database.primary.members[member] == (seq, False):
            self.removed.setdefault(member, self.time.now)

    def publish(self, rows: list[JournalRow]) -> None:
        for replica in self.replicas:
            for row in rows:
                for _ in range(2 if self.faults and self.random.random() < 0.05 else 1):
                    queue = replica.queue
                    self.time.after(self.network(), partial(replica.deliver, row, queue))

    # The source's routes.

    async def snapshot(self, cursor: str | None) -> Page | None:
        await self.time.sleep(self.random.uniform(0, 0.1))
        try:
            return await self.server().snapshot.page(cursor)
        except Unavailable:
            return None

    async def changes(self, shard: int, after: int) -> list[JournalRow]:
        await self.time.sleep(self.network())
        version = self.database.seen(self.server().store.behind)
        head = self.database.versions[version].heads[shard]
        return self.journal[shard][after : min(after + 3, head)]

    # The clients: they ask most about the members who were removed last.

    def ask(self, replica: "SimulatedReplica") -> None:
        recent = [member for member, at in self.removed.items() if at > self.time.now - 3]
        member = self.random.choice(recent or list(self.database.primary.members))
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
        self.view = self.simulation.parts.view(self.state, self.random_life)
        self.load(self.lives)
        self.renew(self.lives)

    def random_life(self) -> str:
        return f"{self.simulation.random.getrandbits(64):016x}"

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
        self.when_running(partial(self.read_page, None))
        self.simulation.time.after(0.1, lambda: self.load(life))

    def read_page(
        self,
        first: Page | None,
        items: tuple[Any, ...] = (),
        cursor: str | None = None,
    ) -> None:
        def take(page: Page) -> None:
            start, read = first or page, (*items, *page.items)
            if page.next_cursor is not None:
                self.read_page(start, read, page.next_cursor)
            elif self.view.load(
                epoch=start.epoch,
                heads=start.heads,
                digests=start.digests,
                policy_objects=read,
            ):
                self.lease()

        self.call(partial(self.simulation.snapshot, cursor), take)

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
        leases = self.simulation.server().leases

        async def grant() -> LeaseGrant:
            granted = await leases.grant(
                self.row_of(ask.life), report_of(ask), asked=ask.number, held=ask.held
            )
            return LeaseGrant(
                epoch=granted.epoch, heads=granted.heads, digests=granted.digests, ttl=granted.ttl
            )

        def granted(grant: LeaseGrant) -> None:
            try:
                taken = self.view.granted(ask, grant)
            except HistoryForked:
                taken = False
            if taken:
                self.fetch()
            else:
                self.simulation.outcome.other_histories += 1
                self.load(self.lives)

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
        leases = self.simulation.server().leases
        told = partial(leases.applied, self.row_of(ask.life), report_of(ask))
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
            self.simulation.again(rate, fault)

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
