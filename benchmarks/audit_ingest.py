"""P10: rows become records with seals, beside the same database's plain inserts.

    PYTHONPATH=.:sdk python -m benchmarks.audit_ingest

The plain inserts write the same documents, with the same indexes, as many at once as audit has
messages in hand. Audit besides verifies the signature of each row, marks it as applied and adds
its usage up, all in one transaction, and then appends the record to the tree of its account.
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

from benchmarks.results import Goal, Result, Table
from deploy.programs.mongodb import database as database_server
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.erased_people import PersonMarks
from services.audit.domain.records import record_of
from services.audit.migrations import RECORDS, SEALS, migrations
from services.audit.store import Store
from services.audit.store.records import document_of
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.ingest import Ingest
from services.audit.use_cases.own_words import OwnWords
from services.audit.use_cases.sealing import RecordSealer
from shared.bus import BusMessage
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.facts import Actor, ResourceRef, Row, shard_of
from shared.contracts.team import MemberRemoved
from shared.contracts.topology import AUDIT
from shared.ids import new_id
from shared.inbox import Inbox
from shared.indexes import build_indexes
from shared.migrations import migrate
from shared.mongo import Database, connect, majority
from tests.patience import PATIENT
from tests.services.rows import EPOCH, QuietSources, on_the_bus, row_of
from tests.support.journal_keys import signer, verifier

ROWS, ROUNDS, AT_ONCE = 2_000, 3, 64
HALF = 0.5
MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)
NOTES = (
    f"The bus hands audit {AT_ONCE} messages at once. A plain insert writes as many documents.",
    "All of it runs in one process, and beside the database on the same machine.",
)


@dataclass(frozen=True)
class Site:
    """Audit on a database of its own."""

    database: Database
    inbox: Inbox
    sealer: RecordSealer

    async def ingest(self, messages: Sequence[BusMessage]) -> None:
        """Record the rows of these messages, as many at once as the bus hands over."""
        left = iter(messages)

        async def take() -> None:
            for message in left:
                await self.inbox.handle(message)

        await asyncio.gather(*(take() for _ in range(AT_ONCE)))

    async def seal(self, rows: Sequence[Row]) -> None:
        """Seal them; the reconciler has found that they are whole."""
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
async def site(url: str, folder: Path) -> AsyncIterator[Site]:
    """Audit without its ports."""
    client = connect(url, app_name="benchmark", timeouts=PATIENT)
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
    yield Site(database, inbox, sealer)
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


@dataclass(frozen=True)
class Found:
    """Records in a second."""

    inserted: float
    recorded: float
    sealed: float
    """With the seals: the recording and the sealing, one after the other."""


async def measure(site: Site, *, rows: int, rounds: int) -> list[Found]:
    """Insert, record and seal in turn."""
    found = []
    last: Counter[int] = Counter()
    for _ in range(rounds):
        new = rows_of(20, last, rows)
        messages = [on_the_bus(row) for row in new]  # their sources sign them
        inserted = await timed(site.insert(new))
        recorded = await timed(site.ingest(messages))
        sealed = recorded + await timed(site.seal(new))
        found.append(Found(rows / inserted, rows / recorded, rows / sealed))
    return found


async def timed(done: Awaitable[None]) -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    await done
    return time.perf_counter() - began


async def measured(rows: int, rounds: int) -> list[Found]:
    """Measure on a new database."""
    with tempfile.TemporaryDirectory() as folder:
        database = database_server(Path(folder) / "database")
        database.start()
        try:
            async with site(database.url, Path(folder) / "checkpoints") as audit:
                return await measure(audit, rows=rows, rounds=rounds)
        finally:
            database.stop()


def run(*, short: bool = False) -> Result:
    """Measure; `short` says little."""
    found = asyncio.run(measured(200 if short else ROWS, 1 if short else ROUNDS))
    inserted, recorded, sealed = (
        statistics.median(getattr(each, name) for each in found)
        for name in ("inserted", "recorded", "sealed")
    )
    return Result(
        "Audit records, beside plain inserts of the same database",
        "python -m benchmarks --only audit_ingest",
        tables=[
            Table(
                ("", "records/s", "beside the inserts"),
                [
                    (f"plain inserts of {AT_ONCE} documents", inserted, 1.0),
                    ("rows recorded", recorded, recorded / inserted),
                    ("rows recorded, then sealed and signed", sealed, sealed / inserted),
                ],
            )
        ],
        goals=[
            Goal(
                "P10",
                "audit records, committed and sealed, beside plain inserts",
                f"{sealed / inserted:.2f} of them, {sealed:,.0f}/s",
                f"at least {HALF}",
                reached=sealed >= HALF * inserted,
            )
        ],
        notes=NOTES,
    )


if __name__ == "__main__":
    print(run().markdown())
