"""Change of address: the new one is proved by a mailed link, and the old one can undo it.

A link to a new address proves the mailbox, for every user who waits for that address. So strangers
who use up the mailbox's budget of mails leave links in it that work, and no request ends one.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import ceil

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.rate_limits import RateLimit, TooManyRequests
from services.identity.domain.users import (
    FormerAddress,
    User,
    localized_fields,
    payload_fields,
    user_fact,
)
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
from shared.links import Link
from shared.problems import Invalid

CHANGE_LIFETIME = timedelta(hours=24)
"""A link to a new address works for this time, and so long does a user wait for it."""
UNDO_LIFETIME = timedelta(days=7)
"""The link to the old address works for this time."""
BEFORE_A_CHANGE = timedelta(days=14)
"""What was added in this time before a change may be a thief's: who has a password and no factor
adds one first, and locks the owner out. So may what was added since the session of the change
began, however long ago that was."""
CHANGES_AN_HOUR = 5
MAX_FORMER_ADDRESSES = 5
"""Beyond them an address is not changed: none of the links to former ones is given up."""

_ADDRESS = "adr_"


def change_limit(user_id: UserId) -> RateLimit:
    """Give what a request of this user counts against: each one mails two addresses."""
    return RateLimit(
        key=("address-changes", user_id), limit=CHANGES_AN_HOUR, window=timedelta(hours=1)
    )


def check_request(user: User, address: Address, *, now: datetime) -> None:
    """Check that the user may ask for the address.

    Raises:
        Invalid: it is the address of the user already.
        TooManyRequests: too many former addresses can still be restored.
    """
    if address.key == user.email_key:
        raise Invalid(errors=[("/email", "This is your address already. Enter another one.")])
    if len(_after_change(user, address, now=now)) > MAX_FORMER_ADDRESSES:
        free_in = min(one.until for one in user.former_addresses if now < one.until) - now
        raise TooManyRequests(retry_after=ceil(free_in.total_seconds()))


def request(user: User, address: Address, *, now: datetime) -> tuple[User, Fact]:
    """Begin the change to an address; the present one is told. It replaces the former request.

    Raises:
        Invalid, TooManyRequests: see `check_request`.
    """
    check_request(user, address, now=now)
    requested = replace(
        user, new_email=address.typed, new_email_key=address.key, new_email_made_at=now
    )
    payload = UserEmailChangeRequested(**payload_fields(user), new_email=address.typed)
    return requested, user_fact(requested, payload, after={"new_email": address.typed})


def link_requested(user: User, address: Address, *, now: datetime) -> Fact:
    """Make the fact that has a link mailed to the new address of this user.

    It is in no account's log. There it would show that the address has no user (`T9`).
    """
    link = _link_to(address.key, now=now)
    payload = AddressLinkRequested(
        user_id=user.id,
        email=address.typed,
        name=user.name,
        generation=link.generation,
        expires_at=_end(link),
        address_id=link.id,
    )
    return replace(user_fact(user, payload), account_id=None)


def wanted(owner: User) -> Fact:
    """Make the fact that another user, who is not named, asked for the address of this one."""
    fact = user_fact(owner, UserAddressWanted(**payload_fields(owner)))
    stranger = Actor(type="anonymous", id="anonymous")
    return replace(fact, outcome=Outcome.DENIED, reason="address-taken", actor=stranger)


def check_mailable(link: Link, *, now: datetime) -> Link:
    """Give a link that is about to be mailed.

    Nothing that a user does makes it void: a mail that the mailbox's budget has counted arrives.

    Raises:
        LinkInvalid: it is over.
    """
    if not link.id.startswith(_ADDRESS) or now >= _end(link):
        raise LinkInvalid
    return link


def check_link(user: User | None, link: Link, *, now: datetime) -> Address:
    """Give the address that the user waits for, and that the link proves.

    Raises:
        LinkInvalid: the user does not wait for the address of the link, or one of both is over.
    """
    if (
        user is None
        or user.new_email is None
        or user.new_email_key is None
        or user.new_email_made_at is None
        or link.id != _address_id(user.new_email_key)
        or now >= user.new_email_made_at + CHANGE_LIFETIME
        or now >= _end(link)
    ):
        raise LinkInvalid
    return Address(typed=user.new_email, key=user.new_email_key)


def confirmed_by(user: User | None, link: Link, *, now: datetime) -> bool:
    """Return whether the user has the address that a link proves: its first use did its work."""
    return user is not None and link.id == _address_id(user.email_key) and now < _end(link)


def _address_id(address_key: str) -> str:
    return _ADDRESS + sha256(address_key.encode()).hexdigest()[:32]


def _link_to(address_key: str, *, now: datetime) -> Link:
    """The link that proves an address; its generation is the minute in which it was asked for."""
    return Link(id=_address_id(address_key), generation=int(now.timestamp()) // 60)


def _end(link: Link) -> datetime:
    return datetime.fromtimestamp(link.generation * 60, UTC) + CHANGE_LIFETIME


def change(
    user: User, address: Address, *, now: datetime, session_began: datetime
) -> tuple[User, Fact]:
    """Give the user another address; links to the former one that reset the password are dead.

    The former address can be restored by a link of its own. A user who goes back to an address that
    could be restored is where they were: the links to addresses since then end.
    """
    former = _after_change(user, address, now=now, session_began=session_began)
    newest = former[-1] if former and former[-1].generation > user.undo_generation else None
    changed = replace(
        _at(user, address, now=now),
        former_addresses=former,
        undo_generation=user.undo_generation if newest is None else newest.generation,
    )
    payload = UserEmailChanged(
        **localized_fields(changed),
        previous_email=user.email,
        undo_generation=None if newest is None else newest.generation,
        undo_until=None if newest is None else newest.until,
    )
    return changed, _moved(changed, payload, before=user.email)


def _after_change(
    user: User, address: Address, *, now: datetime, session_began: datetime | None = None
) -> tuple[FormerAddress, ...]:
    """The former addresses that can be restored after a change to this one, the oldest first."""
    kept: list[FormerAddress] = []
    for one in user.former_addresses:
        if now < one.until:
            if one.email_key == address.key:
                return tuple(kept)
            kept.append(one)
    present = FormerAddress(
        email=user.email,
        email_key=user.email_key,
        generation=user.undo_generation + 1,
        until=now + UNDO_LIFETIME,
        session_began=session_began,
    )
    return (*kept, present)


def check_undo(user: User | None, *, generation: int, now: datetime) -> FormerAddress:
    """Give the former address that a link restores.

    Raises:
        LinkInvalid: the link is used or expired, or an older address was restored.
    """
    for one in () if user is None else user.former_addresses:
        if one.generation == generation and now < one.until:
            return one
    raise LinkInvalid


def restored_by(user: User | None, *, generation: int, now: datetime) -> bool:
    """Return whether a link has restored the address that the user has: it did its work."""
    done = None if user is None else user.restored
    return (
        user is not None
        and done is not None
        and done.generation == generation
        and done.email_key == user.email_key
        and now < done.until
    )


def restore(user: User, former: FormerAddress, *, now: datetime) -> tuple[User, Fact]:
    """Give the user a former address back, without a password: a thief knows the present one.

    Links to addresses that the user had later end: a thief may have chosen these. Those to earlier
    ones stay, for this one may be the thief's.
    """
    address = Address(typed=former.email, key=former.email_key)
    restored = replace(
        _at(user, address, now=now),
        password_hash=None,
        password_imported=False,
        password_taken=True,
        former_addresses=tuple(
            one for one in user.former_addresses if one.generation < former.generation
        ),
        restored=former,
        known_devices=(),
    )
    payload = UserEmailRestored(**localized_fields(restored), previous_email=user.email)
    return restored, _moved(restored, payload, before=user.email)


def suspect_since(former: FormerAddress) -> datetime:
    """Give the moment from which on a thief may have acted, if the former address is restored."""
    since = former.until - UNDO_LIFETIME - BEFORE_A_CHANGE
    return since if former.session_began is None else min(since, former.session_began)


def kept_factors(factors: SecondFactors, former: FormerAddress) -> SecondFactors:
    """Give the second factors that an undo leaves.

    A thief may have added the others, see `suspect_since`. Recovery codes without a date may be a
    thief's, too.
    """
    since = suspect_since(former)
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
