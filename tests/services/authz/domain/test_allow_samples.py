"""Allowed checks are drawn by their permission, and counted within bounds of their own."""

import random

import pytest

from services.authz.domain.allow_samples import EVERY, NO_SAMPLES, AllowSamples
from services.authz.domain.checks import PermissionCheck
from services.authz.domain.decision_counts import MAX_OF_ACCOUNT, Allowed
from tests.lengths import SEED
from tests.services.authz.histories import NOON

SAMPLES = {"instance:delete": 1, EVERY: 10}


def note(samples: AllowSamples, permission: str, *, user: str = "usr_1") -> None:
    check = PermissionCheck(user_id=user, account_id="acc_1", permission=permission)
    samples.note("acc_1", check, None, NOON)


@pytest.mark.rule("B15")
def test_each_permission_is_drawn_as_often_as_it_says() -> None:
    samples = AllowSamples(SAMPLES, chance=random.Random(SEED).random)
    for _ in range(1_000):
        note(samples, "instance:delete")
        note(samples, "instance:view")
    told = samples.counts.take(NOON, limit=10).counts
    drawn = {each.permission: (each.one_of, times.number) for each, times in told}
    assert drawn["instance:delete"] == (1, 1_000)
    one_of, number = drawn["instance:view"]
    assert one_of == 10
    assert 60 < number < 140


def test_what_is_not_named_is_never_drawn() -> None:
    for samples in (AllowSamples({"instance:delete": 1}, chance=lambda: 0.0), NO_SAMPLES):
        note(samples, "instance:view")
        assert len(samples.counts) == 0
    assert NO_SAMPLES.any is False


@pytest.mark.parametrize(("chance", "drawn"), [(0.0, 1), (0.0999, 1), (0.1, 0), (0.9999, 0)])
def test_one_of_ten_numbers_of_chance_draws(chance: float, drawn: int) -> None:
    samples = AllowSamples({EVERY: 10}, chance=lambda: chance)
    note(samples, "instance:view")
    assert len(samples.counts) // 2 == drawn


def test_drawn_allows_beyond_the_bound_are_counted_without_detail() -> None:
    samples = AllowSamples({EVERY: 1})
    for number in range(MAX_OF_ACCOUNT + 7):
        note(samples, "instance:view", user=f"usr_{number}")
    batch = samples.counts.take(NOON, limit=1_000)
    assert [type(each) for each, _ in batch.counts] == [Allowed] * MAX_OF_ACCOUNT
    samples.counts.end()
    [(account_id, times)] = samples.counts.take(NOON, limit=1_000).losses
    assert (account_id, times.number) == ("acc_1", 7)
