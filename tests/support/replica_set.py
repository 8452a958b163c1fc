"""A replica set in memory, as far as leases, journal and snapshots need one.

Inside a transaction one reads what the primary has; outside, with majority, what a majority has. A
commit waits for a majority, also for what a transaction only read. An aborted transaction waits for
nothing. A read in a causally consistent session waits for the session's time. Each reply inside a
transaction tells the time of the primary's last change, as mongod does for read concern `snapshot`.
"""

from __future__ import annotations

import asyncio
import copy
from operator import ge, gt, le, lt, ne
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pymongo.errors import DuplicateKeyError

from shared.mongo import DatabaseAway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

T = TypeVar("T")
Documents = dict[str, dict[Any, dict[str, Any]]]

LIMIT_SECONDS = 0.5
"""How long an operation waits for a majority."""


class ReplicaSet:
    """The primary's versions of the data, and how far a majority has followed."""

    def __init__(self) -> None:
        self.versions: list[tuple[int, Documents]] = [(1, {})]
        self.majority = 0
        self.holds_back = False
        """Whether the members do not follow the primary."""
        self.follows_on_wait = False
        """Whether they follow as soon as another operation waits for them."""
        self.waiting = 0
        """How many operations wait for them."""
        self._moved = asyncio.Event()

    def client(self) -> Any:
        """A client of the replica set, as the product uses motor's."""
        return FakeClient(self)

    @property
    def latest(self) -> tuple[int, Documents]:
        """The primary's time and data."""
        return self.versions[-1]

    def catch_up(self) -> None:
        """A majority gets all that the primary has."""
        self.holds_back = False
        self.majority = len(self.versions) - 1
        self._moved.set()

    def fail_over(self) -> None:
        """Another primary undoes what no majority had, and begins its own time."""
        time = self.latest[0]
        self.versions = self.versions[: self.majority + 1]
        self.versions.append((time + 1, self.latest[1]))
        self.catch_up()

    def commit(self, data: Documents) -> int:
        """Add a version; its time."""
        time = self.latest[0] + 1
        self.versions.append((time, data))
        if not self.holds_back:
            self.catch_up()
        return time

    async def majority_at(self, time: int, limit: float | None = LIMIT_SECONDS) -> None:
        """Wait until a majority has what the primary had at a time."""
        if self.follows_on_wait:
            self.catch_up()
        self.waiting += 1
        try:
            async with asyncio.timeout(limit):
                while self.versions[self.majority][0] < time:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError as late:
            raise DatabaseAway("a majority does not have it") from late
        finally:
            self.waiting -= 1


class FakeClient:
    """One process's connection; `behind` is the version of an old primary that it still asks."""

    def __init__(self, replica_set: ReplicaSet) -> None:
        self.replica_set = replica_set
        self.behind: int | None = None
        self.reads_outside_sessions = 0

    @property
    def delegate(self) -> SimpleNamespace:
        """The driver's own client, which sets no limit."""
        return SimpleNamespace(options=SimpleNamespace(timeout=None))

    def __getitem__(self, name: str) -> FakeDatabase:
        return FakeDatabase(self)

    async def start_session(self, *, causal_consistency: bool = True) -> FakeSession:
        return FakeSession(self.replica_set)

    async def majority(self, session: FakeSession | None) -> Documents:
        """What a majority read sees; in a session it is not older than the session's time."""
        replica_set = self.replica_set
        self.reads_outside_sessions += session is None
        if self.behind is not None:
            time, data = replica_set.versions[self.behind]
            if session is not None and session.operation_time > time:
                raise DatabaseAway("this member does not have it")
            return data
        if session is not None:
            await replica_set.majority_at(session.operation_time)
            session.operation_time = replica_set.versions[replica_set.majority][0]
        return replica_set.versions[replica_set.majority][1]


class FakeSession:
    """A causally consistent session, with at most one transaction."""

    def __init__(self, replica_set: ReplicaSet) -> None:
        self._replica_set = replica_set
        self.operation_time = 0
        self.in_transaction = False
        self.snapshot: Documents | None = None
        self.read_at = 0
        self.written: Documents = {}

    @property
    def delegate(self) -> FakeSession:
        """The driver's own session."""
        return self

    @property
    def cluster_time(self) -> int:
        """It only has to be there."""
        return self.operation_time

    def advance_cluster_time(self, time: int) -> None:
        """Nothing follows from it."""

    def advance_operation_time(self, time: int) -> None:
        self.operation_time = max(time, self.operation_time)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *problem: object) -> None:
        self.in_transaction = False

    def start_transaction(self, **concerns: Any) -> None:
        self.in_transaction, self.snapshot, self.written = True, None, {}

    async def abort_transaction(self) -> None:
        self.in_transaction = False

    async def commit_transaction(self) -> None:
        self.in_transaction = False
        time = self.read_at
        if any(self.written.values()):
            data = {name: dict(rows) for name, rows in self._replica_set.latest[1].items()}
            for name, rows in self.written.items():
                for key, row in rows.items():
                    if data.get(name, {}).get(key) != (self.snapshot or {}).get(name, {}).get(key):
                        raise conflict()
                    data.setdefault(name, {})[key] = row
            time = self._replica_set.commit(data)
        self.operation_time = max(time, self.operation_time)
        await self._replica_set.majority_at(time, limit=None)

    def data(self) -> Documents:
        """What a statement of the transaction sees."""
        time, latest = self._replica_set.latest
        if self.snapshot is None:
            self.snapshot, self.read_at = latest, time
        self.operation_time = max(time, self.operation_time)
        names = self.snapshot.keys() | self.written.keys()
        return {
            name: {**self.snapshot.get(name, {}), **self.written.get(name, {})} for name in names
        }


