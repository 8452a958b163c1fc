"""P10: rows become records with seals, beside the same database's plain inserts.

    PYTHONPATH=.:sdk python -m benchmarks.audit_ingest

The plain inserts write the same documents, with the same indexes, as many at once as audit saves
in a transaction. Audit besides verifies the signature of each row, marks it as applied and keeps
what it adds to usage. Beside that, as in the product once a second, records that are there get
their seals in the tree of their account, and their usage is added up.
"""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.load import cpu_seconds
from benchmarks.results import Goal, Result, Table
from deploy.programs.mongodb import database as database_server
from deploy.programs.program import Program
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.erased_people import PersonMarks
from services.audit.domain.records import record_of
from services.audit.migrations import RECORDS, SEALS, migrations
from services.audit.store import Store
from services.audit.store.records import document_of
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.ingest import ROWS_AT_ONCE, ROWS_IN_HAND, TRANSACTIONS, Ingest
from services.audit.use_cases.own_words import OwnWords
from services.audit.use_cases.sealing import RecordSealer
from services.audit.use_cases.usage_ledger import UsageLedger
from shared.bus import BusMessage
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.facts import Actor, ResourceRef, Row, shard_of
from shared.contracts.team import MemberRoleChanged
from shared.contracts.topology import AUDIT
from shared.ids import new_id
from shared.inbox import Inbox
from shared.indexes import build_indexes
from shared.migrations import migrate
from shared.mongo import Database, connect, majority
from tests.patience import PATIENT
from tests.services.rows import EPOCH, QuietSources, on_the_bus, row_of
from tests.support.journal_keys import signer, verifier

ROWS, ROUNDS, AT_ONCE = 4_000, 5, ROWS_AT_ONCE
SEALED_AT_ONCE = 1_000
"""The rows that are recorded while as many before them are sealed: those of about a second."""
HALF = 0.5
MEMBER = MemberRoleChanged(
    account_name="Acme",
    user_id="usr_bo",
    email="bo@example.com",
    name="Bo Li",
    role="developer",
    previous_role="admin",
    role_title="Developer",
    ends_sessions=False,
)
BUS = (
    f"The bus hands audit {ROWS_IN_HAND} messages at once, and a transaction has {ROWS_AT_ONCE} of"
    f" their rows; {TRANSACTIONS} run side by side. A plain insert writes as many documents."
)
SEALED = (
    f"While {SEALED_AT_ONCE:,} rows are recorded, as many before them are sealed, and the trees of"
    " their accounts signed: what the product does once a second."
)
MACHINE = (
    "Audit runs in one process, beside the database on the same machine. The plain inserts come one"
    " after the other."
)
NOTES = (BUS, SEALED, MACHINE)


@dataclass
class Site:
    """Audit on a database of its own."""

    database: Database
    pid: int
    """The process of the database."""
    inbox: Inbox
    sealer: RecordSealer
    usage: UsageLedger
    unsealed: Sequence[Row] = ()
    """The rows that were recorded last."""

    async def ingest(self, messages: Sequence[BusMessage]) -> None:
        """Record the rows of these messages, as many at once as the bus hands over."""
        left = iter(messages)

        async def take() -> None:
            for message in left:
                await self.inbox.handle(message)

        await asyncio.gather(*(take() for _ in range(ROWS_IN_HAND)))

    async def record(self, rows: Sequence[Row], messages: Sequence[BusMessage]) -> None:
        """Record rows; beside it seal as many that were recorded before, and add up usage.

        The last `SEALED_AT_ONCE` rows of before are sealed first, and those of now are left.
        """
        for start in range(0, len(rows), SEALED_AT_ONCE):
            part = slice(start, start + SEALED_AT_ONCE)
            await asyncio.gather(self.ingest(messages[part]), self.seal(self.unsealed))
            self.unsealed = rows[part]
        await self.usage.fold()

    async def seal(self, rows: Sequence[Row]) -> None:
        """Seal them; the reconciler has found that they are whole."""
        if not rows:
            return
        low: dict[str, int] = {}
        for row in rows:
            low[str(row.shard)] = max(row.seq, low.get(str(row.shard), 0))
        marks = {"$set": {"epoch": EPOCH, "low": low}}
        await self.database["inbox_marks"].update_one({"_id": "team"}, marks, upsert=True)
        await self.sealer.round()

    async def insert(self, rows: Sequence[Row]) -> None:
        """Insert the documents of these rows in a copy of the collection."""
        now = SystemClock().now()
        copy = majority(self.database, "plain")
        documents = [document_of(record_of(row, recorded_at=now)) for row in rows]
        for start in range(0, len(documents), AT_ONCE):
            await copy.insert_many(documents[start : start + AT_ONCE])


