"""Preferences of a person: show, replace, and switch one kind of mail off by a link."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from services.notification.domain.kind_groups import KIND_TITLES
from services.notification.domain.messages import MessageKind
from services.notification.domain.names import display_name, hidden_address
from services.notification.domain.preferences import (
    KindState,
    Preferences,
    SwitchedOff,
    UnsubscribeLinkInvalid,
    check_off,
    recorded_texts,
    state_of,
    switch_off,
    switch_on,
)
from services.notification.use_cases.context import Ctx
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller, Fact, ResourceRef
from shared.contracts.notification import PreferencesChanged
from shared.http.preconditions import Precondition
from shared.journal import JournalWrite, WriteResult
from shared.locales import DEFAULT_LOCALE, Locale


async def show(ctx: Ctx, principal: UserPrincipal) -> Preferences:
    """Return the preferences of the user of the request."""
    return await ctx.preferences.find(principal.user_id)


async def locale_of(ctx: Ctx, principal: UserPrincipal) -> Locale:
    """The language of the user of the request."""
    person = await ctx.people.find(principal.user_id)
    return DEFAULT_LOCALE if person is None else person.locale


async def choose(
    ctx: Ctx,
    caller: Caller,
    principal: UserPrincipal,
    chosen: Sequence[tuple[str | None, Sequence[str]]],
    *,
    precondition: Precondition | None = None,
) -> WriteResult[Preferences]:
    """Replace the preferences of the user of the request.

    Raises:
        Invalid: a kind of mail cannot be switched off, or is not known.
        PreconditionFailed: they are not those that the request was made for.
    """
    off = check_off(chosen)

    async def change(write: JournalWrite) -> Preferences:
        before = await ctx.preferences.find(principal.user_id, write.session)
        if precondition is not None:
            precondition.require(before, applied=set(off) == set(before.off))
        return await _save(ctx, write, before, off)

    return await ctx.journal.write(
        principal.user_id, change, caller=caller, effective_everywhere=False
    )


@dataclass(frozen=True, kw_only=True)
class OpenedUnsubscribeLink:
    """What the link of a mail switches off, and whether it is off, in the words of its reader.

    Its bearer may not be the person whose mails they are: a mail is forwarded. So the address is
    not whole, and the account has a name that a mail has told.
    """

    title: str
    email: str | None
    account_name: str | None
    state: KindState
    locale: Locale


async def look_up(ctx: Ctx, token: str) -> OpenedUnsubscribeLink:
    """Say what the link of a mail switches off; nothing changes.

    Raises:
        UnsubscribeLinkInvalid: this service did not make the link, or its person is gone.
    """
    target = ctx.unsubscribe_links.read(token)
    person = await ctx.people.find(target.user_id)
    if person is not None and person.erased:
        raise UnsubscribeLinkInvalid
    off = (await ctx.preferences.find(target.user_id)).off
    locale = DEFAULT_LOCALE if person is None else person.locale
    name = await ctx.entries.account_name(target.user_id, target.account_id)
    return OpenedUnsubscribeLink(
        title=KIND_TITLES[locale][target.kind],
        email=None if person is None else hidden_address(person.email_key),
        account_name=display_name(name) or None,
        state=state_of(off, target.kind, target.account_id),
        locale=locale,
    )


async def unsubscribe(ctx: Ctx, caller: Caller, token: str) -> None:
    """Switch off what the link of a mail names; repeated, change nothing more.

    Raises:
        UnsubscribeLinkInvalid: this service did not make the link.
    """
    await _use_link(ctx, caller, token, switch_off)


async def resubscribe(ctx: Ctx, caller: Caller, token: str) -> None:
    """Switch on again what the link of a mail switched off; repeated, change nothing more.

    Raises:
        UnsubscribeLinkInvalid: this service did not make the link.
        MailsOffInAll: the mails of its kind are switched off for all accounts.
    """
    await _use_link(ctx, caller, token, switch_on)


async def _use_link(
    ctx: Ctx,
    caller: Caller,
    token: str,
    switch: Callable[[Sequence[SwitchedOff], MessageKind, str], tuple[SwitchedOff, ...]],
) -> None:
    target = ctx.unsubscribe_links.read(token)

    async def change(write: JournalWrite) -> None:
        person = await ctx.people.among({target.user_id}, (), write.session)
        if any(one.erased for one in person):
            return
        before = await ctx.preferences.find(target.user_id, write.session)
        off = switch(before.off, target.kind, target.account_id)
        await _save(ctx, write, before, off)

    await ctx.journal.write(target.user_id, change, caller=caller, effective_everywhere=False)


async def _save(
    ctx: Ctx,
    write: JournalWrite,
    before: Preferences,
    off: tuple[SwitchedOff, ...],
) -> Preferences:
    """Save preferences, and record it in the personal account.

    A member who is gone has links of the team's mails still, and must not write into its log.
    """
    if set(off) == set(before.off):
        return before
    after = replace(before, off=off)
    await ctx.preferences.save(before, after, write.session)
    people = await ctx.people.among({before.id}, (), write.session)
    account_id = next((one.account_id for one in people), None)
    write.record(
        Fact(
            payload=PreferencesChanged(user_id=before.id),
            resource=ResourceRef(type="notification_preferences", id=before.id),
            account_id=account_id,
            before={"off": recorded_texts(before.off, own_account=account_id)},
            after={"off": recorded_texts(off, own_account=account_id)},
        )
    )
    return after
