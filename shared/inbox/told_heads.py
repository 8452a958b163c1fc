"""The heads that the sources told last, and the rows that were committed since."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from shared.clock import Clock
from shared.contracts.facts import Position

YOUNG_SECONDS = 1.5
"""The time after a comparison for which a row that it did not tell is left to the bus unseen. It is
longer than the pause between two comparisons when rows were left."""


class _Answer(NamedTuple):
    heads: Mapping[int, int]
    asked_at: datetime
    at: float


class ToldHeads:
    """The last answer of each source, with the time of its request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, _Answer] = {}

    def note(self, source: str, heads: Mapping[int, int], *, asked_at: datetime, at: float) -> None:
        """Take an answer to a request of that moment, and of the boot time `at`."""
        self._told[source] = _Answer(heads=heads, asked_at=asked_at, at=at)

    def forget(self, source: str) -> None:
        """Forget the heads of an epoch that is over."""
        self._told.pop(source, None)

    def may_be_on_its_way(self, position: Position) -> bool:
        """Return whether the row was committed so lately that the bus may still bring it."""
        if position.source not in self._told:
            return False
        told = self._told[position.source]
        lately = self._clock.boottime() - told.at < YOUNG_SECONDS
        return lately and position.seq > told.heads.get(position.shard, 0)

    def reached(self, source: str, applied: Mapping[tuple[str, int], int]) -> datetime | None:
        """When the source was asked for these heads, if each shard is applied so far by now.

        `applied` has the last applied sequence of each (source, shard).
        """
        told = self._told.get(source)
        if told is None:
            return None
        behind = (applied.get((source, shard), 0) < head for shard, head in told.heads.items())
        return None if any(behind) else told.asked_at
