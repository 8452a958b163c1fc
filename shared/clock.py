"""What time is it, and how long has it been?"""

import time
from datetime import UTC, datetime
from typing import Protocol

# Time asleep must count against a lease, so CLOCK_BOOTTIME wherever there is one.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class Clock(Protocol):
    """Time as a thing that is handed in."""

    def now(self) -> datetime:
        """The wall clock, UTC, in whole milliseconds (what the database keeps)."""
        ...

    def boottime(self) -> float:
        """Seconds that only go forward, time asleep included; comparable in one process only."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The wall clock, UTC, in whole milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def boottime(self) -> float:
        """Seconds since the machine started, or the nearest thing this platform has."""
        return time.monotonic() if _ELAPSED is None else time.clock_gettime(_ELAPSED)
