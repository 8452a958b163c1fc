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
from shared.journal.restores import Restores


def journal_routes(journal: Journal, restores: Restores) -> tuple[Route, ...]:
    """The internal routes that every source serves."""

    async def heads(ctx: object, call: Call[None, None]) -> Heads:
        now = await journal.heads()
        return Heads(
            source=journal.source,
            epoch=now.epoch,
            heads=now.seqs,
            digests=now.digests,
            former=restores.former,
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

    return (internal_route(HEADS, heads), internal_route(CHANGES, changes))
