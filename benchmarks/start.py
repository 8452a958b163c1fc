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
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, cast

from pydantic import SecretStr

from benchmarks.load import cpu_seconds, pin
from benchmarks.replica import HEAD, SHARDS, LoadedSource
from benchmarks.results import Goal, Result, Table
from benchmarks.store import SIZE, Catalogs, StoredDatabase, documents
from services.authz.domain.policy_state import PolicyState
from services.team.store import PolicySnapshot
from services.team.store.catalogs import CatalogRows
from shared.auth.keys import ServiceKeys, generate_service_keys
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.contracts.topology import Service
from shared.following.journal_view import JournalView
from shared.following.snapshot import load_snapshot
from shared.http.client import InternalClient
from shared.http.internal import internal_route
from shared.http.routes import Call, Reply, Route
from shared.journal import Snapshot
from shared.journal.snapshot import page_text
from shared.mongo import Database, DbSession, Document, IndexModel, connect
from shared.runtime.service import event_loop
from tests.patience import PATIENT
from tests.servers import mongo_server

MEMBERS, OF_DATABASE, HEADS = 200_000, 10_000, dict.fromkeys(range(SHARDS), HEAD)
GOAL = 100_000
PAGE, PAGE_SECONDS = 2_000, 60.0
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


class TeamSource(LoadedSource):
    """A source that reads its snapshot as team does."""

    snapshots: Snapshot

    def routes(self) -> tuple[Route, ...]:
        """Team's handler in place of the one in memory."""

        async def page(ctx: object, call: Call[None, SnapshotQuery]) -> Reply:
            return Reply(body=page_text(await self.snapshots.page(call.query.cursor)))

        others = [route for route in super().routes() if route.operation_id != SNAPSHOT.name]
        return (*others, internal_route(SNAPSHOT, page))


async def serve(at: Connection, keys: ServiceKeys, members: int, url: str | None) -> None:
    """Serve a snapshot with this number of members until the process is ended."""
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
