"""P6: the start of a replica, the whole way: team's snapshot over HTTP into the state.

The source is a process with team's own code for a snapshot. Its documents are in memory as BSON, so
that no database is measured, and then in the database of the tests.

    PYTHONPATH=.:sdk python -m benchmarks.start
"""

import asyncio
import gc
import multiprocessing
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, cast

import bson
from bson.codec_options import CodecOptions
from pydantic import SecretStr
from pymongo import IndexModel

from benchmarks.load import cpu_seconds, pin
from benchmarks.replica import HEAD, SHARDS, LoadedSource
from benchmarks.results import Goal, Result, Table
from benchmarks.workload import CATALOG, ROLES
from rolecall import AccountKind, AccountStatus
from services.authz.domain.policy_state import PolicyState
from services.team.domain.accounts import Account
from services.team.domain.catalogs import catalog_object
from services.team.domain.members import Membership
from services.team.store import PolicySnapshot
from services.team.store.catalogs import CatalogRows
from services.team.store.policy_documents import policy_document
from shared.auth.keys import ServiceKeys, generate_service_keys
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject
from shared.contracts.topology import Service
from shared.following.journal_view import JournalView
from shared.following.snapshot import load_snapshot
from shared.http.client import InternalClient
from shared.http.internal import internal_route
from shared.http.routes import Call, Route
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.journal.snapshot import Snapshot
from shared.mongo import Database, DbSession, Document, connect
from shared.runtime.service import event_loop
from tests.patience import PATIENT
from tests.servers import mongo_server

MEMBERS, OF_DATABASE, SIZE, HEADS = 200_000, 10_000, 50, dict.fromkeys(range(SHARDS), HEAD)
GOAL = 100_000
PAGE, PAGE_SECONDS = 2_000, 60.0
COLLECTIONS = ("accounts", "members", "projects", "overrides", "resources")
NOTE = (
    "The whole way that an operator waits for: team reads and checks documents and writes pages,"
    " the replica asks for one page while it takes the one before. SecantusDB sorts all rows of"
    " the asked shards for each page; its time says nothing about mongod."
)


class Started(NamedTuple):
    """A start: what its source reads, members, seconds, and the CPU of both for a member, in µs."""

    reads: str
    members: int
    seconds: float
    source: float
    replica: float


def _named(row: Document, names: Sequence[str] | None) -> Document:
    return row if names is None else {name: row[name] for name in ("_id", *names)}


