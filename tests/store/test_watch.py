"""What a background loop does and says while the database is away."""

import logging

import pytest

from shared.mongo import DatabaseAway, DatabaseWatch
from shared.problems import Unavailable
from tests.clocks import SetClock


def test_an_absent_database_is_told_once_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = SetClock()
    watch = DatabaseWatch("Rows wait.", seconds_now=clock.boottime)
    for _ in range(3):
        with watch.round():
            raise DatabaseAway("gone")
        clock.move(1)
    for _ in range(3):
        with watch.round():
            pass
    assert caplog.messages == ["The database is away.", "The database is back."]
    assert {vars(record)["effect"] for record in caplog.records} == {"Rows wait."}
    assert vars(caplog.records[0])["error"] == "gone"


def test_the_watch_tells_whether_the_last_round_was_answered() -> None:
    watch = DatabaseWatch("Rows wait.")
    assert not watch.answers
    with watch.round():
        pass
    assert watch.answers
    with watch.round():
        raise DatabaseAway("gone")
    assert not watch.answers


@pytest.mark.parametrize(
    "problem",
    [Unavailable(), ExceptionGroup("two accounts", [Unavailable(), DatabaseAway("gone")])],
)
def test_a_transaction_without_an_end_counts_as_an_absent_database(problem: Exception) -> None:
    watch = DatabaseWatch("Rows wait.", transactions=True)
    with watch.round():
        pass
    with watch.round():
        raise problem
    assert not watch.answers


def test_the_watch_passes_on_what_else_failed_beside_an_absent_database() -> None:
    watch = DatabaseWatch("Rows wait.", transactions=True)
    both = ExceptionGroup("two accounts", [Unavailable(), ValueError("broken")])
    with pytest.raises(ExceptionGroup) as passed, watch.round():
        raise both
    assert [str(problem) for problem in passed.value.exceptions] == ["broken"]
    assert not watch.answers


def test_another_service_that_is_away_is_not_taken_for_the_database() -> None:
    with pytest.raises(Unavailable), DatabaseWatch("Rows wait.").round():
        raise Unavailable


def test_the_watch_lets_every_other_failure_pass() -> None:
    with pytest.raises(ValueError, match="broken"), DatabaseWatch("Rows wait.").round():
        raise ValueError("broken")
