"""What a background loop does and says while the database is away."""

import pytest

from shared.mongo import DatabaseAway, DatabaseWatch
from shared.mongo.watch import WARNING_SECONDS
from tests.clocks import SetClock


def test_an_absent_database_is_one_warning_in_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    clock = SetClock()
    watch = DatabaseWatch(seconds_now=clock.boottime)
    for _ in range(3):
        with watch.round("Rows wait."):
            raise DatabaseAway("gone")
        with watch.round("Rows wait."):
            pass
    assert caplog.messages == ["The database is away. Rows wait. (gone)"]
    clock.move(WARNING_SECONDS)
    with watch.round("Rows wait."):
        raise DatabaseAway("gone")
    assert len(caplog.messages) == 2


def test_the_watch_tells_whether_the_last_round_was_answered() -> None:
    watch = DatabaseWatch()
    assert not watch.answers
    with watch.round("Rows wait."):
        pass
    assert watch.answers
    with watch.round("Rows wait."):
        raise DatabaseAway("gone")
    assert not watch.answers


def test_the_watch_lets_every_other_failure_pass() -> None:
    with pytest.raises(ValueError, match="broken"), DatabaseWatch().round("Rows wait."):
        raise ValueError("broken")
