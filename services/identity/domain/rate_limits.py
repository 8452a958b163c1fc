"""Rate limits: what is counted, in which window, and when a limit is reached."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from math import ceil

from shared.problems import Refusal, RefusalKind

SIGN_IN_WINDOW = timedelta(minutes=15)
MAIL_WINDOW = timedelta(hours=1)


class TooManyRequests(Refusal):
    """A limit is reached; the answer is the same for addresses with and without a user."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-requests"
    detail = (
        "Too many attempts. Wait the number of seconds in the Retry-After header, then try again."
    )


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """At most `limit` attempts in `window` for one `key`."""

    key: tuple[str, ...]
    limit: int
    window: timedelta

    @property
    def counter_id(self) -> str:
        """The id of the counter: of fixed length, and without the address in it."""
        return sha256("\0".join(self.key).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Window:
    """The attempts of one counter and the end of its window."""

    count: int
    ends_at: datetime


def sign_in_limits(
    address_key: str, network: str, *, per_address: int, per_network: int
) -> tuple[RateLimit, ...]:
    """Return what a failed sign-in counts against: the address from this network, and the network.

    Guesses from elsewhere therefore do not lock the user out (`T8`).
    """
    return (
        RateLimit(key=("login", address_key, network), limit=per_address, window=SIGN_IN_WINDOW),
        RateLimit(key=("logins", network), limit=per_network, window=SIGN_IN_WINDOW),
    )


def mail_limit(network: str, *, per_network: int) -> RateLimit:
    """Give what every request for a mail by a stranger counts against: its network (`T14`)."""
    return RateLimit(key=("mails-from", network), limit=per_network, window=MAIL_WINDOW)


def count_attempt(window: Window | None, *, now: datetime, length: timedelta) -> Window:
    """Count one attempt; the first one, or one after the end, opens a new window."""
    if window is None or window.ends_at <= now:
        return Window(1, now + length)
    return Window(window.count + 1, window.ends_at)


def check_limit(window: Window, *, limit: int, now: datetime) -> None:
    """Refuse an attempt that is over the limit.

    Raises:
        TooManyRequests: with the seconds until the window ends.
    """
    if window.count > limit:
        raise TooManyRequests(retry_after=max(1, ceil((window.ends_at - now).total_seconds())))


def network_of(ip: str | None) -> str:
    """Return what counts as one sender: an IPv4 address, or the IPv6 /64 that one customer has."""
    if ip is None:
        return "unknown"
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
