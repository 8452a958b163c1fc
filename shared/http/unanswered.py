"""The log of internal calls that no replica answered."""

import logging

from shared.clock import Clock
from shared.outage_log import OutageLog

_log = logging.getLogger(__name__)


class NoAnswer(Exception):  # noqa: N818 - not a fault of this service
    """A replica did not serve the call; the text says how."""


class UnansweredLog:
    """Logs the outage of a callee, by call: one call may fail while others are answered."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._outages: dict[tuple[str, str], OutageLog] = {}

    def unanswered(self, callee: str, call: str, *, error: str) -> None:
        """Log the call with the error of the replica that was asked last, if a line is due."""
        outage = self._outages.get((callee, call))
        if outage is None:
            outage = self._outages[callee, call] = OutageLog(
                _log,
                callee,
                effect=f"The internal call {call} is not answered.",
                seconds_now=self._clock.boottime,
            )
        outage.away(error)

    def answered(self, callee: str, call: str) -> None:
        """Log that the call is answered again, if it was not."""
        if (outage := self._outages.get((callee, call))) is not None:
            outage.back()


def error_text(error: Exception, *, url: str, seconds: float) -> str:
    """What went wrong at a replica, without the path, the query and the headers of the call."""
    if isinstance(error, TimeoutError):
        return f"no answer from {url} within {seconds:.2f} s"
    if isinstance(error, NoAnswer | OSError):
        return f"{url}: {error}"
    return f"{url}: {type(error).__name__}"
