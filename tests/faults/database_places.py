"""The places where the product asks the database, each with a fault in its way.

A place does its work with a client whose commands pass the shim, again while the database is away,
as a caller or a loop of the product would. Afterwards it finds in the database what came of it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from shared.bus import BusMessage, Verdict
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.team import ProjectCreated
from shared.contracts.topology import AUDIT
from shared.inbox import Inbox
from shared.indexes import Index, index_step
from shared.journal import JournalWrite, rows
from shared.journal.relay import Relay
from shared.leases import Leases, MongoLeaseStore
from shared.leases.barrier import LeaseId
from shared.migrations import Migration, migrate
from shared.mongo import AlreadyThere, DatabaseAway, DbSession, insert_once
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.shared.inbox.conftest import Effects, JournalCalls, Later, remember
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.chains import report_at
from tests.support.journal_keys import verifier
from tests.support.journals import journal_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from shared.mongo import Database, DbClient

T = TypeVar("T")

TRIES = 40
PAUSE_SECONDS = 0.05
IN_TRANSACTIONS = {("update", "heads"), ("insert", "names")}
"""Statements that are answered before their transaction has a write concern."""
KEPT = Index(collection="things", keys=(("at", 1),), name="kept")


async def persist(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the database is away. No other exception is one that waiting cures."""
    for _ in range(TRIES - 1):
        try:
            return await ask()
        except (DatabaseAway, Unavailable):
            await asyncio.sleep(PAUSE_SECONDS)
    return await ask()


class Place(ABC):
    """One kind of work. It is done once for each number, and each number has a client of its own.

    `command`, `collection` and `earlier` tell the command that the fault meets.
    """

    def __init__(self, command: str, collection: str | None = None, *, earlier: int = 0) -> None:
        self.command = command
        self.collection = collection
        self.earlier = earlier
        # Whether the server would answer the command with a write-concern error.
        self.answers_concern = command != "find" and (command, collection) not in IN_TRANSACTIONS

    def __repr__(self) -> str:
        return "-".join(
            [type(self).__name__, self.command, self.collection or "", "later" * self.earlier]
        ).rstrip("-")

    async def prepare(self, client: DbClient, name: str, numbers: Sequence[int]) -> None:
        """Make ready, without faults; most places need nothing."""
        del client, name
        self.numbers = numbers

    @abstractmethod
    async def work(self, client: DbClient, name: str, number: int) -> None:
        """Do the work of one number."""

    @abstractmethod
    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        """How often each number had its effect."""


class Write(Place):
    """A write to a journal, with a key as a request has one."""

    async def prepare(self, client: DbClient, name: str, numbers: Sequence[int]) -> None:
        await journal_of(client, name).start()

    async def work(self, client: DbClient, name: str, number: int) -> None:
        database = client[name]
        journal = journal_of(client, name)
        await journal.start()

        async def guard(session: DbSession) -> None:
            await insert_once(database["keys"], {"_id": number}, session)

        async def change(write: JournalWrite) -> None:
            state = {"_id": number, "rev": write.rev}
            await database["projects"].insert_one(state, session=write.session)
            write.record(project_created(number))

        try:
            await persist(
                lambda: journal.write(
                    f"acc_{number}",
                    change,
                    caller=CALLER,
                    effective_everywhere=False,
                    guard=guard,
                )
            )
        except AlreadyThere:
            return  # the request that was answered 503 had its effect

    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        database = client[name]
        stored = [rows.read(document).row async for document in database["journal"].find({})]
        state = {found["_id"]: found["rev"] async for found in database["projects"].find({})}
        assert {number_of(row.resource.id): row.seq for row in stored} == state
        places = Counter((row.shard, row.seq) for row in stored)
        heads = [head async for head in database["heads"].find({"last_seq": {"$gt": 0}})]
        gapless = {(head["_id"], seq) for head in heads for seq in range(1, head["last_seq"] + 1)}
        assert places == Counter(gapless)
        return Counter(number_of(row.resource.id) for row in stored)


class Find(Place):
    """A read of a request."""

    async def prepare(self, client: DbClient, name: str, numbers: Sequence[int]) -> None:
        await client[name]["rows"].insert_many([{"_id": number} for number in numbers])

    async def work(self, client: DbClient, name: str, number: int) -> None:
        assert await persist(lambda: client[name]["rows"].find_one({"_id": number})) is not None

    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        return Counter([row["_id"] async for row in client[name]["rows"].find({})])


