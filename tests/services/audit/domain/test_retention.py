"""How long records are kept, and up to where those of a tree have ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.audit.domain.retention import (
    ENDED,
    SHORTENING_WAIT,
    EndSearch,
    RecordedAt,
    Retention,
)
from tests.services.rows import NOON

DAY = timedelta(days=1)


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [
        (None, 30, True),
        (365, 30, True),
        (31, 30, True),
        (30, 30, False),
        (30, 31, False),
        (30, None, False),
        (None, None, False),
    ],
)
def test_only_what_ends_records_sooner_waits(before, after, waits):
    changed = Retention(days=before).changed(after, now=NOON)
    assert (changed.days, changed.chosen_at) == (after, NOON)
    assert changed.in_force(NOON) == (before if waits else after)
    over = NOON + SHORTENING_WAIT
    assert changed.in_force(over - timedelta(microseconds=1)) == (before if waits else after)
    assert changed.in_force(over) == after


def test_a_second_change_does_not_shorten_the_wait():
    first = Retention(days=None).changed(365, now=NOON)
    second = first.changed(30, now=NOON + 6 * DAY)
    assert second.in_force(NOON + 12 * DAY) is None
    assert second.in_force(NOON + 13 * DAY) == 30
    third = second.changed(400, now=NOON + 7 * DAY)  # sooner than what is in force: without a limit
    assert third.in_force(NOON + 13 * DAY) is None
    assert third.in_force(NOON + 14 * DAY) == 400


def test_a_shorter_retention_can_be_taken_back_while_it_waits():
    shortened = Retention(days=365).changed(30, now=NOON)
    taken_back = shortened.changed(365, now=NOON + DAY)
    assert {taken_back.in_force(NOON + day * DAY) for day in range(1, 30)} == {365}


def test_the_cutoff_is_the_days_in_force_before_now():
    assert Retention(days=None).cutoff(NOON) is None
    assert Retention(days=30).cutoff(NOON) == NOON - 30 * DAY


def found(*records: tuple[float, str] | None) -> int | None:
    """Up to where records have ended whose cutoff is noon: each is that number of days older."""
    search = EndSearch(NOON)
    for index, record in enumerate(records, start=10):
        known = record and RecordedAt(
            id=f"evt_{index}",
            recorded_at=NOON - record[0] * DAY,
            occurred_at=NOON,
            action=record[1],
        )
        if not search.goes_on(index, known):
            break
    return search.found


OLD, YOUNG, TELLS = (2, "member.removed"), (-1, "member.removed"), (2, ENDED)


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("records", "until"),
    [
        ((), None),
        ((YOUNG, OLD), None),
        (((0, "member.removed"),), None),  # exactly as old as the cutoff
        ((OLD,), 11),
        ((OLD, OLD, YOUNG, OLD), 12),
        ((None, OLD, YOUNG), 12),  # what is gone ends with a later one
        ((OLD, None, YOUNG), 11),
        ((None, None), None),
        ((TELLS, TELLS), None),  # records of ends do not end by themselves
        ((TELLS, OLD), 12),
        ((OLD, TELLS, YOUNG), 12),
    ],
)
def test_records_end_in_the_order_of_their_tree(records, until):
    assert found(*records) == until
