"""Denied decisions are counted by minute, and within bounds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec import structs

from services.authz.domain.decision_counts import DecisionCounts, Denied
from tests.services.authz.histories import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ACCOUNT = "acc_1"


def denied(resource_id: str = "i-1", account_id: str = ACCOUNT) -> Denied:
    return Denied(account_id, "usr_1", "instance:write", resource_id, None, "permission-missing")


def told(
    denials: DecisionCounts[Denied], now: datetime, limit: int = 100
) -> list[tuple[str | None, int]]:
    """The resources and numbers of the counts that are due."""
    batch = denials.take(now, limit=limit)
    assert all(times.first <= times.last for _, times in (*batch.counts, *batch.losses))
    return [(each.resource_id, times.number) for each, times in batch.counts]


def lost(denials: DecisionCounts[Denied], now: datetime, limit: int = 100) -> dict[str | None, int]:
    return {each: times.number for each, times in denials.take(now, limit=limit).losses}


def test_the_first_denial_is_told_at_once_and_the_rest_after_the_minute() -> None:
    denials = DecisionCounts[Denied]()
    denials.note(denied(), NOON)
    assert told(denials, NOON) == [("i-1", 1)]
    denials.note(denied(), NOON + SECOND)
    denials.note(denied(), NOON + 5 * SECOND)
    assert told(denials, NOON + 59 * SECOND) == []
    [(each, times)] = denials.take(NOON + MINUTE, limit=100).counts
    assert (each, times.number) == (denied(), 2)
    assert (times.first, times.last) == (NOON + SECOND, NOON + 5 * SECOND)
    assert told(denials, NOON + 2 * MINUTE) == []


def test_a_denial_in_the_next_minute_ends_the_minute_before() -> None:
    denials = DecisionCounts[Denied]()
    denials.note(denied(), NOON)
    assert told(denials, NOON) == [("i-1", 1)]
    denials.note(denied(), NOON + SECOND)
    denials.note(denied(), NOON + MINUTE)
    assert told(denials, NOON + MINUTE) == [("i-1", 1), ("i-1", 1)]


def test_each_resource_subject_permission_and_reason_is_counted_apart() -> None:
    denials = DecisionCounts[Denied]()
    others = [
        structs.replace(denied(), **change)
        for change in (
            {"resource_id": "i-2"},
            {"user_id": "usr_2"},
            {"permission": "instance:view"},
            {"reason": "not-owner"},
        )
    ]
    for each in (denied(), *others, *others):
        denials.note(each, NOON)
    numbers = [times.number for _, times in denials.take(NOON, limit=100).counts]
    assert numbers == [1, 2, 2, 2, 2]


def test_an_account_has_a_bound_in_each_minute_and_the_rest_is_a_number() -> None:
    denials = DecisionCounts[Denied](max_of_account=3)
    for number in range(5):
        denials.note(denied(f"i-{number}"), NOON)
        denials.note(denied(f"i-{number}"), NOON)
    denials.note(denied(account_id="acc_2"), NOON)
    assert told(denials, NOON) == [("i-0", 2), ("i-1", 2), ("i-2", 2), ("i-1", 1)]
    assert lost(denials, NOON + SECOND) == {}
    assert lost(denials, NOON + MINUTE) == {ACCOUNT: 4}
    denials.note(denied("i-9"), NOON + MINUTE)
    assert told(denials, NOON + MINUTE) == [("i-9", 1)]


@pytest.mark.rule("B15")
def test_the_memory_of_denials_that_wait_is_bounded() -> None:
    denials = DecisionCounts[Denied](max_counts=10, max_of_account=100, max_losses=3)
    now = NOON
    for number in range(1_000):
        now += SECOND
        denials.note(denied(f"i-{number}", f"acc_{number % 50}"), now)
        assert len(denials) <= 11
    counts = losses = 0
    for _ in range(10):
        batch = denials.take(now + MINUTE, limit=10)
        counts += sum(times.number for _, times in batch.counts)
        losses += sum(times.number for _, times in batch.losses)
    assert 0 < counts < 100
    assert counts + losses == 1_000


def test_losses_of_many_accounts_are_one_number() -> None:
    denials = DecisionCounts[Denied](max_counts=0, max_losses=2)
    for number in range(5):
        denials.note(denied(account_id=f"acc_{number}"), NOON)
    assert lost(denials, NOON + MINUTE, limit=2) == {"acc_0": 1, "acc_1": 1}
    assert lost(denials, NOON + MINUTE, limit=2) == {None: 3}
    assert lost(denials, NOON + MINUTE) == {}


def test_the_end_of_the_process_makes_everything_due() -> None:
    denials = DecisionCounts[Denied](max_of_account=1)
    denials.note(denied(), NOON)
    denials.take(NOON, limit=100)
    denials.note(denied(), NOON)
    denials.note(denied("i-2"), NOON)
    denials.end()
    batch = denials.take(NOON, limit=100)
    assert ([times.number for _, times in batch.counts], len(batch.losses)) == ([1], 1)
