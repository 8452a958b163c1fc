"""How long the state of local mode may be used.

Rolecall says at which moment of its own clock the state was fresh, and for how many seconds it may
be relied on. A lease counts from the earliest moment of this process's clock that this can have
been, so an answer that was delayed on its way never makes it longer.
"""

import time
from collections.abc import Callable
from functools import partial

USABLE_FRACTION = 0.98
"""A lease is used for this fraction: the rates of two clocks may differ by 2 %."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


elapsed_seconds: Callable[[], float] = (
    time.monotonic if _CLOCK is None else partial(time.clock_gettime, _CLOCK)
)
"""Seconds that never go back; the time of a suspended machine counts."""


class StreamLease:
    """The lease of one stream. Pure: times are handed in."""

    def __init__(self) -> None:
        self.until = float("-inf")
        self._offset: float | None = None

    def began(self, *, asked_at: float, at: float) -> None:
        """Take the first event of a stream: `asked_at` on this clock, `at` on Rolecall's."""
        self._offset = asked_at - at

    def granted(self, *, at: float, seconds: float, now: float) -> None:
        """Take a grant that arrived `now`.

        It was made before it arrived, which corrects for a clock of Rolecall that runs faster.
        """
        if self._offset is None:
            return
        self._offset = min(self._offset, now - at)
        self.until = max(self.until, self._offset + at + seconds * USABLE_FRACTION)

    def lost(self) -> None:
        """Use the state no more: it is not known to be whole."""
        self.until = float("-inf")
