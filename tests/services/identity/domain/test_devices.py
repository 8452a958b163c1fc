"""How devices are named, and which of them are news, as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.domain.devices import (
    MAX_KNOWN_DEVICES,
    UNKNOWN_DEVICE,
    UNKNOWN_NETWORK,
    Origin,
    device_of,
    remember,
    shown_network,
)
from tests.services.identity.domain.rows import ORIGIN, USER

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
_SAMSUNG = (
    "Mozilla/5.0 (Linux; Android 14; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko)"
    " SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"
)
_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.4 Safari/605.1.15"
)
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Safari/537.36", "Chrome on Windows"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Safari/537.36 Edg/141.0.0.0",
            "Edge on Windows",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Safari/537.36", "Chrome on ChromeOS"),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Mobile Safari/537.36 OPR/92.0.0.0",
            "Opera on Android",
        ),
        (_SAMSUNG, "Samsung Internet on Android"),
        (
            f"{_IPHONE} (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"{_IPHONE} (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (_MAC, "Safari on macOS"),
        ("curl/8.5.0", "curl"),
        ("Python/3.12 aiohttp/3.10.1", "Python program"),
        ("", UNKNOWN_DEVICE),
        (None, UNKNOWN_DEVICE),
        ("Call 0900 123456 at https://evil.example <b>now</b>", UNKNOWN_DEVICE),
        ("x" * 10_000 + " Firefox/140.0", UNKNOWN_DEVICE),
    ],
)
def test_a_device_is_named_in_words_of_ours(user_agent: str | None, device: str) -> None:
    assert device_of(user_agent) == device


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("see https://evil.example", UNKNOWN_NETWORK),
        (None, UNKNOWN_NETWORK),
    ],
)
def test_only_a_network_is_shown_as_a_network(ip: str | None, network: str) -> None:
    assert shown_network(ip) == network


def other(number: int) -> Origin:
    return Origin(device="curl", network=f"203.0.113.{number}")


def test_a_second_device_or_network_is_news_and_the_first_is_not() -> None:
    first, told = remember(USER, ORIGIN)
    assert not told
    assert remember(first, ORIGIN) == (first, False)
    for origin in (replace(ORIGIN, device="curl"), replace(ORIGIN, network="203.0.113.8")):
        changed, told = remember(first, origin)
        assert told
        assert remember(changed, origin) == (changed, False)
        assert remember(changed, ORIGIN) == (changed, False)


def test_a_user_has_a_bounded_number_of_known_devices() -> None:
    user = USER
    for number in range(MAX_KNOWN_DEVICES + 1):
        user, _ = remember(user, other(number))
    assert len(user.known_devices) == MAX_KNOWN_DEVICES
    assert remember(user, other(1)) == (user, False)
    assert remember(user, other(0))[1]