def documents(members: int) -> Iterator[tuple[str, Document]]:
    """The documents of team, by collection: accounts of `SIZE` members."""
    now = datetime.now(UTC)
    for _ in range(members // SIZE):
        account_id, owner = AccountId(new_id("acc")), UserId(new_id("usr"))
        account = Account(
            account_id=account_id,
            kind=AccountKind.TEAM,
            status=AccountStatus.ACTIVE,
            name="Engines",
            owner_user_id=owner,
            catalog=CATALOG.id,
            account_rev=1,
            created_at=now,
        )
        yield (
            "accounts",
            policy_document(account, key=account_id, account_id=account_id, rev=HEAD),
        )
        for number in range(SIZE):
            user_id = owner if number == 0 else UserId(new_id("usr"))
            member = Membership(
                account_id=account_id,
                user_id=user_id,
                membership_id=MembershipId(new_id("mem")),
                role=ROLES[number % len(ROLES)],
                email=f"member.{number}@example.com",
                email_key=f"member.{number}@example.com",
                name=f"Member {number}",
                joined_at=now,
            )
            key = f"{account_id}/{user_id}"
            yield "members", policy_document(member, key=key, account_id=account_id, rev=HEAD)


class StoredRows:
    """A collection in memory, which sends BSON; it knows the queries of a snapshot."""

    def __init__(self, rows: Sequence[Document]) -> None:
        self._rows = {str(row["_id"]): row for row in rows}
        self._ids: dict[tuple[int | None, ...], list[str]] = {}
        self._sent: dict[str, bytes] = {}

    def find(
        self, wanted: Mapping[str, Any], names: Sequence[str] | None, *, session: object
    ) -> "Found":
        """The rows of these shards after an id, in its order, with the fields of these names."""
        shards = tuple(wanted["shard"]["$in"])
        if shards not in self._ids:
            found = sorted(key for key, row in self._rows.items() if row["shard"] in shards)
            self._ids[shards] = found
            self._sent |= {key: bson.encode(_named(self._rows[key], names)) for key in found}
        ids = self._ids[shards]
        return Found(ids, bisect_right(ids, wanted["_id"]["$gt"]), self._sent)


class Found(NamedTuple):
    """The rows that a query found."""

    ids: Sequence[str]
    first: int
    sent: Mapping[str, bytes]

    def sort(self, *_: object) -> "Found":
        """They are in the order of their ids."""
        return self

    def limit(self, _: int) -> "Found":
        """`to_list` has it."""
        return self

    async def to_list(self, count: int) -> list[dict[str, Any]]:
        """The first rows, as the driver reads them."""
        options = CodecOptions[dict[str, Any]](tz_aware=True)
        ids = self.ids[self.first : self.first + count]
        return [bson.decode(self.sent[key], options) for key in ids]


class StoredDatabase:
    """The collections in memory."""

    def __init__(self, rows: Mapping[str, Sequence[Document]]) -> None:
        self._collections = {name: StoredRows(rows.get(name, ())) for name in COLLECTIONS}

    def get_collection(self, name: str, **_: object) -> StoredRows:
        """One of them."""
        return self._collections[name]


class Catalogs:
    """The one published catalog."""

    async def catalog_objects(
        self, session: DbSession, *, after: str, limit: int
    ) -> list[PolicyObject]:
        """It, on the first page."""
        return [] if after else [catalog_object(CATALOG.id, CATALOG.to_mapping(), rev=HEAD)]


class TeamSource(LoadedSource):
    """A source that reads its snapshot as team does."""

    snapshots: Snapshot

    def routes(self) -> tuple[Route, ...]:
        """Team's handler in place of the one in memory."""

        async def page(ctx: object, call: Call[None, SnapshotQuery]) -> SnapshotPage:
            return await self.snapshots.page(call.query.cursor)

        others = [route for route in super().routes() if route.operation_id != SNAPSHOT.name]
        return (*others, internal_route(SNAPSHOT, page))


async def serve(at: Connection, keys: ServiceKeys, members: int, url: str | None) -> None:
    """Serve the snapshot of so many members until the process is ended."""
    rows: dict[str, list[Document]] = {}
    for name, document in documents(members):
        rows.setdefault(name, []).append(document)
    if url is None:
        database: Database = cast("Database", StoredDatabase(rows))
    else:
        database = connect(url, app_name="benchmark", timeouts=PATIENT)["start"]
        for name, stored in rows.items():
            await database[name].create_indexes([IndexModel([("shard", 1), ("_id", 1)])])
            for first in range(0, len(stored), PAGE):
                await database[name].insert_many(stored[first : first + PAGE])
    clock = SystemClock()
    source = TeamSource("team", keys=keys, jwks={}, clock=clock, bus=LocalBus())
    source.store.journal_heads |= HEADS
    read = PolicySnapshot(database, cast("CatalogRows", Catalogs())).read
    source.snapshots = Snapshot("team", source.store, read)
    place: str | None = ""
    while place is not None:  # once before, so that the rows are encoded and the code is warm
        _, place = await read(place, cast("DbSession", None))
    gc.freeze()
    at.send(await source.start())
    await asyncio.Event().wait()


def child(at: Connection, keys: ServiceKeys, members: int, url: str | None) -> None:
    """The process of the source."""
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(serve(at, keys, members, url))


async def load(keys: ServiceKeys, url: str) -> PolicyState:
    """What a replica does at its start."""
    internal = InternalClient(
        service=Service.AUTHZ,
        key=SecretStr(keys.private[Service.AUTHZ]),
        urls={Service.TEAM: (url,)},
        clock=SystemClock(),
    )
    state = PolicyState()
    await load_snapshot(internal, Service.TEAM, JournalView(state), page_seconds=PAGE_SECONDS)
    await internal.close()
    return state


def started(members: int, *, url: str | None = None) -> Started:
    """One start, with the source on one core and the replica on the other.

    Raises:
        SystemExit: an account is missing.
    """
    keys = generate_service_keys(tuple(Service))
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=child, args=(there, keys, members, url), daemon=True)
    process.start()
    try:
        source_url = here.recv()
        pid = process.pid or 0
        pin([pid])
        spent, own, began = cpu_seconds([pid]), time.process_time(), time.perf_counter()
        with asyncio.Runner(loop_factory=event_loop) as runner:
            state = runner.run(load(keys, source_url))
        took, replica = time.perf_counter() - began, time.process_time() - own
        source = cpu_seconds([pid]) - spent
    finally:
        process.terminate()
        process.join()
    if len(state.account_ids()) != members // SIZE:
        raise SystemExit(f"{len(state.account_ids())} accounts were loaded.")
    reads = "documents in memory" if url is None else "the database of the tests"
    each = 1e6 / members
    return Started(reads, members, took, source * each, replica * each)


def run(members: int = MEMBERS) -> Result:
    """Measure."""
    found = [started(members)]
    with tempfile.TemporaryDirectory() as name, mongo_server(Path(name)) as url:
        found.append(started(min(members, OF_DATABASE), url=url))
    return result(found)


def result(found: Sequence[Started]) -> Result:
    """What was found, with the goal."""
    first, *_ = found
    rate = first.members / first.seconds
    return Result(
        "The start of a replica, over HTTP",
        "python -m benchmarks --only start",
        tables=[
            Table(
                (
                    "team's source reads",
                    "members",
                    "members/s",
                    "a million, s",
                    "CPU of the source, µs a member",
                    "CPU of the replica, µs a member",
                ),
                [
                    (
                        each.reads,
                        each.members,
                        each.members / each.seconds,
                        each.seconds / each.members * 1e6,
                        each.source,
                        each.replica,
                    )
                    for each in found
                ],
            )
        ],
        goals=[
            Goal(
                "P6",
                "members that a replica loads from team over HTTP, the database set apart",
                f"{rate:,.0f}/s",
                f"at least {GOAL:,}/s",
                rate >= GOAL,
            )
        ],
        notes=[NOTE],
    )


if __name__ == "__main__":
    print(run().markdown())
