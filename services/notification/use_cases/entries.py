"""The list of messages of a person: read a page, count what is unread, mark as read."""

from dataclasses import dataclass, replace

from services.notification.domain.entries import ListedMessage, message_of
from services.notification.domain.mails import ListedText, render_entry
from services.notification.domain.people import Person
from services.notification.use_cases.context import Ctx
from shared.auth.principals import UserPrincipal
from shared.ids import MessageId
from shared.mongo import DbSession, transact
from shared.problems import Invalid

NOT_LISTED = "Your list has no notification with this id."


@dataclass(frozen=True, kw_only=True)
class ShownEntry:
    """An entry with its text in the language of its reader."""

    entry: ListedMessage
    text: ListedText


async def page(
    ctx: Ctx,
    principal: UserPrincipal,
    *,
    account_id: str | None,
    unread: bool | None,
    before: str | None,
    limit: int,
) -> list[ShownEntry]:
    """Return entries of the user of the request, the newest first."""
    found = await ctx.entries.page(
        principal.user_id, account_id=account_id, unread=unread, before=before, limit=limit
    )
    reader = await ctx.people.find(principal.user_id)
    return [shown(ctx, entry, reader) for entry in found]


def shown(ctx: Ctx, entry: ListedMessage, reader: Person | None) -> ShownEntry:
    """An entry with its text in the language that its reader has now."""
    message = message_of(entry)
    if reader is not None and not reader.erased:
        message = replace(message, locale=reader.locale, time_zone=reader.time_zone)
    return ShownEntry(entry=entry, text=render_entry(message, sender=ctx.sender))


async def count_unread(ctx: Ctx, principal: UserPrincipal) -> int:
    """Count the unread entries of the user of the request."""
    return await ctx.entries.count_unread(principal.user_id)


async def mark_read(
    ctx: Ctx, principal: UserPrincipal, *, ids: list[MessageId] | None, up_to: str | None
) -> int:
    """Mark entries of the user of the request as read, and count those that are left.

    Raises:
        Invalid: both or neither of the two ways to name them are given, or an id is not in the list
            of the user. Then no entry is marked.
    """
    if (ids is None) == (up_to is None):
        raise Invalid(errors=[("", "Send either `ids` or `up_to`.")])
    named = {f"/ids/{place}": each for place, each in enumerate(ids or ())}
    if up_to is not None:
        named["/up_to"] = MessageId(up_to)

    async def change(session: DbSession) -> None:
        known = await ctx.entries.known(principal.user_id, set(named.values()), session)
        faults = [(place, NOT_LISTED) for place, each in named.items() if each not in known]
        if faults:
            raise Invalid(errors=faults)
        await ctx.entries.mark_read(principal.user_id, session, ids=ids, up_to=up_to)

    await transact(ctx.client, change)
    return await count_unread(ctx, principal)
