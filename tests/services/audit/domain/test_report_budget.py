"""A service client reports a bounded number of bytes, and no more than the log keeps up with."""

from datetime import timedelta

import pytest

from services.audit.domain.report_budget import (
    ReportBudget,
    TooManyReports,
    TooManyReportsWaiting,
)
from shared.contracts.facts import Position
from tests.services.rows import NOON

ONE, OTHER = "cli_1", "cli_2"


def at(seconds: float):
    return NOON + timedelta(seconds=seconds)


def took(budget: ReportBudget, client: str, size: int, seconds: float) -> int | None:
    """The seconds that the client is told to wait; `None` if the bytes are taken."""
    try:
        budget.take(client, size, now=at(seconds))
    except TooManyReports as refusal:
        return refusal.retry_after
    return None


@pytest.mark.rule("T19")
def test_a_client_reports_as_many_bytes_within_a_minute_as_it_may():
    budget = ReportBudget(limit=600)
    taken = 0
    for second in range(120):
        taken += 50 * (took(budget, ONE, 50, second) is None)
    assert taken <= 600 + 2 * 600
    assert (took(budget, ONE, 600, 119) or 0) > 50
    assert took(budget, OTHER, 600, 119) is None


def test_a_client_that_waits_as_told_is_taken_and_not_earlier():
    budget = ReportBudget(limit=600)
    assert took(budget, ONE, 600, 0) is None
    assert took(budget, ONE, 100, 0) == 10
    assert took(budget, ONE, 100, 9) == 1
    assert took(budget, ONE, 100, 10) is None


def test_what_is_refused_does_not_count_and_what_is_left_is_told():
    budget = ReportBudget(limit=600)
    assert budget.take(ONE, 450, now=NOON).remaining == 150
    for _ in range(9):
        assert took(budget, ONE, 200, 0) == 5
    assert budget.take(ONE, 150, now=NOON).remaining == 0
    quota = budget.take(ONE, 10, now=at(31))
    assert (quota.remaining, quota.reset_seconds, quota.window_seconds) == (300, 30, 60)


def test_a_request_beyond_the_limit_is_taken_once_nothing_else_counts():
    budget = ReportBudget(limit=600)
    assert took(budget, ONE, 700, 0) is None
    assert took(budget, ONE, 700, 1) == 69
    assert took(budget, ONE, 700, 70) is None


def test_a_client_waits_until_the_log_has_its_reports_and_others_do_not():
    budget = ReportBudget(most_unrecorded=10)
    budget.wrote(ONE, Position("audit", "e1", 3, 8), 8)
    budget.wrote(ONE, Position("audit", "e1", 4, 5), 5)
    behind = {"audit": ("e1", {3: 7, 4: 4})}
    with pytest.raises(TooManyReportsWaiting):
        budget.require_recorded(ONE, behind)
    budget.require_recorded(OTHER, behind)
    budget.require_recorded(ONE, {"audit": ("e1", {3: 8})})
    budget.require_recorded(ONE, behind)


@pytest.mark.parametrize(
    ("applied", "waits"),
    [({}, True), ({"audit": ("e1", {})}, True), ({"audit": ("e2", {})}, False)],
)
def test_reports_of_an_epoch_that_is_over_are_not_waited_for(applied, waits):
    budget = ReportBudget(most_unrecorded=1)
    budget.wrote(ONE, Position("audit", "e1", 3, 8), 2)
    told = False
    try:
        budget.require_recorded(ONE, applied)
    except TooManyReportsWaiting:
        told = True
    assert told is waits
