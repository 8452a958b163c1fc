"""Writes of the journal of audit that a caller asks for; each names who acted."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from services.audit.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.journal import Guard, JournalWrite, WriteResult

T = TypeVar("T")


async def write_named(
    ctx: Ctx,
    key: str,
    change: Callable[[JournalWrite], Awaitable[T]],
    *,
    caller: Caller,
    guard: Guard | None = None,
) -> WriteResult[T]:
    """Save state and facts; a user who acted is named, as receivers and readers are told.

    Raises:
        Unavailable: the database was away.
    """
    return await ctx.journal.write(
        key,
        change,
        caller=await _named(ctx, caller),
        effective_everywhere=False,
        guard=guard,
    )


async def _named(ctx: Ctx, caller: Caller) -> Caller:
    """The caller with name and address, as far as they are known; only users have them here."""
    if caller.actor.type != "user":
        return caller
    known = (await ctx.store.known_users([caller.actor.id])).get(caller.actor.id)
    if known is None:
        return caller
    actor = caller.actor.model_copy(update={"name": known.name, "email": known.email})
    return replace(caller, actor=actor)
