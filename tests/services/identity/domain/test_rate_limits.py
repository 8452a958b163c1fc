"""The rules of rate limits as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.identity.domain.rate_limits import (
    RateLimit,
    TooManyRequests,
    Window,
    check_limit,
    count_attempt,
    mail_limit,
    network_of,
    sign_in_limits,
)
from tests.services.identity.domain.rows import NOON

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, Window(1, NOON + HOUR)),
        (Window(9, NOON), Window(1, NOON + HOUR)),
        (Window(9, NOON - HOUR), Window(1, NOON + HOUR)),
        (Window(9, NOON + timedelta(milliseconds=1)), Window(10, NOON + timedelta(milliseconds=1))),
        (Window(0, NOON + HOUR), Window(1, NOON + HOUR)),
    ],
)
def test_count_attempt(before: Window | None, after: Window) -> None:
    assert count_attempt(before, now=NOON, length=HOUR) == after


@pytest.mark.parametrize(
    ("count", "seconds", "retry_after"),
    [(5, 60, None), (6, 60, 60), (6, 59.2, 60), (6, 0.2, 1), (6, -3, 1)],
)
def test_check_limit(count: int, seconds: float, retry_after: int | None) -> None:
    window = Window(count, NOON + timedelta(seconds=seconds))
    if retry_after is None:
        check_limit(window, limit=5, now=NOON)
    else:
        with pytest.raises(TooManyRequests) as refused:
            check_limit(window, limit=5, now=NOON)
        assert refused.value.retry_after == retry_after


def test_a_sign_in_counts_for_address_and_network_and_for_the_network() -> None:
    ana, network = sign_in_limits("ana@x.example", "1.2.3.4", per_address=10, per_network=200)
    bo, same = sign_in_limits("bo@x.example", "1.2.3.4", per_address=10, per_network=200)
    other, _ = sign_in_limits("ana@x.example", "5.6.7.8", per_address=10, per_network=200)
    assert len({ana.counter_id, bo.counter_id, other.counter_id, network.counter_id}) == 4
    assert network == same
    assert (ana.limit, network.limit, ana.window) == (10, 200, timedelta(minutes=15))


def test_requests_for_mails_count_for_their_network() -> None:
    network, elsewhere = (mail_limit(ip, per_network=100) for ip in ("1.2.3.4", "5.6.7.8"))
    assert network.counter_id != elsewhere.counter_id
    assert (network.limit, network.window) == (100, HOUR)


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        (None, "unknown"),
    ],
)
def test_network_of(ip: str | None, network: str) -> None:
    assert network_of(ip) == network


def test_a_counter_id_hides_the_address_and_separates_the_parts() -> None:
    one = RateLimit(key=("login", "a@x.example", "1"), limit=1, window=timedelta(1))
    other = RateLimit(key=("login", "a@x.example1", ""), limit=1, window=timedelta(1))
    assert "a@x" not in one.counter_id
    assert one.counter_id != other.counter_id
