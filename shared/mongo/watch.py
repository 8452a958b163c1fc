"""Whether the database answers, as the rounds of a background loop see it."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from shared.mongo.away import DatabaseAway

WARNING_SECONDS = 10.0
"""The shortest time between two warnings of one loop."""

_log = logging.getLogger(__name__)


class DatabaseWatch:
    """Keeps a loop going while the database is away, and knows whether its last round was answered.

    It makes no operation of its own.
    """

    def __init__(self, *, seconds_now: Callable[[], float] = time.monotonic) -> None:
        self._now = seconds_now
        self._warned_at = float("-inf")
        self.answers = False
        """Whether the database answered in the last round."""

    @contextlib.contextmanager
    def round(self, what: str) -> Iterator[None]:
        """Run one round of the loop; an absent database ends it with a warning about `what`."""
        try:
            yield
        except DatabaseAway as problem:
            self.answers = False
            now = self._now()
            if now - self._warned_at >= WARNING_SECONDS:
                self._warned_at = now
                _log.warning("The database is away. %s (%s)", what, problem)
        else:
            self.answers = True
