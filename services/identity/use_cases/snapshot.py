"""The snapshot of identity's policy objects that a replica of authz reads when it starts."""

from services.identity.domain import service_clients, sessions
from services.identity.store import end_key
from services.identity.use_cases.context import Ctx
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.contracts.calls.leases import SnapshotPage


async def snapshot(ctx: Ctx, cursor: str | None) -> SnapshotPage:
    """Return one page: the service clients on the first, then ended sessions in order of their end.

    The heads are read first: what a page misses is a change after them.
    """
    heads = await ctx.journal.heads()
    clients = await ctx.store.clients() if cursor is None else []
    ended = await ctx.store.ended_sessions(
        since=ctx.clock.now() - SESSION_END_RETENTION,
        after=cursor or "",
        limit=ctx.snapshot_page_size,
    )
    items = (
        *map(service_clients.policy_object, clients),
        *map(sessions.policy_object, ended),
    )
    return SnapshotPage(
        source=ctx.journal.source,
        epoch=ctx.journal.epoch,
        heads=heads.seqs,
        digests=heads.digests,
        items=items,
        next_cursor=end_key(ended[-1]) if len(ended) == ctx.snapshot_page_size else None,
    )
