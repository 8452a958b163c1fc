"""The facts of notification."""

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


class MessageBounced(_Message):
    """The mail cannot be delivered; it is not tried again."""

    type: ClassVar[str] = "notification.message.bounced.v1"
    reply: str
    invitation_id: str | None = None
    generation: int | None = None
    """Of the link in the mail, if it is that of an invitation."""


class PreferencesChanged(Payload):
    """A person switched mails off or on, signed in or by the link of a mail."""

    type: ClassVar[str] = "notification.preferences.changed.v1"
    user_id: str


FACTS: tuple[type[Payload], ...] = (MessageSent, MessageBounced, PreferencesChanged)
