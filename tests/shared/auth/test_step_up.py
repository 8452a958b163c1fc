"""How long a proof of who a user is counts as fresh."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.auth.step_up import StepUpRequired, is_fresh, require_fresh

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds_ago", "fresh"),
    [(0, True), (299, True), (300, False), (10**6, False), (-5, True), (-6, False)],
)
def test_a_proof_counts_for_five_minutes_and_never_before_it(seconds_ago, fresh):
    assert is_fresh(NOW - timedelta(seconds=seconds_ago), now=NOW) is fresh


def test_no_proof_is_not_fresh():
    with pytest.raises(StepUpRequired):
        require_fresh(None, now=NOW)
