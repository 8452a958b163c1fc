"""The deletion of marks that are not needed any more."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.inbox.marks import Marks

MARK_RETENTION = timedelta(hours=1)
"""How long a mark that the progress covers is kept, for replicas that read older progress."""
FORGET_INTERVAL = timedelta(minutes=5)
"""The pause between two deletions of marks."""


class MarkRetention:
    """Deletes marks that the progress covers, and those of epochs that are over."""

    def __init__(self, marks: Marks, clock: Clock) -> None:
        self._marks = marks
        self._clock = clock
        self._covered: dict[tuple[str, str], dict[int, int]] = {}
        """The progress that moved since the last deletion, by source and epoch."""
        self._due: dict[str, datetime] = {}

    async def covered(
        self, source: str, epoch: str, applied: Mapping[int, int], now: datetime
    ) -> None:
        """Take the saved progress of some shards, and delete now and then.

        This deletes at most once in `FORGET_INTERVAL`, because it reads an hour of marks.
        """
        self._covered.setdefault((source, epoch), {}).update(applied)
        if now < self._due.get(source, now):
            return
        self._due[source] = now + FORGET_INTERVAL
        before = self._clock.now() - MARK_RETENTION
        covered = self._covered.pop((source, epoch))
        await self._marks.delete(source, epoch, covered, before=before)
