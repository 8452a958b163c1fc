"""The log of a server that is away: a line when it goes, few while it is away, one when it is back.

A loop tries again every second, and a line for each attempt fills the disk of a product whose
broker is down for a day.
"""

import logging
import time
from collections.abc import Callable

FIRST_INTERVAL_SECONDS = 60.0
"""The shortest time between two warnings. An outage without a failure for so long, and for the
pause between two attempts, is over."""
LONGEST_INTERVAL_SECONDS = 3600.0
"""The longest time between two warnings of one outage; each is twice as long as the one before."""


class OutageLog:
    """Logs that one server is away, as one user of it sees it.

    `effect` says what the outage means. A server that comes and goes makes two lines a minute at
    most. A user that cannot tell when the server is back leaves `back` out. `pause` is the time
    between two attempts of a user that makes few.
    """

    def __init__(
        self,
        logger: logging.Logger,
        server: str,
        *,
        effect: str,
        pause: float = 0.0,
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._server = server
        self._effect = effect
        self._over_after = FIRST_INTERVAL_SECONDS + pause
        self._now = seconds_now
        self._interval = FIRST_INTERVAL_SECONDS
        self._due_at = self._failed_at = float("-inf")
        self._began_at: float | None = None
        self._failures = 0
        self._told = False

    def away(self, problem: object) -> None:
        """Count a failed attempt, and log it if a line is due."""
        now = self._now()
        if self._began_at is None or now - self._failed_at >= self._over_after:
            self._begin(now)
        self._failed_at = now
        self._failures += 1
        if now < self._due_at:
            return
        state = "still away" if self._told else "away"
        self._log(logging.WARNING, state, error=str(problem) or repr(problem))
        self._told = True
        self._due_at = now + self._interval
        self._interval = min(2 * self._interval, LONGEST_INTERVAL_SECONDS)

    def back(self) -> None:
        """End the outage, and log that if its beginning was logged; otherwise do nothing."""
        if self._began_at is None:
            return
        if self._told:
            self._log(logging.INFO, "back")
        self._began_at = None

    def _begin(self, now: float) -> None:
        self._began_at, self._failures, self._told = now, 0, False
        self._interval = FIRST_INTERVAL_SECONDS
        self._due_at = min(self._due_at, self._failed_at + FIRST_INTERVAL_SECONDS)

    def _log(self, level: int, state: str, **more: str) -> None:
        seconds = round(self._now() - (self._began_at or 0.0), 1)
        about = {"effect": self._effect, "seconds": seconds, "failures": self._failures, **more}
        self._logger.log(level, "%s is %s.", self._server, state, extra=about)
