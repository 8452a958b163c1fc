"""The rules of a change of address as tables."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.identity.domain import address_change
from services.identity.domain.address_change import (
    BEFORE_A_CHANGE,
    CHANGE_LIFETIME,
    MAX_FORMER_ADDRESSES,
    UNDO_LIFETIME,
    check_link,
    check_mailable,
    check_undo,
)
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.mfa import PendingTotp, RecoveryCode, SecondFactors, Totp
from services.identity.domain.passkeys import Passkey
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.domain.users import User
from shared.addresses import Address, parse_address
from shared.contracts.identity_addresses import AddressLinkRequested, UserEmailChanged
from shared.ids import UserId
from shared.links import Link
from shared.problems import Invalid
from tests.services.identity.domain.rows import NOON, USER

NEW, OTHER = parse_address("ana@new.example"), parse_address("ana@other.example")
THIRD = parse_address("ana@third.example")
MOMENT = timedelta(microseconds=1)
OTHER_USER = replace(USER, id=UserId("usr_2"))
REQUESTED, _ = address_change.request(USER, NEW, now=NOON)
CHANGED, _ = address_change.change(
    replace(REQUESTED, reset_link_made_at=NOON, reset_used_at=NOON),
    NEW,
    now=NOON,
    session_began=NOON,
)


def link_to(address: Address, *, now: datetime = NOON) -> Link:
    """The link that a request mails to an address; another user has asked for it."""
    fact = address_change.link_requested(OTHER_USER, address, now=now).payload
    assert isinstance(fact, AddressLinkRequested)
    assert fact.expires_at == now + CHANGE_LIFETIME
    return Link(id=fact.address_id, generation=fact.generation)


@pytest.mark.parametrize("hours", [-23, 0, 23])
def test_each_link_to_the_new_address_proves_it_for_a_day(hours: int) -> None:
    """Also one that was mailed before, or for another user: the mailbox has it."""
    made_at = NOON + timedelta(hours=hours)
    last = min(NOON, made_at) + CHANGE_LIFETIME - MOMENT
    assert check_link(REQUESTED, link_to(NEW, now=made_at), now=last) == NEW


LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("user", "link", "now"),
    [
        (None, link_to(NEW), NOON),
        (USER, link_to(NEW), NOON),
        (REQUESTED, link_to(OTHER), NOON),
        (REQUESTED, replace(link_to(NEW), id=USER.id), NOON),
        (REQUESTED, link_to(NEW, now=LATER), NOON + CHANGE_LIFETIME),
        (address_change.request(USER, NEW, now=LATER)[0], link_to(NEW), NOON + CHANGE_LIFETIME),
        (address_change.request(REQUESTED, OTHER, now=NOON)[0], link_to(NEW), NOON),
        (CHANGED, link_to(NEW), NOON),
    ],
)
def test_no_other_link_proves_an_address(user, link, now) -> None:
    with pytest.raises(LinkInvalid):
        check_link(user, link, now=now)


def test_a_link_is_mailed_until_its_end() -> None:
    link = link_to(NEW)
    assert check_mailable(link, now=NOON + CHANGE_LIFETIME - MOMENT) == link
    for other, now in ((link, NOON + CHANGE_LIFETIME), (Link(id=USER.id, generation=1), NOON)):
        with pytest.raises(LinkInvalid):
            check_mailable(other, now=now)


@pytest.mark.parametrize("text", ["ana@example.com", "ANA@Example.com"])
def test_the_present_address_is_refused_as_a_new_one(text: str) -> None:
    with pytest.raises(Invalid):
        address_change.request(USER, parse_address(text), now=NOON)


def test_a_changed_address_ends_the_links_that_were_mailed_before() -> None:
    assert (CHANGED.email, CHANGED.email_key) == (NEW.typed, NEW.key)
    assert (CHANGED.new_email, CHANGED.reset_link_made_at, CHANGED.reset_used_at) == (None,) * 3


STOLEN = replace(CHANGED, known_devices=("of a thief",), password_imported=True)
RESTORED, _ = address_change.restore(STOLEN, check_undo(STOLEN, generation=1, now=NOON), now=NOON)


def test_a_restored_user_has_neither_password_nor_devices_of_a_thief() -> None:
    assert (RESTORED.password_hash, RESTORED.password_imported) == (None, False)
    assert (RESTORED.known_devices, RESTORED.password_taken) == ((), True)


@pytest.mark.parametrize(
    ("user", "link", "now", "done"),
    [
        (CHANGED, link_to(NEW), NOON + CHANGE_LIFETIME - MOMENT, True),
        (CHANGED, link_to(NEW), NOON + CHANGE_LIFETIME, False),
        (CHANGED, link_to(OTHER), NOON, False),
        (REQUESTED, link_to(NEW), NOON, False),
        (RESTORED, link_to(NEW), NOON, False),
        (None, link_to(NEW), NOON, False),
    ],
)
def test_a_link_has_done_its_work_while_its_address_is_in_force(user, link, now, done) -> None:
    assert address_change.confirmed_by(user, link, now=now) is done


@pytest.mark.parametrize(
    ("user", "generation", "now", "done"),
    [
        (RESTORED, 1, NOON + UNDO_LIFETIME - MOMENT, True),
        (RESTORED, 1, NOON + UNDO_LIFETIME, False),
        (RESTORED, 2, NOON, False),
        (CHANGED, 1, NOON, False),
        (address_change.change(RESTORED, OTHER, now=NOON, session_began=NOON)[0], 1, NOON, False),
        (None, 1, NOON, False),
    ],
)
def test_an_undo_is_done_while_its_address_is_in_force(user, generation, now, done) -> None:
    assert address_change.restored_by(user, generation=generation, now=now) is done


def moved(
    *addresses: Address, every: timedelta = timedelta(days=1)
) -> tuple[User, list[int | None]]:
    """Ana after a change to each address in turn, and the links that were mailed."""
    user, mailed = USER, []
    for number, address in enumerate(addresses):
        user, fact = address_change.change(
            user, address, now=NOON + number * every, session_began=NOON
        )
        assert isinstance(fact.payload, UserEmailChanged)
        mailed.append(fact.payload.undo_generation)
    return user, mailed


def restorable(user: User, *, now: datetime) -> list[str]:
    """The former addresses whose links work."""
    found = []
    for generation in range(1, 10):
        with contextlib.suppress(LinkInvalid):
            found.append(check_undo(user, generation=generation, now=now).email)
    return found


def test_the_former_address_can_be_restored_for_seven_days() -> None:
    last = NOON + UNDO_LIFETIME - MOMENT
    former = check_undo(CHANGED, generation=1, now=last)
    assert former.email == USER.email
    restored, _ = address_change.restore(CHANGED, former, now=NOON)
    assert (restored.email, restored.password_hash) == (USER.email, None)
    for user, generation, now in (
        (None, 1, NOON),
        (USER, 0, NOON),
        (CHANGED, 2, NOON),
        (CHANGED, 1, NOON + UNDO_LIFETIME),
        (restored, 1, NOON),
    ):
        with pytest.raises(LinkInvalid):
            check_undo(user, generation=generation, now=now)


def test_each_former_address_has_its_own_link_and_seven_days() -> None:
    user, mailed = moved(NEW, OTHER, THIRD)
    assert mailed == [1, 2, 3]
    first, second, third = USER.email, NEW.typed, OTHER.typed
    for days, left in ((3, [first, second, third]), (7, [second, third]), (8, [third]), (9, [])):
        assert restorable(user, now=NOON + timedelta(days=days)) == left


@pytest.mark.parametrize(
    ("generation", "left"),
    [(1, []), (2, [USER.email]), (3, [USER.email, NEW.typed])],
)
def test_a_restored_address_ends_the_links_of_newer_ones(generation, left) -> None:
    user, _ = moved(NEW, OTHER, THIRD)
    former = check_undo(user, generation=generation, now=NOON)
    restored, _ = address_change.restore(user, former, now=NOON)
    assert restorable(restored, now=NOON) == left
    _, fact = address_change.change(
        restored, parse_address("a@fourth.example"), now=NOON, session_began=NOON
    )
    assert isinstance(fact.payload, UserEmailChanged)
    assert fact.payload.undo_generation == 4


@pytest.mark.parametrize(
    ("back_to", "left"),
    [(parse_address(USER.email), []), (NEW, [USER.email])],
)
def test_going_back_to_a_former_address_ends_the_links_since_then(back_to, left) -> None:
    user, mailed = moved(NEW, OTHER, back_to)
    assert mailed[-1] is None
    assert restorable(user, now=NOON) == left


def test_a_user_has_five_former_addresses_at_most() -> None:
    """The oldest is kept: a thief who changes the address often does not lose its owner's link."""
    addresses = [parse_address(f"a{n}@new.example") for n in range(MAX_FORMER_ADDRESSES)]
    user, _ = moved(*addresses, every=timedelta(hours=1))
    now = NOON + timedelta(days=1)
    with pytest.raises(TooManyRequests) as refused:
        address_change.request(user, NEW, now=now)
    assert refused.value.retry_after == timedelta(days=6).total_seconds()
    address_change.request(user, addresses[0], now=now)
    address_change.request(user, NEW, now=NOON + UNDO_LIFETIME)
    assert restorable(user, now=now)[0] == USER.email


