"""The log of internal calls that no replica answered."""

import logging

from shared.clock import AtMostEvery, Clock

SECONDS = 10.0

_log = logging.getLogger(__name__)


class NoAnswer(Exception):  # noqa: N818 - not a fault of this service
    """A replica did not serve the call; the text says how."""


class UnansweredLog:
    """Writes one warning for a callee and a call in ten seconds."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[tuple[str, str], AtMostEvery] = {}

    def write(self, callee: str, call: str, *, error: str) -> None:
        """Log the call with the error of the replica that was asked last."""
        due = self._due.setdefault((callee, call), AtMostEvery(SECONDS, clock=self._clock))
        if due.due():
            about = {"callee": callee, "call": call, "error": error}
            _log.warning("internal call without an answer", extra=about)


def error_text(error: Exception, *, url: str, seconds: float) -> str:
    """What went wrong at a replica, without the path, the query and the headers of the call."""
    if isinstance(error, TimeoutError):
        return f"no answer from {url} within {seconds:.2f} s"
    if isinstance(error, NoAnswer | OSError):
        return f"{url}: {error}"
    return f"{url}: {type(error).__name__}"
