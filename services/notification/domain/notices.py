"""A notice: what a fact tells one person, before it is a message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notification.domain.messages import LinkRequest, MessageKind
from shared.contracts.facts import Row


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The kind of the mail, its first recipient, and the words of its template."""

    kind: MessageKind
    to: str
    words: Mapping[str, str]
    also: tuple[str, ...] = ()
    """Further recipients of the same words."""
    expires_at: datetime | None = None
    link: LinkRequest | None = None
    about: str | None = None
    """The id of the thing whose state the mail tells; see `domain.pace`."""


NoticeOf = Callable[[Any, Row], Notice | None]
"""Makes the notice of a fact and its row; `None` if it tells no one."""


def actor_words(row: Row) -> dict[str, str]:
    """Who did it, as the mail names them."""
    return {"actor": row.actor.name or ""}