SINCE = NOON - BEFORE_A_CHANGE
BEFORE = SINCE - MOMENT
CODES = (RecoveryCode(name="AB", hash="hash"),)
NONE = SecondFactors(user_id=USER.id, version=3)


def app(added_at: datetime) -> Totp:
    return Totp(sealed=b"secret", added_at=added_at, last_step=1)


def passkey(added_at: datetime) -> Passkey:
    return Passkey(
        passkey_id=f"pky_{added_at.microsecond}",
        credential="AA",
        public_key=b"key",
        sign_count=0,
        name="Phone",
        added_at=added_at,
    )


@pytest.mark.parametrize(
    ("factors", "kept"),
    [
        (NONE, NONE),
        (replace(NONE, totp=app(SINCE), codes=CODES, codes_made_at=SINCE), NONE),
        (replace(NONE, passkeys=(passkey(SINCE),), codes=CODES, codes_made_at=SINCE), NONE),
        (replace(NONE, pending=PendingTotp(sealed=b"secret", expires_at=NOON)), NONE),
        (
            replace(NONE, totp=app(BEFORE), passkeys=(passkey(SINCE), passkey(BEFORE))),
            replace(NONE, totp=app(BEFORE), passkeys=(passkey(BEFORE),)),
        ),
        (
            replace(NONE, totp=app(BEFORE), codes=CODES, codes_made_at=BEFORE),
            replace(NONE, totp=app(BEFORE), codes=CODES, codes_made_at=BEFORE),
        ),
        (
            replace(NONE, totp=app(BEFORE), codes=CODES, codes_made_at=SINCE),
            replace(NONE, totp=app(BEFORE)),
        ),
        (replace(NONE, totp=app(BEFORE), codes=CODES), replace(NONE, totp=app(BEFORE))),
        (replace(NONE, totp=app(SINCE), codes=CODES, codes_made_at=BEFORE), NONE),
    ],
    ids=[
        "none",
        "a new app",
        "a new passkey",
        "an app that waits",
        "factors of both",
        "codes of the owner",
        "codes of a thief",
        "codes without a date",
        "codes without a factor",
    ],
)
def test_an_undo_leaves_the_factors_from_before_the_change(
    factors: SecondFactors, kept: SecondFactors
) -> None:
    left = address_change.kept_factors(factors, CHANGED.former_addresses[0])
    assert replace(left, codes_made_at=kept.codes_made_at) == kept


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("began", "since"),
    [
        (None, NOON - timedelta(days=14)),
        (NOON, NOON - timedelta(days=14)),
        (NOON - timedelta(days=13), NOON - timedelta(days=14)),
        (NOON - timedelta(days=40), NOON - timedelta(days=40)),
    ],
)
def test_a_thief_acts_two_weeks_before_or_in_the_session_of_a_change(
    began: datetime | None, since: datetime
) -> None:
    [former] = CHANGED.former_addresses
    assert address_change.suspect_since(replace(former, session_began=began)) == since
