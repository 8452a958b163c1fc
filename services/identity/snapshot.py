"""What does a replica of authz read of identity when it starts?"""

from datetime import timedelta

from services.identity import clients, sessions
from services.identity.context import Ctx
from services.identity.store import end_key
from shared.auth.access_tokens import ACCESS_SECONDS
from shared.contracts.calls import SnapshotPage

PAGE = 500
MATTERS = timedelta(seconds=2 * ACCESS_SECONDS)
"""A session that ended longer ago has no access token left, whatever the clocks differ by."""


async def snapshot(ctx: Ctx, cursor: str | None) -> SnapshotPage:
    """One page: the service clients on the first, then ended sessions in order of their end.

    The heads are read before anything else, so whatever a page misses is a later change.
    """
    heads = await ctx.journal.heads()
    known = await ctx.store.clients() if cursor is None else []
    ended = await ctx.store.ended_sessions(
        since=ctx.clock.now() - MATTERS, after=cursor or "", limit=PAGE
    )
    return SnapshotPage(
        source=ctx.journal.source,
        epoch=ctx.journal.epoch,
        heads=heads,
        items=(*map(clients.policy_object, known), *map(sessions.policy_object, ended)),
        next_cursor=end_key(ended[-1]) if len(ended) == PAGE else None,
    )
