"""The internal routes by which other services read a journal: its heads and its rows."""

from shared.contracts.calls.journal import (
    CHANGES,
    HEADS,
    Changes,
    ChangesQuery,
    Heads,
)
from shared.http.internal import internal_route
from shared.http.routes import Call, Route
from shared.journal.journal import Journal


def journal_routes(journal: Journal) -> tuple[Route, ...]:
    """The internal routes that every source serves."""

    async def heads(ctx: object, call: Call[None, None]) -> Heads:
        now = await journal.heads()
        return Heads(source=journal.source, epoch=now.epoch, heads=now.seqs, digests=now.digests)

    async def changes(ctx: object, call: Call[None, ChangesQuery]) -> Changes:
        query = call.query
        page = await journal.changes(query.shard, after=query.after, limit=query.limit)
        return Changes(
            source=journal.source,
            epoch=journal.epoch,
            items=[signed.event.decode() for signed in page],
            signatures=[signed.signature for signed in page],
        )

    return (internal_route(HEADS, heads), internal_route(CHANGES, changes))
