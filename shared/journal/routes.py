"""The internal routes by which other services read a journal: its heads and its rows."""

from dataclasses import asdict
from datetime import datetime
from typing import Self

from shared.contracts.calls.journal import (
    CHANGES,
    CONFIRM,
    HEADS,
    Changes,
    ChangesQuery,
    ConfirmedRows,
    Heads,
)
from shared.http.access import Admin
from shared.http.internal import internal_route
from shared.http.routes import Answer, Call, Route
from shared.journal.journal import Journal
from shared.journal.restores import Restores
from shared.journal.trimmer import JournalStatus, Trimmer


class ConsumerView(Answer):
    """How far a service that consumes the journal needs no row any more, as it said last."""

    name: str
    confirmed_at: datetime | None
    behind: int
    """The rows that it has not confirmed."""
    held_since: datetime | None
    """The time of the oldest row that is kept for it beyond the retention."""
    missed: int
    """The rows that were deleted before it could apply them: it was restored, or is new."""


class TrimmingView(Answer):
    """The rows of a journal that are kept, and why."""

    source: str
    epoch: str
    rows: int
    oldest_at: datetime | None
    trimmed: int
    """The number of rows of this epoch that are deleted."""
    retention_days: float
    consumers: list[ConsumerView]

    @classmethod
    def of(cls, status: JournalStatus) -> Self:
        """Return the state of the journal as the operator sees it."""
        consumers = [ConsumerView(**asdict(each)) for each in status.consumers]
        return cls(**{**asdict(status), "consumers": consumers})


def journal_routes(journal: Journal, restores: Restores, trimmer: Trimmer) -> tuple[Route, ...]:
    """The internal routes that every source serves."""

    async def heads(ctx: object, call: Call[None, None]) -> Heads:
        now = await journal.heads()
        return Heads(
            source=journal.source,
            epoch=now.epoch,
            heads=now.seqs,
            digests=now.digests,
            former=restores.former,
            trimmed=dict(now.trimmed),
            trimmed_signatures=dict(now.trimmed_signatures),
        )

    async def changes(ctx: object, call: Call[None, ChangesQuery]) -> Changes:
        query = call.query
        shard, after, limit = query.shard, query.after, query.limit
        epoch = query.epoch or journal.epoch
        if epoch == journal.epoch:
            page = await journal.changes(shard, after=after, limit=limit)
        else:
            page = await restores.changes(epoch, shard, after=after, limit=limit)
        return Changes(
            source=journal.source,
            epoch=epoch,
            items=[signed.event.decode() for signed in page],
            signatures=[signed.signature for signed in page],
        )

    async def confirm(ctx: object, call: Call[ConfirmedRows, None]) -> None:
        await trimmer.confirm(call.service.service, call.body)

    async def show(ctx: object, call: Call[None, None]) -> TrimmingView:
        return TrimmingView.of(await trimmer.status())

    return (
        internal_route(HEADS, heads),
        internal_route(CHANGES, changes),
        internal_route(CONFIRM, confirm),
        Route(
            method="GET",
            path="/internal/admin/journal",
            handler=show,
            operation_id="showJournal",
            summary="Show the size of the journal, and which of its consumers hold it up",
            tag="operators",
            access=Admin(),
            gives=TrimmingView,
        ),
    )
