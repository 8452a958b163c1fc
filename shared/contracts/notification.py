"""The facts of notification."""

from enum import StrEnum
from typing import ClassVar

from shared.contracts.facts import Payload


class _Message(Payload):
    message_id: str
    kind: str
    """The template's name, such as `invitation`."""
    recipient: str


class MessageSent(_Message):
    """The mail server accepted the mail; that of an invitation is in no account's log."""

    type: ClassVar[str] = "notification.message.sent.v1"


class BounceCause(StrEnum):
    """Why a mail could not be delivered; a fact has it as text, for there may be further ones."""

    NO_SUCH_MAILBOX = "no-such-mailbox"
    MAILBOX_FULL = "mailbox-full"
    REFUSED = "refused"
    NOT_REACHED = "not-reached"


class MessageBounced(_Message):
    """The mail cannot be delivered; it is not tried again."""

    type: ClassVar[str] = "notification.message.bounced.v1"
    reply: str
    invitation_id: str | None = None
    generation: int | None = None
    """Of the link in the mail, if it is that of an invitation."""
    because: str | None = None
    """A `BounceCause`."""


class PreferencesChanged(Payload):
    """A person switched mails off or on, signed in or by the link of a mail."""

    type: ClassVar[str] = "notification.preferences.changed.v1"
    user_id: str


FACTS: tuple[type[Payload], ...] = (MessageSent, MessageBounced, PreferencesChanged)
