"""Devices: what a sign-in came from, in words of ours, and which ones a user is known to have.

A User-Agent is text of the sender. Nothing of it is kept or shown: a device is named by this table.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from services.identity.domain.rate_limits import RateLimit
from services.identity.domain.users import User
from shared.contracts.facts import RequestInfo
from shared.ids import UserId
from shared.networks import network_of, read_address

UNKNOWN_DEVICE = "Unknown device"
UNKNOWN_NETWORK = "Unknown network"
MAX_EXAMINED = 400
"""Characters of a User-Agent that are read."""
MAX_KNOWN_DEVICES = 20
NOTICES_A_DAY = 5
"""The mails about new devices that one user gets."""

_BROWSERS = tuple(
    (re.compile(form, re.ASCII), name)
    for form, name in (
        (r"\bEdg(?:e|A|iOS)?/", "Edge"),
        (r"\b(?:OPR|Opera)/", "Opera"),
        (r"\bSamsungBrowser/", "Samsung Internet"),
        (r"\b(?:Firefox|FxiOS)/", "Firefox"),
        (r"\b(?:Chrome|CriOS|Chromium)/", "Chrome"),
        (r"\bVersion/\S+ (?:Mobile/\S+ )?Safari/", "Safari"),
        (r"^curl/", "curl"),
        (r"^(?:rolecall-sdk|rolecall)/", "Rolecall SDK"),
        (r"^(?:python-|Python/|python/)|\baiohttp/", "Python program"),
        (r"^(?:Go-http-client|okhttp|Java|axios|node|PostmanRuntime|Wget)\b", "Program"),
    )
)
_SYSTEMS = tuple(
    (re.compile(form, re.ASCII), name)
    for form, name in (
        (r"\biPhone\b", "iPhone"),
        (r"\biPad\b", "iPad"),
        (r"\bAndroid\b", "Android"),
        (r"\bWindows\b", "Windows"),
        (r"\bCrOS\b", "ChromeOS"),
        (r"\bMac OS X\b|\bMacintosh\b", "macOS"),
        (r"\bLinux\b", "Linux"),
    )
)
"""The first that fits counts: browsers name those that they are compatible with, too."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request comes from: a device in words, and a network."""

    device: str
    network: str

    @property
    def fingerprint(self) -> str:
        """What is kept of it to know it again: of fixed length, and without the network in it."""
        return sha256(f"{self.device}\0{self.network}".encode()).hexdigest()[:32]


def origin_of(request: RequestInfo) -> Origin:
    """Say where a request comes from."""
    return Origin(device=device_of(request.user_agent), network=shown_network(request.ip))


def device_of(user_agent: str | None) -> str:
    """Name the device of a User-Agent: `Firefox on Linux`, `curl`, `Android`."""
    examined = (user_agent or "")[:MAX_EXAMINED]
    found = [
        next((name for form, name in table if form.search(examined)), None)
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return " on ".join(filter(None, found)) or UNKNOWN_DEVICE


def shown_network(ip: str | None) -> str:
    """Give the network of an address; text that is not an address is never shown."""
    if ip is None or read_address(ip) is None:
        return UNKNOWN_NETWORK
    return network_of(ip)


def remember(user: User, origin: Origin) -> tuple[User, bool]:
    """Add a device and network to those of the user; tell whether a mail should say so.

    The first one of all is not news. The oldest ones are forgotten.
    """
    known, fingerprint = user.known_devices, origin.fingerprint
    if fingerprint in known:
        return user, False
    kept = (*known, fingerprint)[-MAX_KNOWN_DEVICES:]
    return replace(user, known_devices=kept), bool(known)


def notice_limit(user_id: UserId) -> RateLimit:
    """Give what a mail about a new device counts against."""
    return RateLimit(key=("new-device", user_id), limit=NOTICES_A_DAY, window=timedelta(days=1))
