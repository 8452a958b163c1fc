"""Audit on a real database, its inbox fed by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.audit.migrations import migrate
from services.audit.store import Records
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.ingest import Ingest
from shared.bus import BusMessage
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.topology import AUDIT
from shared.inbox import Inbox
from shared.journal import Journal
from shared.journal.relay import Relay
from shared.mongo import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.contracts.facts import Row
    from shared.mongo import Database, DbClient


class MovedClock(SystemClock):
    """The system clock, moved ahead by hand."""

    def __init__(self):
        self.ahead = timedelta(0)

    def now(self):
        return super().now() + self.ahead


def on_the_bus(row: Row) -> BusMessage:
    return BusMessage(
        id=row.id,
        type=row.type,
        source=row.source,
        epoch=row.epoch,
        shard=row.shard,
        seq=row.seq,
        body=row.to_event(),
    )


@dataclass
class Auditing:
    """Audit on a real database, its inbox fed by hand."""

    ctx: Ctx
    clock: MovedClock
    client: DbClient
    database: Database
    bus: LocalBus

    @property
    def inbox(self) -> Inbox:
        """The inbox of another replica with each call; they share only the database."""
        return Inbox(
            self.client,
            self.database,
            bus=self.bus,
            queue=AUDIT,
            sources=AUDIT.sources,
            internal=None,  # type: ignore[arg-type]
            subscriptions=SUBSCRIPTIONS,
            ctx=self.ctx,
            clock=self.clock,
        )

    def use_records(self, records: Records) -> None:
        """Ingest into these records from now on."""
        ingest = Ingest(self.client, records, self.clock)
        self.ctx = replace(self.ctx, records=records, ingest=ingest)

    async def take(self, *rows: Row) -> None:
        inbox = self.inbox
        for row in rows:
            await inbox.handle(on_the_bus(row))

    async def all(self, collection: str) -> list[dict[str, Any]]:
        return [document async for document in self.database[collection].find({})]


@pytest.fixture
async def auditing(mongo_url, database_name) -> AsyncIterator[Auditing]:
    client = connect(mongo_url, app_name="tests")
    database = client[database_name]
    clock = MovedClock()
    bus = LocalBus()
    relay = Relay(database, bus, holder="tests", clock=clock)
    journal = Journal(client, database, source="audit", relay=relay, clock=clock)
    await migrate(database)
    await journal.start()
    records = Records(database)
    ctx = Ctx(
        records=records,
        ingest=Ingest(client, records, clock),
        journal=journal,
        clock=clock,
        complete_until=lambda: None,
    )
    yield Auditing(ctx=ctx, clock=clock, client=client, database=database, bus=bus)
    await bus.close()
    client.close()
