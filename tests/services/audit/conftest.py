"""Audit on a real database, its inbox fed by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from deploy.configuration import Addresses, environment
from deploy.programs.program import free_port
from services.audit.app import build
from services.audit.migrations import migrations
from services.audit.settings import Settings
from services.audit.store import Store
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.ingest import Ingest
from services.audit.use_cases.usage_ledger import UsageLedger
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.facts import Row
from shared.contracts.topology import AUDIT, Service
from shared.inbox import Inbox
from shared.journal import Journal
from shared.journal.relay import Relay
from shared.migrations import migrate
from shared.mongo import connect
from shared.runtime.listeners import listen
from shared.timeouts import Timeouts
from tests.patience import PATIENT
from tests.services.audit.sealed_site import signer as checkpoint_signer
from tests.services.audit.site import MARKS, PUBLIC_URL, AuditApi, StandIns
from tests.services.audit.streams import LOOPBACK, stream_parts
from tests.services.rows import EPOCH, QuietSources, on_the_bus
from tests.support.journal_keys import generated_secrets, signer, verifier

if TYPE_CHECKING:
    from shared.mongo import Database, DbClient


class MovedClock(SystemClock):
    """The system clock, moved ahead by hand."""

    def __init__(self):
        self.ahead = timedelta(0)

    def now(self):
        return super().now() + self.ahead


class AllowingChecker:
    """A decision that every reader may read."""

    async def check(self, *asked, **named):
        return

    async def check_live(self, principal):
        return


@dataclass
class SaidProgress:
    """Says how far the sources are recorded, as a test has it."""

    rows: dict[str, tuple[str, dict[int, int]]] = field(default_factory=dict)
    complete_until: datetime | None = None

    def applied(self) -> dict[str, tuple[str, dict[int, int]]]:
        return self.rows

    def compare_soon(self) -> None:
        return


@dataclass
class Auditing:
    """Audit on a real database, its inbox fed by hand."""

    ctx: Ctx
    clock: MovedClock
    client: DbClient
    database: Database
    bus: LocalBus
    progress: SaidProgress

    @property
    def inbox(self) -> Inbox:
        """The inbox of another replica with each call; they share only the database."""
        return Inbox(
            self.client,
            self.database,
            bus=self.bus,
            queue=AUDIT,
            sources=AUDIT.sources,
            internal=QuietSources(),  # type: ignore[arg-type]
            verifier=verifier(),
            subscriptions=SUBSCRIPTIONS,
            ctx=self.ctx,
            clock=self.clock,
        )

    def use_store(self, store: Store, **more: Any) -> None:
        """Ingest into this store from now on; `more` is for the ingest."""
        ingest = Ingest(self.client, store, self.clock, marks=MARKS, **more)
        self.ctx = replace(self.ctx, store=store, ingest=ingest)

    async def take(self, *rows: Row) -> None:
        inbox = self.inbox
        for row in rows:
            await inbox.handle(on_the_bus(row))

    async def all(self, collection: str) -> list[dict[str, Any]]:
        return [document async for document in self.database[collection].find({})]


async def make_auditing(mongo_url: str, database_name: str) -> Auditing:
    """Audit on a database, as one process has it."""
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    clock = MovedClock()
    bus = LocalBus(timeouts=PATIENT)
    relay = Relay(database, bus, holder="tests", clock=clock)
    journal = Journal(
        client,
        database,
        source="audit",
        signer=signer("audit"),
        relay=relay,
        clock=clock,
        timeouts=PATIENT,
    )
    await migrate(database, migrations(signer("audit")), clock=SystemClock())
    await journal.start()
    store = Store(database)
    progress = SaidProgress()
    ctx = Ctx(
        store=store,
        signer=checkpoint_signer(),
        ingest=Ingest(client, store, clock, marks=MARKS),
        usage=UsageLedger(client, store),
        journal=journal,
        clock=clock,
        internal=QuietSources(),  # type: ignore[arg-type]
        checker=AllowingChecker(),
        complete_until=lambda: progress.complete_until,
        inbox=lambda: progress,
        streams=stream_parts(clock),
    )
    return Auditing(
        ctx=ctx, clock=clock, client=client, database=database, bus=bus, progress=progress
    )


@pytest_asyncio.fixture(loop_scope="module")
async def auditing(mongo_url, database_name) -> AsyncIterator[Auditing]:
    auditing = await make_auditing(mongo_url, database_name)
    yield auditing
    await auditing.ctx.streams.posts.close()
    await auditing.bus.close()
    auditing.client.close()


@pytest.fixture
def timeouts() -> Timeouts:
    """A slow machine must not make a decision late."""
    return PATIENT


@pytest_asyncio.fixture(loop_scope="module")
async def api(mongo_url, database_name, monkeypatch, timeouts) -> AsyncIterator[AuditApi]:
    others = StandIns()
    runner = web.AppRunner(others.application())
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    at = Addresses(
        mongo_url=mongo_url,
        amqp_url="memory://",
        public_url=PUBLIC_URL,
        internal_urls={name: [f"http://127.0.0.1:{port}"] for name in Service},
        smtp_host="127.0.0.1",
        smtp_port=25,
    )
    options = {"mongo_database": database_name, "stream_networks": json.dumps(LOOPBACK)}
    # The stand-in tells the same epoch for every source, audit among them.
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    await client[database_name]["heads"].insert_one({"_id": "epoch", "epoch": EPOCH})
    for name, value in environment(
        "audit", given=generated_secrets(), at=at, options=options
    ).items():
        monkeypatch.setenv(name, value)
    bus = LocalBus(timeouts=timeouts)
    service = build(Settings(), bus=bus, timeouts=timeouts)
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    async with aiohttp.ClientSession() as http:
        yield AuditApi(service, others, bus, http, client[database_name])
    client.close()
    others.silent = False
    await service.stop()
    await bus.close()
    await runner.cleanup()
