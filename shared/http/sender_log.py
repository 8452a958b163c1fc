"""The log of senders that are refused because they, or all of them, send too much."""

import logging
import time
from collections.abc import Callable

from shared.http.lanes import Overloaded
from shared.networks import network_of
from shared.problems import Refusal, RefusalKind

SECONDS = 10.0
MAX_NETWORKS = 100

_log = logging.getLogger(__name__)


class SenderLog:
    """Writes one line for a network in ten seconds, and at most a hundred in all.

    A crowd must not fill the log. The metrics count every refusal.
    """

    def __init__(self, *, seconds_now: Callable[[], float] = time.monotonic) -> None:
        self._now = seconds_now
        self._logged: dict[str, float] = {}

    def refused(self, refusal: Refusal, ip: str | None) -> None:
        """Log the sender of a request that was refused for a limit; others are left out."""
        if refusal.kind is not RefusalKind.RATE_LIMITED and not isinstance(refusal, Overloaded):
            return
        network, now = network_of(ip), self._now()
        while self._logged:
            oldest, logged = next(iter(self._logged.items()))
            if now - logged < SECONDS:
                break
            del self._logged[oldest]
        if network in self._logged or len(self._logged) >= MAX_NETWORKS:
            return
        self._logged[network] = now
        _log.warning("sender refused", extra={"network": network, "problem": refusal.code})