@asynccontextmanager
async def site(server: Program, folder: Path) -> AsyncIterator[Site]:
    """Audit without its ports."""
    client = connect(server.url, app_name="benchmark", timeouts=PATIENT)
    database, clock, bus = client["measured"], SystemClock(), LocalBus()
    await migrate(database, migrations(signer("audit")), clock=clock)
    own = [index for index in (*RECORDS, *SEALS) if index.collection == "records"]
    await build_indexes(database, *(replace(index, collection="plain") for index in own))
    store = Store(database)
    ctx: Any = SimpleNamespace(ingest=Ingest(client, store, clock, marks=PersonMarks(b"benchmark")))
    inbox = Inbox(
        client,
        database,
        bus=bus,
        queue=AUDIT,
        sources=AUDIT.sources,
        internal=QuietSources(),  # type: ignore[arg-type]
        verifier=verifier(),
        subscriptions=SUBSCRIPTIONS,
        ctx=ctx,
        clock=clock,
    )
    key = CheckpointSigner(Ed25519PrivateKey.generate(), public_url="https://iam.example.com")
    words = OwnWords(store, verifier())
    sealer = RecordSealer(client, store, key, CheckpointFiles(folder), clock, words=words)
    yield Site(database, server.pid, inbox, sealer, UsageLedger(client, store))
    await bus.close()
    client.close()


def rows_of(accounts: int, last: Counter[int], number: int) -> list[Row]:
    """Rows of some accounts in turn, the next ones of their shards, which have no gaps.

    `last` has the last row of each shard.
    """
    chosen = [f"acc_{each:032x}" for each in range(accounts)]
    first = last.total()
    return [
        row_of(
            MEMBER,
            account_id=chosen[each % accounts],
            seq=_next(last, shard_of(chosen[each % accounts])),
            shard=shard_of(chosen[each % accounts]),
            actor=Actor(type="user", id=f"usr_{each % 50:032x}"),
            resource=ResourceRef(type="member", id=new_id("usr"), name="Bo Li"),
            before={"role": "developer"},
        )
        for each in range(first, first + number)
    ]


def _next(last: Counter[int], shard: int) -> int:
    last[shard] += 1
    return last[shard]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What records, or documents, take: the time of each, and the database's CPU."""

    seconds: float
    cpu: float


async def measure(site: Site, *, rows: int, rounds: int) -> list[tuple[Found, Found, Found]]:
    """In turn: insert documents; record rows; record rows, seal and add up."""
    found = []
    last: Counter[int] = Counter()
    for _ in range(rounds):
        first, second = rows_of(20, last, rows), rows_of(20, last, rows)
        # Their sources sign them.
        messages, others = list(map(on_the_bus, first)), list(map(on_the_bus, second))
        inserted = await spent(site, rows, site.insert(first))
        recorded = await spent(site, rows, site.ingest(messages))
        await site.seal([*site.unsealed, *first[:-SEALED_AT_ONCE]])
        await site.usage.fold()
        site.unsealed = first[-SEALED_AT_ONCE:]
        found.append((inserted, recorded, await spent(site, rows, site.record(second, others))))
    return found


async def spent(site: Site, rows: int, done: Awaitable[None]) -> Found:
    """What a row takes."""
    began, cpu = time.perf_counter(), cpu_seconds([site.pid])
    await done
    seconds, cpu = time.perf_counter() - began, cpu_seconds([site.pid]) - cpu
    return Found(seconds=seconds / rows, cpu=cpu / rows)


async def measured(rows: int, rounds: int) -> list[tuple[Found, Found, Found]]:
    """Measure on a new database."""
    with tempfile.TemporaryDirectory() as folder:
        database = database_server(Path(folder) / "database")
        database.start()
        try:
            async with site(database, Path(folder) / "checkpoints") as audit:
                return await measure(audit, rows=rows, rounds=rounds)
        finally:
            database.stop()


def run(*, short: bool = False) -> Result:
    """Measure; `short` says little."""
    found = asyncio.run(measured(SEALED_AT_ONCE if short else ROWS, 1 if short else ROUNDS))
    inserted, recorded, sealed = (
        Found(
            seconds=statistics.median(each[at].seconds for each in found),
            cpu=statistics.median(each[at].cpu for each in found),
        )
        for at in range(3)
    )
    reached = inserted.seconds / sealed.seconds
    return Result(
        "Audit records, beside plain inserts of the same database",
        "python -m benchmarks --only audit_ingest",
        tables=[
            Table(
                ("", "records/s", "beside the inserts", "CPU of the database for one, µs"),
                [
                    (label, 1 / of.seconds, inserted.seconds / of.seconds, of.cpu * 1e6)
                    for label, of in (
                        (f"plain inserts of {AT_ONCE} documents", inserted),
                        ("rows recorded", recorded),
                        ("rows recorded, sealed and signed, their usage added up", sealed),
                    )
                ],
            )
        ],
        goals=[
            Goal(
                "P10",
                "audit records, committed and sealed, beside plain inserts",
                f"{reached:.2f} of them, {1 / sealed.seconds:,.0f}/s",
                f"at least {HALF}",
                reached=reached >= HALF,
            )
        ],
        notes=NOTES,
    )


if __name__ == "__main__":
    print(run().markdown())
