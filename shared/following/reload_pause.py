"""The pause before a snapshot is loaded again because its source could not be trusted."""

from shared.clock import Clock
from shared.runtime.supervisor import LONGEST_PAUSE_SECONDS

FIRST_PAUSE_SECONDS = 0.1
CALM_SECONDS = 60.0
"""After this time without a reload the next one is at once again."""


class ReloadPause:
    """No pause at first, and a longer one each time while loading again does not help."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds = 0.0
        self._last = float("-inf")

    def count(self) -> None:
        """Count a reload that begins now."""
        longer = min(max(FIRST_PAUSE_SECONDS, self._seconds * 2), LONGEST_PAUSE_SECONDS)
        self._seconds = 0.0 if self._calm() else longer
        self._last = self._clock.boottime()

    @property
    def seconds(self) -> float:
        """How long to wait before the snapshot is loaded."""
        return 0.0 if self._calm() else self._seconds

    def _calm(self) -> bool:
        return self._clock.boottime() - self._last > CALM_SECONDS
