"""The decision that a reader may still read, for answers that are written for long."""

from typing import Any

from services.audit.use_cases.context import Ctx
from shared.http.routes import Call


async def still_permitted(ctx: Ctx, call: Call[None, Any]) -> None:
    """Decide again what was decided when the request came.

    Raises:
        Refusal: the session, the token or the permission has ended, or it cannot be decided.
    """
    await ctx.checker.check_live(call.member)
    await ctx.checker.check(call.member, call.account_id, call.permission, revision=None)
