"""What notification has of a person, who takes it along."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from services.notification.domain.mails import render_subject
from services.notification.domain.people import Person, address_key
from services.notification.domain.personal_messages import MAX_ROWS, PAGE_ROWS
from services.notification.domain.preferences import SwitchedOff
from services.notification.store.messages import StoredMessage
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.entries import ShownEntry, shown
from shared.ids import UserId

RowT = TypeVar("RowT")


@dataclass(frozen=True, kw_only=True)
class ShownMail:
    """A mail with its subject in the language in which it is written."""

    stored: StoredMessage
    subject: str


@dataclass(frozen=True, kw_only=True)
class StoredOfPerson:
    """What is stored of a person; `complete` tells that no list is cut."""

    reader: Person | None
    entries: list[ShownEntry]
    mails: list[ShownMail]
    off: tuple[SwitchedOff, ...]
    complete: bool


async def personal_messages(
    ctx: Ctx, user_id: UserId, *, proved_email: str | None
) -> StoredOfPerson:
    """Read what is stored of a person, and the mails to an address that they have proved."""
    reader = await ctx.people.find(user_id)
    email_key = "" if proved_email is None else address_key(proved_email)

    async def entries(before: str | None) -> list[ShownEntry]:
        found = await ctx.entries.page(
            user_id, account_id=None, unread=None, before=before, limit=PAGE_ROWS
        )
        return [shown(ctx, entry, reader) for entry in found]

    async def mails(before: str | None) -> list[ShownMail]:
        found = await ctx.messages.of_person(user_id, email_key, before=before, limit=PAGE_ROWS)
        return [
            ShownMail(stored=one, subject=render_subject(one.message, sender=ctx.sender))
            for one in found
        ]

    listed = await _all(entries, lambda one: one.entry.id)
    written = await _all(mails, lambda one: one.stored.message.id)
    return StoredOfPerson(
        reader=None if reader is None or reader.erased else reader,
        entries=listed[:MAX_ROWS],
        mails=written[:MAX_ROWS],
        off=(await ctx.preferences.find(user_id)).off,
        complete=max(len(listed), len(written)) <= MAX_ROWS,
    )


async def _all(
    page: Callable[[str | None], Awaitable[list[RowT]]], id_of: Callable[[RowT], str]
) -> list[RowT]:
    """Read page after page, one row more than an export has at most."""
    rows: list[RowT] = []
    while len(rows) <= MAX_ROWS:
        found = await page(id_of(rows[-1]) if rows else None)
        rows += found
        if len(found) < PAGE_ROWS:
            break
    return rows
