"""The rules of rate limits as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.identity.domain.rate_limits import (
    RECHECK,
    Counted,
    RateLimit,
    RefusedSenders,
    TooManyRequests,
    Window,
    check_limits,
    count_attempt,
    is_reached,
    mail_limit,
    sign_in_limits,
)
from shared.networks import network_of
from shared.quotas import Quota
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
def test_check_limits(count: int, seconds: float, retry_after: int | None) -> None:
    counted = Counted(limit_of("a"), Window(count, NOON + timedelta(seconds=seconds)))
    if retry_after is None:
        check_limits([counted], now=NOON)
    else:
        with pytest.raises(TooManyRequests) as refused:
            check_limits([counted], now=NOON)
        assert refused.value.retry_after == retry_after


def test_the_longest_wait_of_the_reached_limits_is_told() -> None:
    counted = [
        Counted(limit_of(name), Window(count, NOON + timedelta(seconds=seconds)))
        for name, count, seconds in (("short", 6, 30), ("long", 6, 90.5), ("not over", 5, 300))
    ]
    with pytest.raises(TooManyRequests) as refused:
        check_limits(counted, now=NOON)
    assert refused.value.retry_after == 91


@pytest.mark.parametrize(
    ("count", "given_back", "remaining"), [(1, 0, 4), (1, 1, 5), (5, 0, 0), (6, 0, 0)]
)
def test_a_quota_tells_what_is_left(count: int, given_back: int, remaining: int) -> None:
    window = Window(count, NOON + timedelta(seconds=59.2))
    assert Counted(limit_of("a"), window).quota(now=NOON, given_back=given_back) == Quota(
        name="a", limit=5, remaining=remaining, reset_seconds=60, window_seconds=3600
    )


def test_a_sign_in_counts_for_address_and_network_and_for_the_network() -> None:
    network, ana = sign_in_limits("ana@x.example", "1.2.3.4", per_address=10, per_network=200)
    same, bo = sign_in_limits("bo@x.example", "1.2.3.4", per_address=10, per_network=200)
    _, other = sign_in_limits("ana@x.example", "5.6.7.8", per_address=10, per_network=200)
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


@pytest.mark.parametrize(
    ("window", "reached"),
    [
        (None, False),
        (Window(4, NOON + HOUR), False),
        (Window(5, NOON + HOUR), True),
        (Window(9, NOON), False),
    ],
)
def test_is_reached(window: Window | None, *, reached: bool) -> None:
    assert is_reached(window, limit=5, now=NOON) is reached


def limit_of(name: str) -> RateLimit:
    return RateLimit(key=(name,), limit=5, window=HOUR)


def refuses(senders: RefusedSenders, name: str, *, after: timedelta = timedelta()) -> bool:
    return bool(senders.reached([limit_of("free"), limit_of(name)], now=NOON + after))


OVER = Window(6, NOON + HOUR)


def test_a_refused_sender_is_known_until_the_next_look_at_the_database() -> None:
    senders = RefusedSenders()
    assert not refuses(senders, "a")
    senders.add(Counted(limit_of("a"), OVER), now=NOON)
    assert refuses(senders, "a")
    assert not refuses(senders, "b")
    assert refuses(senders, "a", after=RECHECK - timedelta(seconds=1))
    assert not refuses(senders, "a", after=RECHECK)


def test_a_refused_sender_is_free_when_its_window_ends() -> None:
    senders = RefusedSenders()
    senders.add(Counted(limit_of("a"), Window(6, NOON + timedelta(seconds=1))), now=NOON)
    assert refuses(senders, "a")
    assert not refuses(senders, "a", after=timedelta(seconds=1))


def test_a_limit_with_a_free_attempt_again_is_forgotten() -> None:
    senders = RefusedSenders()
    senders.add(Counted(limit_of("a"), OVER), now=NOON)
    senders.forget(limit_of("a"))
    assert not refuses(senders, "a")


def test_the_memory_is_bounded_and_keeps_the_senders_that_still_ask() -> None:
    senders = RefusedSenders(size=3)
    senders.add(Counted(limit_of("real"), OVER), now=NOON)
    for number in range(50):
        senders.add(Counted(limit_of(f"made-up-{number}"), OVER), now=NOON)
        assert refuses(senders, "real")
    assert sum(refuses(senders, f"made-up-{number}") for number in range(50)) == 2
