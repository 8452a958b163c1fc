"""The facts about the ownership of accounts that team records."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from shared.contracts.facts import NO_TRANSLATIONS, Payload, Translations


class OfferEnd(StrEnum):
    """Why an offer of ownership ended without an answer."""

    EXPIRED = "expired"
    MEMBER = "member"
    """The receiver left, was removed or was suspended."""
    ACCOUNT = "account"
    """The account was suspended, deleted or made personal again."""


class _Offer(Payload):
    account_name: str
    owner_user_id: str
    owner_name: str
    owner_email: str
    """Of the owner who made the offer."""
    user_id: str
    name: str
    email: str
    """Of the member who received it."""


class OwnershipOffered(_Offer):
    """The owner offered the ownership to a member; a mail tells the member (B3)."""

    type: ClassVar[str] = "team.ownership.offered.v1"
    role_title: str
    """What the member will be."""
    translations: Translations = NO_TRANSLATIONS
    expires_at: datetime


class OwnershipTransferred(_Offer):
    """The member accepted and is the owner; a mail tells the former owner (Nv7)."""

    type: ClassVar[str] = "team.ownership.transferred.v1"
    former_owner_role: str
    former_owner_role_title: str
    translations: Translations = NO_TRANSLATIONS
    personal_account_id: str | None
    """The former owner's new personal account, if they would have owned no account any more."""


class OwnershipDeclined(_Offer):
    """The member declined the ownership; a mail tells the owner."""

    type: ClassVar[str] = "team.ownership.declined.v1"


class OwnershipCancelled(_Offer):
    """The owner took the offer back; a mail tells the member."""

    type: ClassVar[str] = "team.ownership.cancelled.v1"


class OwnershipOfferEnded(_Offer):
    """An offer expired (mails tell both), or lost its receiver (the owner) or account (no mail)."""

    type: ClassVar[str] = "team.ownership.offer_ended.v1"
    reason: OfferEnd


FACTS: tuple[type[Payload], ...] = (
    OwnershipOffered,
    OwnershipTransferred,
    OwnershipDeclined,
    OwnershipCancelled,
    OwnershipOfferEnded,
)
