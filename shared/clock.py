"""Clocks: the time of day, and the time that has passed."""

import time
from datetime import UTC, datetime
from typing import Protocol

# The time of a suspended machine counts against a lease: CLOCK_BOOTTIME where there is one.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class Clock(Protocol):
    """A source of time, handed in."""

    def now(self) -> datetime:
        """The time of day in UTC, in whole milliseconds as the database stores it."""
        ...

    def boottime(self) -> float:
        """Seconds that never go back and include suspended time; comparable within one process."""
        ...


class AtMostEvery:
    """Says when something may happen again: at once the first time, then after `seconds`."""

    def __init__(self, seconds: float, *, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last = float("-inf")

    def due(self) -> bool:
        """Return whether the time has passed; if so, it begins anew."""
        now = self._clock.boottime()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


class SystemClock:
    """The clocks of the machine."""

    _latest = -1, datetime.min.replace(tzinfo=UTC)
    """The last millisecond that was asked for, and its time: many requests share one."""

    def now(self) -> datetime:
        """The time of day in UTC, in whole milliseconds."""
        millisecond = time.time_ns() // 1_000_000
        known, moment = self._latest
        if known != millisecond:
            moment = datetime.fromtimestamp(millisecond / 1000, UTC)
            self._latest = millisecond, moment
        return moment

    def boottime(self) -> float:
        """Seconds since the machine started, or the nearest that this platform has."""
        return time.monotonic() if _ELAPSED is None else time.clock_gettime(_ELAPSED)
