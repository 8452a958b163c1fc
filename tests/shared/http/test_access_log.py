"""The lines of answers that loops poll."""

import logging
from collections.abc import Iterator

import pytest

from shared.http.access_log import SECONDS, AccessLog
from tests.clocks import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def log(clock: SetClock, caplog: pytest.LogCaptureFixture) -> Iterator[AccessLog]:
    with caplog.at_level(logging.INFO, "rolecall.access"):
        yield AccessLog(seconds_now=clock.boottime)


def statuses(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [vars(record)["status"] for record in caplog.records]


def test_each_answer_is_a_line(log: AccessLog, caplog: pytest.LogCaptureFixture) -> None:
    for status in (200, 200, 503, 503):
        log.write("GET", "/v1/me", status, polled=False, ms=1.0)
    assert statuses(caplog) == [200, 200, 503, 503]


def test_a_polled_failure_is_one_line_a_minute_for_each_status(
    log: AccessLog, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10 * 60):
        for status in (200, 503, 401):
            log.write("POST", "/internal/leases", status, polled=True, ms=1.0)
        clock.move(1)
    assert statuses(caplog) == [503, 401] * round(10 * 60 / SECONDS)


def test_each_polled_route_has_its_own_line(
    log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    for route in ("/internal/leases", "/internal/snapshot", "/internal/leases"):
        for method in ("GET", "POST"):
            log.write(method, route, 503, polled=True, ms=1.0)
    told = [(vars(record)["method"], vars(record)["route"]) for record in caplog.records]
    assert told == [
        ("GET", "/internal/leases"),
        ("POST", "/internal/leases"),
        ("GET", "/internal/snapshot"),
        ("POST", "/internal/snapshot"),
    ]
