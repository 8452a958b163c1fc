"""Clocks that a test sets."""

import asyncio
from datetime import UTC, datetime, timedelta


class SetClock:
    """A clock that stands still until `move`; wall time and boot time move together."""

    def __init__(self, moment: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def boottime(self) -> float:
        return self.moment.timestamp()

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class LeaseClock(SetClock):
    """A set clock whose boot time, which measures leases, moves only by `skip`.

    A test that moves the wall clock by days then does not end every lease.
    """

    def __init__(self, moment: datetime) -> None:
        super().__init__(moment)
        self.elapsed = 1000.0

    def boottime(self) -> float:
        return self.elapsed

    def skip(self, seconds: float) -> None:
        self.elapsed += seconds


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop in which a test skips time; what sleeps until then goes on at once."""

    _skipped = 0.0

    def time(self) -> float:
        return super().time() + self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds
