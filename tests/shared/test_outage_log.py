"""The log of a server that is away."""

import logging
from collections.abc import Iterator

import pytest

from shared.outage_log import FIRST_INTERVAL_SECONDS, OutageLog
from tests.clocks import SetClock

DAY_SECONDS = 86_400
MAX_LINES_OF_A_DAY = 32
"""One, then one after 1, 3, 7, 15, 31 and 63 minutes, then one an hour, and the end."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def outage(clock: SetClock, caplog: pytest.LogCaptureFixture) -> Iterator[OutageLog]:
    logger = logging.getLogger("tests.outage")
    with caplog.at_level(logging.INFO, logger.name):
        yield OutageLog(logger, "The broker", effect="Rows wait.", seconds_now=clock.boottime)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, float, int]]:
    return [
        (record.levelname, record.getMessage(), vars(record)["seconds"], vars(record)["failures"])
        for record in caplog.records
    ]


def test_an_outage_is_told_when_it_begins_and_when_it_ends(
    outage: OutageLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    outage.back()
    for _ in range(10):
        outage.away(ConnectionError("refused"))
        clock.move(1)
    outage.back()
    outage.back()
    assert told(caplog) == [
        ("WARNING", "The broker is away.", 0, 1),
        ("INFO", "The broker is back.", 10, 10),
    ]
    first, last = caplog.records
    assert (vars(first)["effect"], vars(first)["error"]) == ("Rows wait.", "refused")
    assert vars(last)["effect"] == "Rows wait."


def test_an_error_without_a_text_is_told_by_its_name(
    outage: OutageLog, caplog: pytest.LogCaptureFixture
) -> None:
    outage.away(TimeoutError())
    [record] = caplog.records
    assert vars(record)["error"] == "TimeoutError()"


def test_a_long_outage_is_summarized_at_growing_intervals(
    outage: OutageLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(500):
        outage.away("refused")
        clock.move(1)
    assert told(caplog) == [
        ("WARNING", "The broker is away.", 0, 1),
        ("WARNING", "The broker is still away.", 60, 61),
        ("WARNING", "The broker is still away.", 180, 181),
        ("WARNING", "The broker is still away.", 420, 421),
    ]


def test_a_day_of_failures_is_few_lines(
    outage: OutageLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(DAY_SECONDS):
        outage.away("refused")
        clock.move(1)
    outage.back()
    assert 20 < len(caplog.records) <= MAX_LINES_OF_A_DAY


def test_a_server_that_comes_and_goes_is_two_lines_a_minute_at_most(
    outage: OutageLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3600):
        outage.away("refused")
        outage.back()
        clock.move(1)
    assert 60 < len(caplog.records) <= 2 * 60


def test_an_outage_soon_after_another_is_told_within_a_minute(
    outage: OutageLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4000):
        outage.away("refused")
        clock.move(1)
    outage.back()
    caplog.clear()
    for _ in range(int(FIRST_INTERVAL_SECONDS) + 1):
        outage.away("refused")
        clock.move(1)
    assert [message for _, message, *_ in told(caplog)] == ["The broker is away."]


def test_an_outage_ends_also_without_word_of_the_end(
    outage: OutageLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    outage.away("refused")
    clock.move(FIRST_INTERVAL_SECONDS)
    outage.away("refused")
    assert [message for _, message, *_ in told(caplog)] == ["The broker is away."] * 2


def test_a_user_that_tries_once_a_minute_makes_few_lines_too(
    clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("tests.outage")
    outage = OutageLog(
        logger, "The broker", effect="Rows wait.", pause=60.0, seconds_now=clock.boottime
    )
    for _ in range(10):
        outage.away(ConnectionError("refused"))
        clock.move(61)
    assert [failures for _, _, _, failures in told(caplog)] == [1, 2, 4, 8]
