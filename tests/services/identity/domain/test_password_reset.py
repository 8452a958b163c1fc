"""The rules of the password reset as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.password_reset import check_link, check_repeat, request
from services.identity.domain.passwords import change
from tests.services.identity.domain.rows import NOON, USER

HOUR, MOMENT = timedelta(hours=1), timedelta(milliseconds=1)
YOUNG = timedelta(minutes=15)
ASKED = replace(USER, reset_generation=2, reset_link_made_at=NOON)
USED = replace(USER, reset_generation=2)


@pytest.mark.parametrize(
    ("user", "after", "generation", "made_after"),
    [
        (USER, timedelta(), 1, timedelta()),
        (ASKED, timedelta(), 2, timedelta()),
        (ASKED, YOUNG - MOMENT, 2, timedelta()),
        (ASKED, YOUNG, 3, YOUNG),
        (USED, timedelta(), 3, timedelta()),
    ],
)
def test_a_repeated_request_mails_the_same_link_while_it_is_young(
    user, after, generation, made_after
) -> None:
    asked, fact = request(user, now=NOON + after)
    assert (asked.reset_generation, asked.reset_link_made_at) == (generation, NOON + made_after)
    payload = fact.payload.model_dump()
    assert (payload["generation"], payload["expires_at"]) == (generation, NOON + made_after + HOUR)
    assert asked.password_hash == user.password_hash


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("user", "generation", "after", "works"),
    [
        (ASKED, 2, timedelta(), True),
        (ASKED, 2, HOUR - MOMENT, True),
        (ASKED, 2, HOUR, False),
        (ASKED, 1, timedelta(), False),
        (ASKED, 3, timedelta(), False),
        (USED, 2, timedelta(), False),
        (USER, 0, timedelta(), False),
        (None, 2, timedelta(), False),
    ],
)
def test_the_newest_link_works_once_within_an_hour(user, generation, after, *, works: bool) -> None:
    if works:
        assert check_link(user, generation=generation, now=NOON + after) is user
    else:
        with pytest.raises(LinkInvalid):
            check_link(user, generation=generation, now=NOON + after)


@pytest.mark.parametrize("by_reset", [True, False])
def test_a_new_password_ends_the_link_that_resets_it(*, by_reset: bool) -> None:
    changed, [fact] = change(ASKED, "new hash", by_reset=by_reset, now=NOON)
    assert (changed.password_hash, changed.reset_link_made_at) == ("new hash", None)
    assert fact.payload.model_dump()["by_reset"] is by_reset
    assert "hash" not in repr(fact)
    with pytest.raises(LinkInvalid):
        check_link(changed, generation=2, now=NOON)


SET = replace(USER, reset_generation=2, reset_used_at=NOON)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("user", "generation", "after", "repeats"),
    [
        (SET, 2, timedelta(), True),
        (SET, 2, timedelta(minutes=1), True),
        (SET, 2, timedelta(minutes=1) + MOMENT, False),
        (SET, 1, timedelta(), False),
        (replace(SET, reset_generation=3), 2, timedelta(), False),
        (change(SET, "other", by_reset=False, now=NOON)[0], 2, timedelta(), False),
        (ASKED, 2, timedelta(), False),
        (None, 2, timedelta(), False),
    ],
)
def test_a_used_link_repeats_for_a_minute_while_nothing_else_changes(
    user, generation, after, *, repeats: bool
) -> None:
    if repeats:
        assert check_repeat(user, generation=generation, now=NOON + after) is user
    else:
        with pytest.raises(LinkInvalid):
            check_repeat(user, generation=generation, now=NOON + after)
