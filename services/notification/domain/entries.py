"""Entries: the messages of a person as the product lists them, besides the mails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notification.domain.messages import Message, MessageKind
from shared.contracts.facts import NO_REQUEST, Actor, Caller
from shared.ids import MessageId, UserId

ENTRY_RETENTION = timedelta(days=90)
"""How long an entry is listed."""
ONLY_MAILED = frozenset(
    {
        MessageKind.VERIFY_EMAIL,
        MessageKind.PASSWORD_RESET,
        MessageKind.EMAIL_CHANGE,
        MessageKind.USER_ERASED,
    }
)
"""Messages that are their link, or whose recipient is gone."""
_NO_CALLER = Caller(actor=Actor(type="service", id="notification"), request=NO_REQUEST)


@dataclass(frozen=True, kw_only=True)
class ListedMessage:
    """One message in the list of one person."""

    id: MessageId
    user_id: UserId
    kind: MessageKind
    account_id: str | None
    created_at: datetime
    words: Mapping[str, str] = field(default_factory=dict)
    valid_until: datetime | None = None
    unread: bool = True
    number: int = 0
    """Its number in the list, from 1 on; 0 for one of an earlier version, or not saved yet."""

    @property
    def delete_at(self) -> datetime:
        """The moment from which on the entry is not listed."""
        return self.created_at + ENTRY_RETENTION


def entry_of(message: Message) -> ListedMessage | None:
    """The entry of a message; `None` for a recipient who is not a user, or what is only mailed."""
    if message.user_id is None or message.kind in ONLY_MAILED:
        return None
    return ListedMessage(
        id=message.id,
        user_id=UserId(message.user_id),
        kind=message.kind,
        account_id=message.account_id,
        created_at=message.created_at,
        words=message.words,
        valid_until=message.expires_at,
    )


def message_of(entry: ListedMessage) -> Message:
    """The message that the entry lists, without its address and its link."""
    return Message(
        id=entry.id,
        kind=entry.kind,
        recipient="",
        account_id=entry.account_id,
        caller=_NO_CALLER,
        created_at=entry.created_at,
        user_id=entry.user_id,
        words=entry.words,
        expires_at=entry.valid_until,
    )