class Effect(Place):
    """The effect of a fact that the bus brings, twice."""

    async def prepare(self, client: DbClient, name: str, numbers: Sequence[int]) -> None:
        self._source = journal_of(client, f"{name}_source")
        await self._source.start()
        self._messages: dict[int, BusMessage] = {}

        async def change(write: JournalWrite) -> None:
            write.record(*(project_created(number) for number in numbers))

        await self._source.write("acc_1", change, caller=CALLER, effective_everywhere=False)
        async for document in client[f"{name}_source"]["journal"].find({}):
            signed = rows.read(document)
            self._messages[number_of(signed.row.resource.id)] = rows.message(signed)

    async def work(self, client: DbClient, name: str, number: int) -> None:
        inbox = self._inbox(client, name)
        for _ in range(2):
            assert await inbox.handle(self._messages[number]) is not Verdict.DEAD

    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        await self._inbox(client, name).reconcile("team")
        assert await client[name]["inbox_dead"].count_documents({}) == 0
        names = [document["name"] async for document in client[name]["names"].find({})]
        return Counter(int(name.removeprefix("Project ")) for name in names)

    def _inbox(self, client: DbClient, name: str) -> Inbox:
        return Inbox(
            client,
            client[name],
            bus=LocalBus(),
            queue=AUDIT,
            sources=("team",),
            internal=JournalCalls(self._source),  # type: ignore[arg-type]
            verifier=verifier(),
            subscriptions={ProjectCreated.type: remember},
            ctx=Effects(client, client[name]),
            clock=Later(),
        )


class Sweep(Place):
    """A sweep of the relay: a journal of one row for each number."""

    async def prepare(self, client: DbClient, name: str, numbers: Sequence[int]) -> None:
        journal = journal_of(client, name)
        await journal.start()

        async def change(write: JournalWrite) -> None:
            write.record(project_created(1))

        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)
        row = await client[name]["journal"].find_one({})
        assert row is not None
        for number in numbers:
            await client[f"{name}_{number}"]["journal"].insert_one(row)
        await super().prepare(client, name, numbers)

    async def work(self, client: DbClient, name: str, number: int) -> None:
        bus = LocalBus()
        heard: list[BusMessage] = []

        async def hear(message: BusMessage) -> Verdict:
            heard.append(message)
            return Verdict.ACK

        async def resync() -> None:
            return

        await bus.subscribe(AUDIT, hear, on_resync=resync)
        relay = Relay(client[f"{name}_{number}"], bus, holder="tests", clock=Later())
        await persist(relay.sweep_once)
        await persist(relay.sweep_once)
        await bus.close()
        assert heard

    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        sent = Counter[int]()
        for number in self.numbers:
            journal = client[f"{name}_{number}"]["journal"]
            sent[number] = await journal.count_documents({"sent": True})
        return sent


class Renewal(Place):
    """A request of a replica for its lease, again with the next number if it gets no answer."""

    async def prepare(self, client: DbClient, name: str, numbers: Sequence[int]) -> None:
        await journal_of(client, name).start()

    async def work(self, client: DbClient, name: str, number: int) -> None:
        store = MongoLeaseStore(client, client[name])
        leases = Leases(store, clock=SystemClock(), ttl=3.0, timeouts=PATIENT)
        asked = 0

        async def ask() -> None:
            nonlocal asked
            asked += 1
            lease = LeaseId(f"authz/{number}/1")
            granted = await leases.grant(lease, report_at({}), asked=asked)
            assert granted.epoch

        await persist(ask)
        await persist(ask)

    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        leases = [row["_id"] async for row in client[name]["leases"].find({"asked": {"$gt": 1}})]
        return Counter(int(lease.split("/")[1]) for lease in leases)


class Migrate(Place):
    """The start of a service on a database of its own, which needs an index and a change."""

    async def work(self, client: DbClient, name: str, number: int) -> None:
        async def mark(database: Database) -> None:
            await database["marks"].update_one({"_id": 1}, {"$set": {"at": 1}}, upsert=True)

        steps = (Migration(1, "an index", index_step(KEPT)), Migration(2, "a change", mark))
        quick = replace(PATIENT, migration_lock=1.0)
        database = client[f"{name}_{number}"]
        await persist(lambda: migrate(database, steps, clock=SystemClock(), timeouts=quick))

    async def came_of_it(self, client: DbClient, name: str) -> Counter[int]:
        done = Counter[int]()
        for number in self.numbers:
            database = client[f"{name}_{number}"]
            recorded = [step["_id"] async for step in database["migrations"].find({})]
            steps = [step for step in recorded if isinstance(step, int)]
            assert sorted(steps) == [1, 2]
            assert "kept" in await database["things"].index_information()
            done[number] += await database["marks"].count_documents({"at": 1})
        return done


def number_of(resource_id: str) -> int:
    """The number of a fact of the tests."""
    return int(resource_id.removeprefix("prj_"))


PLACES: tuple[Place, ...] = (
    Write("update", "heads"),
    Write("commitTransaction"),
    Find("find", "rows"),
    Effect("insert", "names"),
    Effect("commitTransaction"),
    Sweep("find", "journal"),
    Sweep("update", "journal"),
    Renewal("insert", "leases"),
    Renewal("find", "heads"),
    Migrate("insert", "migrations"),
    Migrate("insert", "migrations", earlier=1),
    Migrate("createIndexes", "things"),
)
