"""Who receives which mail about the ownership of an account (`B3`)."""

from services.notification.domain.catalog_words import catalog_words
from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice, NoticeOf
from shared.contracts import team_ownership
from shared.contracts.facts import Payload, Row
from shared.contracts.team_ownership import OfferEnd

Offer = (
    team_ownership.OwnershipOffered
    | team_ownership.OwnershipTransferred
    | team_ownership.OwnershipDeclined
    | team_ownership.OwnershipCancelled
    | team_ownership.OwnershipOfferEnded
)


def _offered(fact: team_ownership.OwnershipOffered, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.OWNERSHIP_OFFERED,
        about=fact.user_id,
        to=fact.email,
        user_id=fact.user_id,
        words=_words(fact) | catalog_words(fact, role="role_title"),
        expires_at=fact.expires_at,
    )


def _transferred(fact: team_ownership.OwnershipTransferred, row: Row) -> Notice:
    opened = {"personal": "yes"} if fact.personal_account_id is not None else {"personal": ""}
    return Notice(
        kind=MessageKind.OWNERSHIP_TRANSFERRED,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        words=_words(fact) | catalog_words(fact, role="former_owner_role_title") | opened,
    )


def _declined(fact: team_ownership.OwnershipDeclined, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.OWNERSHIP_DECLINED,
        about=fact.user_id,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        words=_words(fact),
    )


def _cancelled(fact: team_ownership.OwnershipCancelled, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.OWNERSHIP_CANCELLED,
        about=fact.user_id,
        to=fact.email,
        user_id=fact.user_id,
        words=_words(fact),
    )


def _offer_ended(fact: team_ownership.OwnershipOfferEnded, row: Row) -> Notice | None:
    """What ended the account or the membership has a mail of its own to those whom it concerns."""
    if fact.reason is OfferEnd.ACCOUNT:
        return None
    expired = fact.reason is OfferEnd.EXPIRED
    return Notice(
        kind=MessageKind.OWNERSHIP_OFFER_ENDED,
        about=fact.user_id,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        also=(fact.email,) if expired else (),
        words=_words(fact) | {"expired": "yes" if expired else ""},
    )


def _words(fact: Offer) -> dict[str, str]:
    return {
        "account": fact.account_name,
        "owner": fact.owner_name,
        "member": fact.name,
        "email": fact.email,
    }


ROWS: tuple[tuple[type[Payload], NoticeOf], ...] = (
    (team_ownership.OwnershipOffered, _offered),
    (team_ownership.OwnershipTransferred, _transferred),
    (team_ownership.OwnershipDeclined, _declined),
    (team_ownership.OwnershipCancelled, _cancelled),
    (team_ownership.OwnershipOfferEnded, _offer_ended),
)