def conflict() -> DatabaseAway:
    """Another transaction was first."""
    return DatabaseAway("WriteConflict", ["TransientTransactionError"])


def forgotten() -> DatabaseAway:
    """The server does not know the transaction of a repeated commit any more."""
    return DatabaseAway("NoSuchTransaction", ["TransientTransactionError"])


class FakeDatabase:
    """The collections of one database."""

    def __init__(self, client: FakeClient) -> None:
        self.client = client

    def __getitem__(self, name: str) -> FakeCollection:
        return FakeCollection(self.client, name)

    def get_collection(self, name: str, **options: Any) -> FakeCollection:
        return FakeCollection(self.client, name)


class FakeCollection:
    """Documents by id; a deleted one is kept as an empty document."""

    def __init__(self, client: FakeClient, name: str) -> None:
        self._client = client
        self.name = name

    def find(
        self, wanted: Any, projection: Any = None, *, session: FakeSession | None = None
    ) -> FakeCursor:
        return FakeCursor(self, wanted, session)

    async def find_one(
        self, wanted: Any, *, session: FakeSession | None = None
    ) -> dict[str, Any] | None:
        return next(iter(await self.matching(wanted, session)), None)

    async def matching(self, wanted: Any, session: FakeSession | None) -> list[dict[str, Any]]:
        """The documents that match, as the session or a majority sees them."""
        if session is not None and session.in_transaction:
            return self._select(session.data(), wanted)
        return self._select(await self._client.majority(session), wanted)

    async def insert_one(self, row: Any, *, session: FakeSession | None = None) -> None:
        await self.insert_many([row], session=session)

    async def insert_many(
        self, rows: Any, *, ordered: bool = True, session: FakeSession | None = None
    ) -> None:
        def insert(transaction: FakeSession) -> None:
            there = transaction.data().get(self.name, {})
            for row in rows:
                if there.get(row["_id"]):
                    raise DuplicateKeyError("there is one")
                self._put(transaction, row["_id"], row)

        await self._write(session, insert)

    async def update_one(
        self, wanted: Any, change: Any, *, session: FakeSession | None = None
    ) -> Any:
        return await self._replace(wanted, lambda row: {**row, **change["$set"]}, session)

    async def update_many(self, wanted: Any, change: Any) -> None:
        for row in await self.matching(wanted, None):
            await self.update_one({"_id": row["_id"]}, change)

    async def replace_one(
        self, wanted: Any, row: Any, *, session: FakeSession | None = None
    ) -> Any:
        return await self._replace(wanted, lambda _: row, session)

    async def delete_one(self, wanted: Any, *, session: FakeSession | None = None) -> Any:
        return await self._replace(wanted, lambda _: {}, session)

    async def _replace(self, wanted: Any, change: Any, session: FakeSession | None) -> Any:
        def replace(transaction: FakeSession) -> SimpleNamespace:
            found = self._select(transaction.data(), wanted)[:1]
            for row in found:
                self._put(transaction, row["_id"], change(row))
            return SimpleNamespace(matched_count=len(found))

        return await self._write(session, replace)

    async def _write(self, session: FakeSession | None, step: Callable[[FakeSession], T]) -> T:
        if session is not None and session.in_transaction:
            return step(session)
        own = FakeSession(self._client.replica_set)
        own.start_transaction()
        result = step(own)
        await own.commit_transaction()
        if session is not None:
            session.advance_operation_time(own.operation_time)
        return result

    def _put(self, transaction: FakeSession, key: Any, row: dict[str, Any]) -> None:
        transaction.written.setdefault(self.name, {})[key] = copy.deepcopy(row)

    def _select(self, data: Documents, wanted: Any) -> list[dict[str, Any]]:
        rows = data.get(self.name, {}).values()
        return [copy.deepcopy(row) for row in rows if row and matches(row, wanted)]


class FakeCursor:
    """A find, before it is sent."""

    def __init__(self, collection: FakeCollection, wanted: Any, session: Any) -> None:
        self._collection = collection
        self._wanted = wanted
        self._session = session
        self._key = "_id"
        self._limit: int | None = None

    def sort(self, key: str, direction: int) -> FakeCursor:
        self._key = key
        return self

    def limit(self, number: int) -> FakeCursor:
        self._limit = number
        return self

    async def to_list(self, length: int | None) -> list[dict[str, Any]]:
        rows = await self._collection.matching(self._wanted, self._session)
        return sorted(rows, key=lambda row: str(row[self._key]))[: self._limit]

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for row in await self.to_list(None):
            yield row


_COMPARE = {
    "$gt": gt,
    "$gte": ge,
    "$lt": lt,
    "$lte": le,
    "$ne": ne,
    "$in": lambda there, among: there in among,
}


def matches(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a document matches a filter of equalities, ranges and choices."""
    for name, value in wanted.items():
        there = row.get(name)
        if not isinstance(value, dict):
            if there != value:
                return False
        elif (there is None and "$ne" not in value) or not all(
            _COMPARE[how](there, than) for how, than in value.items()
        ):
            return False
    return True
