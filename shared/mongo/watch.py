"""Whether the database answers, as the rounds of a background loop see it."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from shared.mongo.away import DatabaseAway
from shared.outage_log import OutageLog
from shared.problems import Unavailable

_log = logging.getLogger(__name__)


class DatabaseWatch:
    """Keeps a loop going while the database is away, and knows whether its last round was answered.

    `effect` says what an absent database means for the loop, and `pause` is the time between its
    rounds if that is long. The watch makes no operation of its own.
    """

    def __init__(
        self,
        effect: str,
        *,
        pause: float = 0.0,
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outage = OutageLog(
            _log, "The database", effect=effect, pause=pause, seconds_now=seconds_now
        )
        self.answers = False
        """Whether the database answered in the last round."""

    @contextlib.contextmanager
    def round(self) -> Iterator[None]:
        """Run one round of the loop; an absent database ends it and is logged.

        So does a transaction that the database did not let end in time.
        """
        try:
            yield
        except* (DatabaseAway, Unavailable) as problems:
            self.answers = False
            self._outage.away(problems.exceptions[0])
        else:
            self.answers = True
            self._outage.back()
