"""A source with a real journal, a service with an inbox, and what its subscriber did."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from shared.bus.local import LocalBus
from shared.clock import Clock, SystemClock
from shared.contracts.calls.base import InternalCall
from shared.contracts.calls.journal import (
    CHANGES,
    CONFIRM,
    HEADS,
    Changes,
    ChangesQuery,
    ConfirmedRows,
    Heads,
)
from shared.contracts.team import ProjectCreated
from shared.contracts.topology import AUDIT
from shared.inbox import INDEXES as INBOX_INDEXES
from shared.inbox import AppliedMark, Inbox
from shared.indexes import build_indexes
from shared.journal import INDEXES, Journal, Restores
from shared.journal.relay import Relay
from shared.mongo import Database, DbClient, DbSession, connect, transact
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.support.journal_keys import signer, verifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from shared.contracts.facts import JournalHeads, Row


class Later(SystemClock):
    """Ahead of the rows: the reconciler does not leave them to the bus."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=5)


class JournalCalls:
    """Answers the internal calls of a source from a real journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.away = False
        self.epoch_of_changes = ""
        self.restores: Restores | None = None
        self.heads: JournalHeads | None = None
        """Heads of an earlier moment, which it answers instead of those of now."""
        self.confirmed: list[ConfirmedRows] = []

    async def call(
        self,
        call: InternalCall[Any, Any],
        callee: str,
        query: ChangesQuery | ConfirmedRows | None = None,
        /,
    ) -> Heads | Changes | None:
        if self.away:
            raise Unavailable
        if query is None:
            assert call is HEADS
            now = self.heads or await self.journal.heads()
            former = [] if self.restores is None else self.restores.former
            return Heads(
                source=callee,
                epoch=now.epoch,
                heads=now.seqs,
                digests=now.digests,
                former=former,
                trimmed=dict(now.trimmed),
                trimmed_signatures=dict(now.trimmed_signatures),
            )
        if isinstance(query, ConfirmedRows):
            assert call is CONFIRM
            self.confirmed.append(query)
            return None
        assert call is CHANGES
        return await self.changes(query)

    async def changes(self, query: ChangesQuery) -> Changes:
        place = {"after": query.after, "limit": query.limit}
        if query.epoch is None or self.restores is None:
            page = await self.journal.changes(query.shard, **place)
        else:
            page = await self.restores.changes(query.epoch, query.shard, **place)
        items = [signed.event.decode() for signed in page]
        signatures = [signed.signature for signed in page]
        epoch = self.epoch_of_changes or query.epoch or self.journal.epoch
        return Changes(source=self.journal.source, epoch=epoch, items=items, signatures=signatures)


class Effects:
    """What the subscriber did, in the database; and how it is made to fail."""

    def __init__(self, client: DbClient, database: Database) -> None:
        self.client = client
        self.names = database["names"]
        self.fails: dict[str, Exception] = {}
        self.calls = 0

    async def saw(self) -> list[str]:
        return sorted([document["name"] async for document in self.names.find({})])


async def remember(ctx: Effects, row: Row, applied_mark: AppliedMark) -> None:
    """The subscriber: it stores the name of the fact's resource."""
    ctx.calls += 1
    if row.resource.id in ctx.fails:
        raise ctx.fails[row.resource.id]

    async def change(session: DbSession) -> None:
        await applied_mark(session)
        await ctx.names.insert_one({"name": row.resource.name}, session=session)

    await transact(ctx.client, change)


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


async def journal_in(client: DbClient, name: str, *, source: str = "team") -> Journal:
    """A new journal of a source, with an epoch of its own."""
    database = client[name]
    relay = Relay(database, LocalBus(timeouts=PATIENT), holder="tests", clock=SystemClock())
    journal = Journal(
        client,
        database,
        source=source,
        signer=signer(source),
        relay=relay,
        clock=SystemClock(),
        timeouts=PATIENT,
    )
    await build_indexes(database, *INDEXES)
    await journal.start()
    return journal


@pytest.fixture
async def journal(client: DbClient, database_name: str) -> Journal:
    return await journal_in(client, f"{database_name}_source")


@pytest.fixture
def calls(journal: Journal) -> JournalCalls:
    return JournalCalls(journal)


@pytest.fixture
async def effects(client: DbClient, database_name: str) -> Effects:
    await build_indexes(client[database_name], *INBOX_INDEXES)
    return Effects(client, client[database_name])


class MakeInbox(Protocol):
    """Makes an inbox of the tests' database."""

    def __call__(
        self,
        subscriptions: Any = None,
        *,
        clock: Clock | None = None,
        source: JournalCalls | None = None,
        sources: Sequence[str] = ("team",),
        page_size: int = 200,
    ) -> Inbox: ...


@pytest.fixture
def make_inbox(
    client: DbClient, database_name: str, calls: JournalCalls, effects: Effects
) -> MakeInbox:
    def make(
        subscriptions: Any = None,
        *,
        clock: Clock | None = None,
        source: JournalCalls | None = None,
        sources: Sequence[str] = ("team",),
        page_size: int = 200,
    ) -> Inbox:
        return Inbox(
            client,
            client[database_name],
            bus=LocalBus(timeouts=PATIENT),
            queue=AUDIT,
            sources=sources,
            internal=source or calls,  # type: ignore[arg-type]
            verifier=verifier(),
            subscriptions=subscriptions or {ProjectCreated.type: remember},
            ctx=effects,
            clock=clock or Later(),
            page_size=page_size,
        )

    return make
