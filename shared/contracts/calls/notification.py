"""Calls to notification."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.topology import Service


class PersonalMessagesRequest(InternalRequest):
    """A user who takes their personal data along; `email` is their address, if it is proved."""

    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    email: Annotated[str, Field(max_length=320)] | None = None


class StoredReader(InternalAnswer):
    """What mails to a user are addressed to, and how they are written."""

    email: str
    locale: str
    time_zone: str


class StoredNotification(InternalAnswer):
    """A notification in the list of a user, in their language."""

    id: str
    kind: str
    account_id: str | None
    title: str
    text: str
    created_at: AwareDatetime
    unread: bool


class StoredMail(InternalAnswer):
    """A mail to a user that waits, was sent or was kept back."""

    id: str
    kind: str
    account_id: str | None
    recipient: str
    subject: str
    status: str
    created_at: AwareDatetime
    finished_at: AwareDatetime | None


class StoredPreference(InternalAnswer):
    """Kinds of mails that a user switched off, in one account or in all (`None`)."""

    account_id: str | None
    kinds: tuple[str, ...]


class PersonalMessages(InternalAnswer):
    """What notification has of a user; `complete` tells that no list is cut."""

    reader: StoredReader | None
    notifications: tuple[StoredNotification, ...]
    mails: tuple[StoredMail, ...]
    switched_off: tuple[StoredPreference, ...]
    complete: bool


READ_PERSONAL_MESSAGES = InternalCall(
    name="readPersonalMessages",
    summary="Read the notifications, mails and preferences of a user",
    method="POST",
    path="/internal/personal-messages",
    callees=(Service.NOTIFICATION,),
    callers=(Service.IDENTITY,),
    request=PersonalMessagesRequest,
    answer=PersonalMessages,
)
