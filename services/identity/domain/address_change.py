"""Change of address: the new one is proved by a mailed link, and the old one can undo it."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.identity.domain.mailed_links import LinkInvalid, link_to_mail
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.rate_limits import RateLimit
from services.identity.domain.users import User, payload_fields, user_fact
from shared.addresses import Address
from shared.contracts.facts import Actor, Fact, Outcome
from shared.contracts.identity_addresses import (
    AddressLinkRequested,
    UserAddressWanted,
    UserEmailChanged,
    UserEmailChangeRequested,
    UserEmailRestored,
)
from shared.ids import UserId
from shared.problems import Invalid

CHANGE_LIFETIME = timedelta(hours=24)
"""The link to the new address works for this time."""
YOUNG_LINK = timedelta(minutes=15)
"""A request that is repeated within this time mails the same link again."""
UNDO_LIFETIME = timedelta(days=7)
"""The link to the old address works for this time."""
BEFORE_A_CHANGE = timedelta(days=1)
"""What was added in this time before a change may be a thief's: who has a password and no factor
adds one first, and locks the owner out."""
CHANGES_AN_HOUR = 5


def change_limit(user_id: UserId) -> RateLimit:
    """Give what a request of this user counts against: each one mails two addresses."""
    return RateLimit(
        key=("address-changes", user_id), limit=CHANGES_AN_HOUR, window=timedelta(hours=1)
    )


def request(user: User, address: Address, *, now: datetime) -> tuple[User, Fact]:
    """Begin the change to an address; the old one is told. A new request replaces the former one.

    Raises:
        Invalid: it is the address of the user already.
    """
    if address.key == user.email_key:
        raise Invalid(errors=[("/email", "This is your address already. Enter another one.")])
    again = user.new_email == address.typed
    generation, made_at = link_to_mail(
        user.new_email_generation,
        user.new_email_made_at if again else None,
        now=now,
        young_for=YOUNG_LINK,
    )
    requested = replace(
        user,
        new_email=address.typed,
        new_email_key=address.key,
        new_email_generation=generation,
        new_email_made_at=made_at,
    )
    payload = UserEmailChangeRequested(**payload_fields(user), new_email=address.typed)
    return requested, user_fact(requested, payload, after={"new_email": address.typed})


def link_requested(user: User) -> Fact:
    """Make the fact that has the link mailed to the new address.

    It is in no account's log. There it would show that the address has no user (`T9`).
    """
    assert user.new_email is not None and user.new_email_made_at is not None  # noqa: S101, PT018
    payload = AddressLinkRequested(
        user_id=user.id,
        email=user.new_email,
        name=user.name,
        generation=user.new_email_generation,
        expires_at=user.new_email_made_at + CHANGE_LIFETIME,
    )
    return replace(user_fact(user, payload), account_id=None)


def wanted(owner: User) -> Fact:
    """Make the fact that another user, who is not named, asked for the address of this one."""
    fact = user_fact(owner, UserAddressWanted(**payload_fields(owner)))
    stranger = Actor(type="anonymous", id="anonymous")
    return replace(fact, outcome=Outcome.DENIED, reason="address-taken", actor=stranger)


def check_link(user: User | None, *, generation: int, now: datetime) -> Address:
    """Give the address that a link proves, which is about to be mailed or used.

    Raises:
        LinkInvalid: the link is used, superseded or expired.
    """
    if (
        user is None
        or user.new_email is None
        or user.new_email_key is None
        or user.new_email_made_at is None
        or user.new_email_generation != generation
        or now >= user.new_email_made_at + CHANGE_LIFETIME
    ):
        raise LinkInvalid
    return Address(typed=user.new_email, key=user.new_email_key)


def change(user: User, address: Address, *, now: datetime) -> tuple[User, Fact]:
    """Give the user another address; links to the former one that reset the password are dead.

    The oldest address of the last seven days is the one that can be restored: a thief who changes
    it twice does not shut its owner out.
    """
    open_undo = user.undo_until is not None and now < user.undo_until
    changed = _at(user, address, now=now)
    if not open_undo:
        changed = replace(
            changed,
            undo_email=user.email,
            undo_email_key=user.email_key,
            undo_generation=user.undo_generation + 1,
            undo_until=now + UNDO_LIFETIME,
        )
    payload = UserEmailChanged(
        **payload_fields(changed),
        previous_email=user.email,
        undo_generation=None if open_undo else changed.undo_generation,
        undo_until=None if open_undo else changed.undo_until,
    )
    return changed, _moved(changed, payload, before=user.email)


def check_undo(user: User | None, *, generation: int, now: datetime) -> Address:
    """Give the address that a link restores.

    Raises:
        LinkInvalid: the link is used or expired.
    """
    if (
        user is None
        or user.undo_email is None
        or user.undo_email_key is None
        or user.undo_until is None
        or user.undo_generation != generation
        or now >= user.undo_until
    ):
        raise LinkInvalid
    return Address(typed=user.undo_email, key=user.undo_email_key)


def restore(user: User, address: Address, *, now: datetime) -> tuple[User, Fact]:
    """Give the user the former address back, without a password: a thief knows the present one."""
    restored = replace(
        _at(user, address, now=now),
        password_hash=None,
        password_imported=False,
        undo_email=None,
        undo_email_key=None,
        undo_until=None,
    )
    payload = UserEmailRestored(**payload_fields(restored), previous_email=user.email)
    return restored, _moved(restored, payload, before=user.email)


def kept_factors(factors: SecondFactors, user: User) -> SecondFactors:
    """Give the second factors that an undo leaves.

    A thief may have added those that are not older than the change by a day. Recovery codes without
    a date may be a thief's, too.
    """
    assert user.undo_until is not None  # noqa: S101 - the link is checked
    since = user.undo_until - UNDO_LIFETIME - BEFORE_A_CHANGE
    totp, made_at = factors.totp, factors.codes_made_at
    kept = replace(
        factors,
        pending=None,
        totp=None if totp is None or totp.added_at >= since else totp,
        passkeys=tuple(one for one in factors.passkeys if one.added_at < since),
    )
    has_codes = kept.exist and made_at is not None and made_at < since
    return kept if has_codes else replace(kept, codes=())


def _at(user: User, address: Address, *, now: datetime) -> User:
    """The user at an address that is proved; no link that was mailed before works any more."""
    return replace(
        user,
        email=address.typed,
        email_key=address.key,
        verified_at=now,
        new_email=None,
        new_email_key=None,
        new_email_made_at=None,
        reset_link_made_at=None,
        reset_used_at=None,
    )


def _moved(user: User, payload: UserEmailChanged | UserEmailRestored, *, before: str) -> Fact:
    return user_fact(user, payload, before={"email": before}, after={"email": user.email})
