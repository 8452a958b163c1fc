"""Recipients of mails about a change of address."""

from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice, NoticeOf
from services.notification.domain.wording import stored_moment
from shared.contracts import identity_addresses as addresses
from shared.contracts.calls.identity import AddressLinkRequest
from shared.contracts.facts import Payload, Row


def _requested(fact: addresses.UserEmailChangeRequested, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.EMAIL_CHANGE_REQUESTED,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "email": fact.new_email,
            "changed_at": stored_moment(row.occurred_at),
        },
    )


def _link(fact: addresses.AddressLinkRequested, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.EMAIL_CHANGE,
        to=fact.email,
        language_of=fact.user_id,
        words={"name": fact.name},
        expires_at=fact.expires_at,
        link=AddressLinkRequest(
            kind="address-change",
            id=fact.user_id,
            generation=fact.generation,
            address_id=fact.address_id,
        ),
    )


def _wanted(fact: addresses.UserAddressWanted, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.EMAIL_WANTED,
        to=fact.email,
        user_id=fact.user_id,
        words={"name": fact.name},
    )


def _changed(fact: addresses.UserEmailChanged, row: Row) -> Notice:
    """The former address is told, with the link that restores it."""
    link = None
    if fact.undo_generation is not None:
        link = AddressLinkRequest(
            kind="address-undo", id=fact.user_id, generation=fact.undo_generation
        )
    return Notice(
        kind=MessageKind.EMAIL_CHANGED,
        to=fact.previous_email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "email": fact.email,
            "changed_at": stored_moment(row.occurred_at),
        },
        expires_at=fact.undo_until,
        link=link,
    )


def _restored(fact: addresses.UserEmailRestored, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.EMAIL_RESTORED,
        to=fact.email,
        user_id=fact.user_id,
        also=(fact.previous_email,),
        language_of=fact.user_id,
        words={
            "name": fact.name,
            "email": fact.email,
            "changed_at": stored_moment(row.occurred_at),
        },
    )


ROWS: tuple[tuple[type[Payload], NoticeOf], ...] = (
    (addresses.UserEmailChangeRequested, _requested),
    (addresses.AddressLinkRequested, _link),
    (addresses.UserAddressWanted, _wanted),
    (addresses.UserEmailChanged, _changed),
    (addresses.UserEmailRestored, _restored),
)
