"""How do committed rows get onto the bus?

The process that committed publishes its rows at once and marks them sent after the confirm; one
elected sweeper per service publishes what stayed unsent. Doubles and disorder are harmless: the
consumers number, and fetch what they miss.
"""

import asyncio
import logging
from datetime import timedelta

from shared import context, metrics
from shared.bus import Bus, BusUnavailable
from shared.clock import Clock
from shared.contracts.facts import Row
from shared.journal import rows
from shared.mongo import AlreadyThere, Database, insert_once, majority

logger = logging.getLogger(__name__)

BATCH = 500
GRACE = timedelta(seconds=1)
TERM = timedelta(seconds=10)


class Relay:
    """Publishes rows of one journal; `run` and `sweep` are two supervised loops."""

    def __init__(self, database: Database, bus: Bus, *, holder: str, clock: Clock) -> None:
        self._rows = majority(database, "journal")
        self._elections = majority(database, "elections")
        self._bus = bus
        self._holder = holder
        self._clock = clock
        self._waiting: list[Row] = []
        self._wake = asyncio.Event()

    def publish_soon(self, told: list[Row]) -> None:
        """Hand over rows that were just committed."""
        self._waiting.extend(told)
        self._wake.set()

    async def run(self) -> None:
        """Publish what was handed over, all that waits at a time. Never ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            told, self._waiting = self._waiting, []
            for start in range(0, len(told), BATCH):
                batch = told[start : start + BATCH]
                try:
                    await self._bus.publish([rows.message(row) for row in batch])
                except BusUnavailable as problem:
                    logger.warning("publishing later: %s", problem)
                    continue
                await self._mark([rows.key(row) for row in batch])

    async def sweep(self) -> None:
        """Publish rows that stayed unsent (a crash, a broker that was away). Never ends."""
        while True:
            waiting = await self.sweep_once() if await self._elected() else 0
            metrics.UNSENT_ROWS.labels(context.service.get()).set(waiting)
            await asyncio.sleep(GRACE.total_seconds())

    async def sweep_once(self) -> int:
        """Publish the rows that are unsent for over a second; how many there were."""
        due = {"sent": False, "occurred_at": {"$lt": self._clock.now() - GRACE}}
        documents = [
            document async for document in self._rows.find(due).sort("occurred_at", 1).limit(BATCH)
        ]
        if not documents:
            return 0
        try:
            await self._bus.publish([rows.message(rows.read(document)) for document in documents])
        except BusUnavailable as problem:
            logger.warning("the bus is away, %d rows wait: %s", len(documents), problem)
            return len(documents)
        await self._mark([document["_id"] for document in documents])
        return len(documents)

    async def _mark(self, ids: list[str]) -> None:
        await self._rows.update_many({"_id": {"$in": ids}}, {"$set": {"sent": True}})

    async def _elected(self) -> bool:
        now = self._clock.now()
        mine = {"holder": self._holder, "until": now + TERM}
        current = await self._elections.find_one({"_id": "sweeper"})
        if current is None:
            try:
                await insert_once(self._elections, {"_id": "sweeper", **mine})
            except AlreadyThere:
                return False
            return True
        if current["holder"] == self._holder and current["until"] - now > TERM / 2:
            return True
        if current["holder"] != self._holder and current["until"] > now:
            return False
        outcome = await self._elections.update_one(
            {"_id": "sweeper", "holder": current["holder"], "until": current["until"]},
            {"$set": mine},
        )
        return bool(outcome.matched_count)
