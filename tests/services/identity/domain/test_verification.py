"""The rules of e-mail verification as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.identity.domain.verification import (
    LinkInvalid,
    check_mailable,
    may_resend,
    resend,
    verify,
)
from tests.services.identity.domain.rows import NOON, USER

WEEK = timedelta(days=7)
MOMENT = timedelta(milliseconds=1)
VERIFIED = replace(USER, verified_at=NOON)


@pytest.mark.rule("B1")
@pytest.mark.parametrize("after", [timedelta(), WEEK - MOMENT])
def test_the_newest_link_verifies_the_address_within_seven_days(after: timedelta) -> None:
    user, facts = verify(USER, generation=2, verified_user=None, now=NOON + after)
    assert user.verified_at == NOON + after
    assert [fact.payload.type for fact in facts] == ["identity.user.verified.v1"]


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("generation", "after", "verified_user"),
    [
        (2, WEEK, None),
        (1, timedelta(), None),
        (3, timedelta(), None),
        (2, timedelta(), VERIFIED),
    ],
)
def test_another_link_does_not_verify_the_address(generation, after, verified_user) -> None:
    with pytest.raises(LinkInvalid):
        verify(USER, generation=generation, verified_user=verified_user, now=NOON + after)


@pytest.mark.parametrize(
    ("generation", "after", "works"),
    [
        (2, timedelta(), True),
        (2, timedelta(minutes=10), True),
        (2, timedelta(minutes=10) + MOMENT, False),
        (1, timedelta(), False),
    ],
)
def test_a_used_link_works_again_for_ten_minutes(generation, after, *, works: bool) -> None:
    if works:
        outcome = verify(VERIFIED, generation=generation, verified_user=VERIFIED, now=NOON + after)
        assert outcome == (VERIFIED, ())
    else:
        with pytest.raises(LinkInvalid):
            verify(VERIFIED, generation=generation, verified_user=VERIFIED, now=NOON + after)


@pytest.mark.parametrize(
    ("user", "generation", "after", "mailable"),
    [
        (USER, 2, timedelta(), True),
        (USER, 2, WEEK - MOMENT, True),
        (USER, 2, WEEK, False),
        (USER, 1, timedelta(), False),
        (VERIFIED, 2, timedelta(), False),
        (None, 2, timedelta(), False),
    ],
)
def test_check_mailable(user, generation, after, *, mailable: bool) -> None:
    if mailable:
        assert check_mailable(user, generation=generation, now=NOON + after) is user
    else:
        with pytest.raises(LinkInvalid):
            check_mailable(user, generation=generation, now=NOON + after)


@pytest.mark.parametrize(
    ("newest", "verified_user", "after", "allowed"),
    [
        (USER, None, timedelta(), True),
        (USER, None, WEEK, False),
        (USER, VERIFIED, timedelta(), False),
        (None, None, timedelta(), False),
    ],
)
def test_may_resend(newest, verified_user, after, *, allowed: bool) -> None:
    assert may_resend(newest, verified_user=verified_user, now=NOON + after) is allowed


def test_a_resend_makes_the_next_generation_and_a_verified_user_none() -> None:
    asked, (fact,) = resend(USER)
    assert asked.generation == 3
    assert fact.payload.model_dump()["generation"] == 3
    assert resend(VERIFIED) == (VERIFIED, ())
