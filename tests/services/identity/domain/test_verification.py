"""The rules of e-mail verification as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.verification import check_link, check_mailable, repeated, use
from tests.services.identity.domain.rows import NOON, PENDING, SESSION

WEEK, MINUTE, MOMENT = timedelta(days=7), timedelta(minutes=1), timedelta(milliseconds=1)
USED = replace(PENDING, used_at=NOON, session_id=SESSION.id)
FRESH = replace(SESSION, generation=1, rotated_at=None)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("pending", "generation", "after", "works"),
    [
        (PENDING, 2, timedelta(), True),
        (PENDING, 2, WEEK - MOMENT, True),
        (PENDING, 2, WEEK, False),
        (PENDING, 1, timedelta(), False),
        (PENDING, 3, timedelta(), False),
        (USED, 2, timedelta(), True),
        (USED, 2, MINUTE, True),
        (USED, 2, MINUTE + MOMENT, False),
        (USED, 1, timedelta(), False),
        (None, 2, timedelta(), False),
    ],
)
def test_the_newest_link_works_a_week_and_a_minute_after_its_use(
    pending, generation, after, *, works: bool
) -> None:
    if works:
        assert check_link(pending, generation=generation, now=NOON + after) is pending
    else:
        with pytest.raises(LinkInvalid):
            check_link(pending, generation=generation, now=NOON + after)


@pytest.mark.parametrize(
    ("pending", "generation", "after", "mailable"),
    [
        (PENDING, 2, timedelta(), True),
        (PENDING, 2, WEEK - MOMENT, True),
        (PENDING, 2, WEEK, False),
        (PENDING, 1, timedelta(), False),
        (USED, 2, timedelta(), False),
        (None, 2, timedelta(), False),
    ],
)
def test_check_mailable(pending, generation, after, *, mailable: bool) -> None:
    if mailable:
        assert check_mailable(pending, generation=generation, now=NOON + after) is pending
    else:
        with pytest.raises(LinkInvalid):
            check_mailable(pending, generation=generation, now=NOON + after)


def test_a_used_link_names_its_session_and_is_deleted_after_a_minute() -> None:
    used = use(PENDING, SESSION, now=NOON)
    assert (used.used_at, used.session_id) == (NOON, SESSION.id)
    assert (PENDING.delete_at, used.delete_at) == (NOON + WEEK, NOON + MINUTE)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("session", "works"),
    [
        (FRESH, True),
        (replace(FRESH, ended_at=NOON), False),
        (replace(FRESH, expires_at=NOON), False),
        (replace(FRESH, generation=2, rotated_at=NOON), False),
        (None, False),
    ],
)
def test_a_used_link_gives_only_a_live_session_without_a_refresh(session, *, works: bool) -> None:
    if works:
        assert repeated(session, now=NOON) is session
    else:
        with pytest.raises(LinkInvalid):
            repeated(session, now=NOON)
