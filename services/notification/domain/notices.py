"""Notices: what a fact tells to whom, before each recipient gets a message of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notification.domain.messages import LinkRequest, MessageKind
from shared.contracts.facts import Payload, Row


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The mail that a fact causes: its kind, its recipients and its words."""

    kind: MessageKind
    to: str
    words: Mapping[str, str]
    also: tuple[str, ...] = ()
    """Further recipients of the same words."""
    user_id: str | None = None
    """The recipient `to`, if the fact says who that is; further ones are known by address."""
    locale: str | None = None
    """The language of a recipient who is not a user yet."""
    language_of: str | None = None
    """The user whose language the mail has if its recipient has none."""
    expires_at: datetime | None = None
    link: LinkRequest | None = None
    about: str | None = None
    """The id of the thing whose state the mail tells; see `domain.pace`."""


NoticeOf = Callable[[Any, Row], Notice | None]


def notices(*rows: tuple[type[Payload], NoticeOf]) -> dict[str, NoticeOf]:
    """The table of these rows, by the type of the fact."""
    return {payload.type: notice_of for payload, notice_of in rows}


def actor_word(row: Row) -> dict[str, str]:
    """The name of who acted, as a word of a template."""
    return {"actor": row.actor.name or ""}
