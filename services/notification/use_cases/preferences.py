"""Preferences of a person: show, replace, and switch one kind of mail off by a link."""

from collections.abc import Sequence
from dataclasses import replace

from services.notification.domain.preferences import (
    Preferences,
    SwitchedOff,
    check_off,
    switch_off,
)
from services.notification.use_cases.context import Ctx
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller, Fact, ResourceRef
from shared.contracts.notification import PreferencesChanged
from shared.journal import JournalWrite, WriteResult


async def show(ctx: Ctx, principal: UserPrincipal) -> Preferences:
    """Return the preferences of the user of the request."""
    return await ctx.preferences.find(principal.user_id)


async def choose(
    ctx: Ctx,
    caller: Caller,
    principal: UserPrincipal,
    chosen: Sequence[tuple[str | None, Sequence[str]]],
) -> WriteResult[Preferences]:
    """Replace the preferences of the user of the request.

    Raises:
        Invalid: a kind of mail cannot be switched off, or is not known.
    """
    off = check_off(chosen)

    async def change(write: JournalWrite) -> Preferences:
        before = await ctx.preferences.find(principal.user_id, write.session)
        return await _save(ctx, write, before, off, account_id=principal.account_id)

    return await ctx.journal.write(
        principal.user_id, change, caller=caller, effective_everywhere=False
    )


async def unsubscribe(ctx: Ctx, caller: Caller, token: str) -> None:
    """Switch off what the link of a mail names; repeated, change nothing more.

    Raises:
        UnsubscribeLinkInvalid: this service did not make the link.
    """
    target = ctx.unsubscribe_links.read(token)

    async def change(write: JournalWrite) -> None:
        person = await ctx.people.among({target.user_id}, (), write.session)
        if any(one.erased for one in person):
            return
        before = await ctx.preferences.find(target.user_id, write.session)
        off = switch_off(before.off, target.kind, target.account_id)
        await _save(ctx, write, before, off, account_id=target.account_id)

    await ctx.journal.write(target.user_id, change, caller=caller, effective_everywhere=False)


async def _save(
    ctx: Ctx,
    write: JournalWrite,
    before: Preferences,
    off: tuple[SwitchedOff, ...],
    *,
    account_id: str | None,
) -> Preferences:
    if set(off) == set(before.off):
        return before
    after = replace(before, off=off)
    await ctx.preferences.save(before, after, write.session)
    write.record(
        Fact(
            payload=PreferencesChanged(user_id=before.id),
            resource=ResourceRef(type="notification_preferences", id=before.id),
            account_id=account_id,
            before={"off": _texts(before.off)},
            after={"off": _texts(off)},
        )
    )
    return after


def _texts(off: Sequence[SwitchedOff]) -> list[str]:
    return sorted(f"{kind} in {one.account_id or 'all'}" for one in off for kind in one.kinds)
