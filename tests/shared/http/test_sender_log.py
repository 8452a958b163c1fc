"""The log of refused senders stays short in a crowd."""

import logging
from collections.abc import Iterator

import pytest

from shared.http.lanes import Overloaded, TooManyAtOnce
from shared.http.sender_log import MAX_NETWORKS, SECONDS, SenderLog
from shared.problems import NotFound, Unavailable

LOGGER = "shared.http.sender_log"


class Moment:
    """Seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def log(moment: Moment, caplog: pytest.LogCaptureFixture) -> Iterator[SenderLog]:
    with caplog.at_level(logging.WARNING, LOGGER):
        yield SenderLog(seconds_now=moment)


def networks(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["network"] for record in caplog.records if record.name == LOGGER]


def test_a_network_is_logged_once_in_ten_seconds(log, moment, caplog):
    for seconds in (0, 5, SECONDS - 0.1, SECONDS, SECONDS + 5):
        moment.now = 100.0 + seconds
        for number in range(3):
            log.refused(Overloaded(), f"2001:db8::{number}")
    assert networks(caplog) == ["2001:db8::/64"] * 2


def test_a_crowd_writes_a_limited_number_of_lines(log, moment, caplog):
    for number in range(1000):
        log.refused(TooManyAtOnce(retry_after=1), f"198.51.{number % 250}.{number // 250}")
    assert len(networks(caplog)) == MAX_NETWORKS
    moment.now += SECONDS
    log.refused(TooManyAtOnce(retry_after=1), "203.0.113.1")
    assert networks(caplog)[-1] == "203.0.113.1"


@pytest.mark.parametrize("refusal", [NotFound(), Unavailable()])
def test_refusals_for_other_reasons_are_not_logged(log, caplog, refusal):
    log.refused(refusal, "203.0.113.1")
    assert not networks(caplog)
