"""The access log: one line for each answer, and few for the answers that loops poll."""

import logging
import time
from collections.abc import Callable, Mapping

SECONDS = 60.0
"""The shortest time between two lines of one failure of a polled route."""

_log = logging.getLogger("rolecall.access")


class AccessLog:
    """Writes the lines of one application.

    A polled route is asked several times a second by every replica, so its lines would fill the
    log while the database is away. Those that are left out are at the level DEBUG.
    """

    def __init__(self, *, seconds_now: Callable[[], float] = time.monotonic) -> None:
        self._now = seconds_now
        self._written: dict[tuple[str, str, int], float] = {}

    def write(self, method: str, route: str, status: int, *, polled: bool, **about: object) -> None:
        """Write the line of an answer."""
        level = logging.DEBUG if polled and not self._due(method, route, status) else logging.INFO
        fields: Mapping[str, object] = {"method": method, "route": route, "status": status, **about}
        _log.log(level, "request", extra=fields)

    def has_successes(self) -> bool:
        """Whether the lines of polled answers without a failure are written at all."""
        return _log.isEnabledFor(logging.DEBUG)

    def _due(self, method: str, route: str, status: int) -> bool:
        if status < 400:
            return False
        answer, now = (method, route, status), self._now()
        if now - self._written.get(answer, float("-inf")) < SECONDS:
            return False
        self._written[answer] = now
        return True
