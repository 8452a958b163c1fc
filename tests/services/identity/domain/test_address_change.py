"""The rules of a change of address as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.identity.domain import address_change
from services.identity.domain.address_change import (
    BEFORE_A_CHANGE,
    CHANGE_LIFETIME,
    UNDO_LIFETIME,
    YOUNG_LINK,
    check_link,
    check_undo,
)
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.mfa import PendingTotp, RecoveryCode, SecondFactors, Totp
from services.identity.domain.passkeys import Passkey
from shared.addresses import parse_address
from shared.contracts.identity_addresses import UserEmailChanged
from shared.problems import Invalid
from tests.services.identity.domain.rows import NOON, USER

NEW, OTHER = parse_address("ana@new.example"), parse_address("ana@other.example")
MOMENT = timedelta(microseconds=1)
REQUESTED, _ = address_change.request(USER, NEW, now=NOON)
CHANGED, _ = address_change.change(
    replace(REQUESTED, reset_link_made_at=NOON, reset_used_at=NOON), NEW, now=NOON
)


def test_a_link_to_the_new_address_proves_it_for_a_day() -> None:
    last = NOON + CHANGE_LIFETIME - MOMENT
    assert check_link(REQUESTED, generation=1, now=last) == NEW


@pytest.mark.parametrize(
    ("user", "generation", "now"),
    [
        (None, 1, NOON),
        (USER, 0, NOON),
        (USER, 1, NOON),
        (REQUESTED, 2, NOON),
        (REQUESTED, 1, NOON + CHANGE_LIFETIME),
        (CHANGED, 1, NOON),
    ],
)
def test_no_other_link_proves_an_address(user, generation, now) -> None:
    with pytest.raises(LinkInvalid):
        check_link(user, generation=generation, now=now)


@pytest.mark.parametrize(
    ("address", "after", "generation"),
    [
        (NEW, YOUNG_LINK - MOMENT, 1),
        (NEW, YOUNG_LINK, 2),
        (OTHER, timedelta(), 2),
    ],
)
def test_a_link_works_for_the_address_that_it_was_mailed_to_alone(
    address, after, generation
) -> None:
    again, _ = address_change.request(REQUESTED, address, now=NOON + after)
    assert again.new_email_generation == generation
    assert check_link(again, generation=generation, now=NOON + after) == address


@pytest.mark.parametrize("text", ["ana@example.com", "ANA@Example.com"])
def test_the_present_address_is_refused_as_a_new_one(text: str) -> None:
    with pytest.raises(Invalid):
        address_change.request(USER, parse_address(text), now=NOON)


def test_a_changed_address_ends_the_links_that_were_mailed_before() -> None:
    assert (CHANGED.email, CHANGED.email_key) == (NEW.typed, NEW.key)
    assert (CHANGED.new_email, CHANGED.reset_link_made_at, CHANGED.reset_used_at) == (None,) * 3


def test_the_former_address_can_be_restored_for_seven_days() -> None:
    former = parse_address(USER.email)
    assert check_undo(CHANGED, generation=1, now=NOON + UNDO_LIFETIME - MOMENT) == former
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


@pytest.mark.parametrize(
    ("after", "restores"),
    [(UNDO_LIFETIME - MOMENT, USER.email), (UNDO_LIFETIME, NEW.typed)],
)
def test_a_second_change_keeps_the_first_address_restorable(after, restores) -> None:
    again, fact = address_change.change(CHANGED, OTHER, now=NOON + after)
    assert again.undo_email == restores
    assert isinstance(fact.payload, UserEmailChanged)
    told = fact.payload.undo_generation
    assert told == (None if restores == USER.email else 2)


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
    left = address_change.kept_factors(factors, CHANGED)
    assert replace(left, codes_made_at=kept.codes_made_at) == kept
