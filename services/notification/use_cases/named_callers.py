"""Callers with their names, as webhooks and the audit log tell who acted."""

from dataclasses import replace

from services.notification.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.problems import Unavailable


async def named(ctx: Ctx, caller: Caller) -> Caller:
    """The caller with name and address; with its id alone while identity does not answer."""
    if caller.actor.type != "user":
        return caller
    try:
        user = await ctx.users.user(UserId(caller.actor.id))
    except Unavailable:
        return caller
    if user is None:
        return caller
    actor = caller.actor.model_copy(update={"name": user.name, "email": user.email})
    return replace(caller, actor=actor)
