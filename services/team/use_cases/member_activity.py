"""When members were last active: taken from requests and from authz, written in batches."""

import asyncio

from services.team.use_cases.context import Ctx
from shared.mongo import DatabaseWatch

BATCH_MEMBERS = 500
"""The members whose activity one request to the database saves."""


async def keep_saving(ctx: Ctx) -> None:
    """Save what was noted, again and again."""
    pause = ctx.timeouts.activity
    database = DatabaseWatch("The last activity of some members is lost.", pause=pause)
    while True:
        await asyncio.sleep(pause)
        with database.round():
            await save(ctx)


async def save(ctx: Ctx) -> None:
    """Save what was noted since the last time. What a failure loses is not noted again."""
    seen = ctx.activity.take()
    for start in range(0, len(seen), BATCH_MEMBERS):
        await ctx.store.save_activity(seen[start : start + BATCH_MEMBERS])
