"""Watch that every record gets its leaf: what has none a minute later is counted and told."""

import asyncio
import logging
from datetime import timedelta

from services.audit.domain.seal_gaps import LAST, Gap, unsealed
from services.audit.store import Store
from shared import metrics
from shared.clock import Clock
from shared.contracts.topology import SOURCES, Service
from shared.mongo import DatabaseWatch

WATCH_SECONDS = 60.0
DUE = timedelta(minutes=1)
"""The time after which a record without a leaf is told."""
MAX_COUNT = 10_000
"""Counted at most."""
PAGE_GAPS = 500

_log = logging.getLogger(__name__)


class SealWatch:
    """Looks at all rows that no sealer has sealed; every replica does, whichever seals."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told = False

    async def look(self) -> int:
        """Count and tell the records that are due for their leaf."""
        now = self._clock.now()
        found: list[tuple[Gap, int]] = []
        ages: dict[tuple[str, int], float] = {}
        for gap in await self._open():
            since = await self._store.first_recorded(gap)
            if since is None:
                continue
            place = (gap.source, gap.shard)
            ages[place] = max(ages.get(place, 0.0), (now - since).total_seconds())
            if number := await self._store.count_recorded(gap, before=now - DUE, limit=MAX_COUNT):
                found.append((gap, number))
        metrics.SEAL_AGE.clear()
        for place, age in ages.items():
            metrics.SEAL_AGE.labels(Service.AUDIT, *place).set(age)
        total = min(sum(number for _, number in found), MAX_COUNT)
        metrics.UNSEALED_RECORDS.labels(Service.AUDIT).set(total)
        self._tell(found, total)
        return total

    async def _open(self) -> list[Gap]:
        """Every part of the log that is not sealed: after what is sealed, and the gaps before."""
        parts = [
            part
            for source in SOURCES
            for epoch in await self._store.epochs(source)
            for part in unsealed(source, epoch, await self._store.sealed_until(source, epoch))
        ]
        last = ""
        while page := await self._store.gaps(last, limit=PAGE_GAPS):
            parts += page.values()
            last = max(page)
        return parts

    def _tell(self, found: list[tuple[Gap, int]], total: int) -> None:
        if found and not self._told:
            first, _ = found[0]
            place = first._asdict()
            if first.last == LAST:
                del place["last"]  # no row of this place: the shard has no end yet
            _log.error("Records are not sealed.", extra={"records": total, **place})
        elif self._told and not found:
            _log.info("All records are sealed.")
        self._told = bool(found)


async def run_seal_watch(watch: SealWatch) -> None:
    """Look once a minute. Never ends."""
    database = DatabaseWatch("Records without seals are not counted.")
    metrics.start_at_zero(metrics.UNSEALED_RECORDS, [Service.AUDIT])
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        with database.round():
            await watch.look()
