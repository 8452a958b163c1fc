"""Rate limits: what is counted, in which window, and when a limit is reached."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from shared.ids import UserId
from shared.problems import Refusal, RefusalKind
from shared.quotas import Quota

SIGN_IN_WINDOW = timedelta(minutes=15)
MAIL_WINDOW = timedelta(hours=1)
OTPS_PER_HOUR, OTPS_PER_DAY = 10, 30
"""Wrong codes of one user."""
CODE_SETS_PER_HOUR = 10
"""Sets of recovery codes of one user: each costs as much as ten sign-ins."""
PASSKEYS_PER_HOUR = 20
"""Answers of authenticators with which one user could not add a passkey."""
MAX_REFUSED = 20_000
"""The limits that `RefusedSenders` remembers."""
RECHECK = timedelta(seconds=10)
"""How long `RefusedSenders` is believed: another process may have given an attempt back."""


class TooManyRequests(Refusal):
    """A limit is reached; the answer is the same for addresses with and without a user."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-requests"
    detail = (
        "Too many attempts. Wait the number of seconds in the Retry-After header, then try again."
    )


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """At most `limit` attempts in `window` for one `key`.

    `about` finds the counters of one address from all networks; it does not contain the address.
    """

    key: tuple[str, ...]
    limit: int
    window: timedelta
    about: str | None = None

    @property
    def name(self) -> str:
        """The name of the policy: what is counted, without for whom."""
        return self.key[0]

    @property
    def counter_id(self) -> str:
        """The id of the counter: of fixed length, and without the address in it."""
        return _digest(*self.key)


@dataclass(frozen=True, slots=True)
class Window:
    """The attempts of one counter and the end of its window."""

    count: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """A limit, and the window in which an attempt counts against it."""

    limit: RateLimit
    window: Window

    @property
    def over(self) -> bool:
        """Whether the attempt is one too many."""
        return self.window.count > self.limit.limit

    def quota(self, *, now: datetime, given_back: int = 0) -> Quota:
        """Return what is left of the limit, after this number of attempts was given back."""
        return Quota(
            name=self.limit.name,
            limit=self.limit.limit,
            remaining=max(0, self.limit.limit - self.window.count + given_back),
            reset_seconds=seconds_left(self.window, now=now),
            window_seconds=int(self.limit.window.total_seconds()),
        )


def sign_in_limits(
    address_key: str, network: str, *, per_address: int, per_network: int
) -> tuple[RateLimit, ...]:
    """Return what a failed sign-in counts against: the network, and the address from this network.

    Guesses from elsewhere therefore do not lock the user out (`T8`).
    """
    return (
        RateLimit(key=("logins", network), limit=per_network, window=SIGN_IN_WINDOW),
        RateLimit(
            key=("login", address_key, network),
            limit=per_address,
            window=SIGN_IN_WINDOW,
            about=sign_ins_of(address_key),
        ),
    )


def sign_ins_of(address_key: str) -> str:
    """The mark of all counters of sign-ins with this address."""
    return _digest("login", address_key)


def otp_limits(user_id: UserId) -> tuple[RateLimit, ...]:
    """Return what a wrong code counts against: its user, from every network together.

    The sender of one knows the password. Of a million codes three count at a time, so a guess
    succeeds once in about thirty years at this pace.
    """
    return (
        RateLimit(key=("otp-day", user_id), limit=OTPS_PER_DAY, window=timedelta(days=1)),
        RateLimit(key=("otp", user_id), limit=OTPS_PER_HOUR, window=timedelta(hours=1)),
    )


def code_set_limit(user_id: UserId) -> RateLimit:
    """Return what a new set of recovery codes counts against: its user."""
    return RateLimit(
        key=("recovery-codes", user_id), limit=CODE_SETS_PER_HOUR, window=timedelta(hours=1)
    )


def passkey_limit(user_id: UserId) -> RateLimit:
    """Return what a passkey that is refused when it is added counts against: its user."""
    return RateLimit(key=("passkeys", user_id), limit=PASSKEYS_PER_HOUR, window=timedelta(hours=1))


def mailed_link_limit(network: str, *, per_network: int) -> RateLimit:
    """Return what a password counts against that comes with a used link: its network."""
    return RateLimit(key=("mailed-links", network), limit=per_network, window=SIGN_IN_WINDOW)


def mail_limit(network: str, *, per_network: int) -> RateLimit:
    """Give what every request for a mail by a stranger counts against: its network (`T14`)."""
    return RateLimit(key=("mails-from", network), limit=per_network, window=MAIL_WINDOW)


def count_attempt(window: Window | None, *, now: datetime, length: timedelta) -> Window:
    """Count one attempt; the first one, or one after the end, opens a new window."""
    if window is None or window.ends_at <= now:
        return Window(1, now + length)
    return Window(window.count + 1, window.ends_at)


def is_reached(window: Window | None, *, limit: int, now: datetime) -> bool:
    """Return whether one more attempt would be over the limit."""
    return window is not None and window.ends_at > now and window.count >= limit


def first_reached(
    limits: Iterable[RateLimit], windows: Mapping[str, Window], *, now: datetime
) -> RateLimit | None:
    """Give the first of the limits that is reached; `windows` has their counters by id."""
    for limit in limits:
        if is_reached(windows.get(limit.counter_id), limit=limit.limit, now=now):
            return limit
    return None


def seconds_left(window: Window, *, now: datetime) -> int:
    """Return the whole seconds after which the window has ended."""
    return max(1, ceil((window.ends_at - now).total_seconds()))


def check_limits(counted: Iterable[Counted], *, now: datetime) -> None:
    """Refuse an attempt that is over a limit.

    Raises:
        TooManyRequests: with the seconds after which none of the limits is reached.
    """
    waits = [seconds_left(each.window, now=now) for each in counted if each.over]
    if waits:
        raise TooManyRequests(retry_after=max(waits))


class RefusedSenders:
    """The limits that were reached a moment ago, in the memory of this process.

    A refused attempt costs no database call while its limit is here. A limit gets here only after
    all of its attempts were counted, so made-up ids cannot push real ones out cheaply. A limit that
    was pushed out, or is older than `RECHECK`, is read again before it refuses.
    """

    def __init__(self, *, size: int = MAX_REFUSED) -> None:
        self._size = size
        self._refused: dict[str, tuple[Counted, datetime]] = {}

    def reached(self, limits: Iterable[RateLimit], *, now: datetime) -> list[Counted]:
        """Return those of the limits that are known to be reached."""
        reached = []
        for limit in limits:
            known = self._refused.pop(limit.counter_id, None)
            if known is not None and now < known[1]:
                self._refused[limit.counter_id] = known  # the newest again
                reached.append(known[0])
        return reached

    def add(self, counted: Counted, *, now: datetime) -> None:
        """Remember that a limit is reached."""
        while len(self._refused) >= self._size:
            del self._refused[next(iter(self._refused))]
        believed_until = min(counted.window.ends_at, now + RECHECK)
        self._refused[counted.limit.counter_id] = counted, believed_until

    def forget_about(self, about: str) -> None:
        """Forget the limits that are about one address."""
        ids = [key for key, (known, _) in self._refused.items() if known.limit.about == about]
        for counter_id in ids:
            del self._refused[counter_id]

    def forget(self, limit: RateLimit) -> None:
        """Forget a limit, because one of its attempts was given back."""
        self._refused.pop(limit.counter_id, None)
