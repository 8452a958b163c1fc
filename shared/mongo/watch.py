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
    rounds if that is long. With `transactions` the loop writes in transactions and asks no other
    service, so `Unavailable` is the database's, too. The watch makes no operation of its own.
    """

    def __init__(
        self,
        effect: str,
        *,
        pause: float = 0.0,
        transactions: bool = False,
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outage = OutageLog(
            _log, "The database", effect=effect, pause=pause, seconds_now=seconds_now
        )
        self._absence = (DatabaseAway, Unavailable) if transactions else (DatabaseAway,)
        self.answers = False
        """Whether the database answered in the last round."""

    @contextlib.contextmanager
    def round(self) -> Iterator[None]:
        """Run one round of the loop; an absent database ends it and is logged."""
        try:
            yield
        except* self._absence as problems:
            self.answers = False
            self._outage.away(problems.exceptions[0])
        else:
            self.answers = True
            self._outage.back()
