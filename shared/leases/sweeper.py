"""Removes the rows of lives that ended without giving their lease back."""

import logging
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.leases.barrier import LAPSE_MARGIN_SECONDS, LeaseId, LeaseRow
from shared.leases.store import LeaseStore

_log = logging.getLogger(__name__)

RELEASED_SECONDS = 600.0
"""How long the row of a life that gave its lease back is kept.

The token of a request is valid for a minute, so a later one of that life is not expected. If one
comes all the same, its row makes one change wait and is swept: nothing answers by it.
"""


@dataclass(frozen=True, slots=True)
class _Sight:
    renewal: str
    since: float


class Sweeper:
    """Watches the rows and removes those that were not renewed for longer than they last.

    It compares no clock with that of another machine. The time of a row counts on this process's
    clock, from the end of the first read that found its `renewal`. Every grant of the row, and
    every earlier one, was requested before that moment.
    """

    def __init__(self, store: LeaseStore[Any], *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[LeaseId, _Sight] = {}

    async def look(self) -> frozenset[LeaseId]:
        """Read the rows once and remove those that have run out.

        Returns:
            The ids that were read.
        """
        async with self._store.session() as session:
            rows = await self._store.rows(session)
        now = self._clock.boottime()
        self._seen = {row.id: self._sight(row, now) for row in rows}
        for row in rows:
            if now - self._seen[row.id].since > _lasts(row):
                await self._store.remove(row)
                _log.info("a lease row ran out", extra={"lease": row.id})
        return frozenset(self._seen)

    def _sight(self, row: LeaseRow, now: float) -> _Sight:
        seen = self._seen.get(row.id)
        if seen is not None and seen.renewal == row.renewal:
            return seen
        return _Sight(row.renewal, now)


def _lasts(row: LeaseRow) -> float:
    return RELEASED_SECONDS if row.released else row.ttl + LAPSE_MARGIN_SECONDS
