"""The relay: it publishes committed rows on the bus.

The process that committed publishes its rows: at once if an answer may wait for one of them, and
otherwise those of some moments together. After the confirm it marks them as sent, those of some
moments in one statement. One elected sweeper per service publishes rows that stayed unsent.
Duplicates and disorder are harmless: consumers compare sequences and fetch what they miss.
"""

import asyncio
import contextlib
import logging
from datetime import timedelta

from shared import context, metrics
from shared.auth.row_signatures import SignedRow
from shared.bus import Bus, BusUnavailable
from shared.clock import Clock
from shared.elections import Election
from shared.journal import rows
from shared.mongo import Database, DatabaseWatch, majority
from shared.news import News, is_awaited
from shared.outage_log import OutageLog

_log = logging.getLogger(__name__)

BATCH_SIZE = 500
"""The number of rows of one publish."""
GATHER_SECONDS = 0.05
"""The longest time that a row waits for others, for which no answer waits."""
MARK_SECONDS = 0.2
"""The longest time from the publish of a row to its mark, while the database answers."""
SWEEP_SECONDS = 1.0
"""The pause between two sweeps; a younger row is left to the process that committed it."""


class Relay:
    """Publishes the rows of one journal; `run` and `sweep` are supervised loops."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        holder: str,
        clock: Clock,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self._rows = majority(database, "journal")
        self._bus = bus
        self._election = Election(database, "sweeper", holder=holder, clock=clock)
        self._clock = clock
        self._gather_seconds = gather_seconds
        self.database = DatabaseWatch("Unsent rows wait.")
        """Whether the database answered the last sweep; every process asks at each one."""
        self._marking = DatabaseWatch("Published rows are not marked, and are published again.")
        self._outage = OutageLog(_log, "The bus", effect="Rows wait in the journal.")
        self._waiting: list[tuple[SignedRow, str | None]] = []
        """The rows, each with the span of what wrote it."""
        self._news = News()

    def publish_soon(self, committed: list[SignedRow]) -> None:
        """Take rows that were just committed; `run` publishes them."""
        traceparent = context.traceparent.get()
        self._waiting.extend((signed, traceparent) for signed in committed)
        self._news.tell(awaited=any(is_awaited(signed, gap=False) for signed in committed))

    async def run(self) -> None:
        """Publish the rows that were handed over, and mark them soon after. Never ends."""
        published: list[SignedRow] = []
        mark_at = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(mark_at if published else None):
                    await self._news.collect(self._gather_seconds)
            committed, self._waiting = self._waiting, []
            for start in range(0, len(committed), BATCH_SIZE):
                batch = committed[start : start + BATCH_SIZE]
                if await self._publish(batch):
                    mark_at = mark_at if published else _now() + MARK_SECONDS
                    published += (signed for signed, _ in batch)
            if published and _now() >= mark_at:
                done, published = published, []
                with self._marking.round():
                    await self._mark(done)

    async def sweep(self) -> None:
        """Publish rows that stayed unsent after a crash or without a broker. Never ends."""
        while True:
            with self.database.round():
                if await self._election.won():
                    await self.sweep_once()
                else:
                    _show_unsent(0, age=timedelta())
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep_once(self) -> int:
        """Publish the rows that are unsent for over a second; return how many there were."""
        before = self._clock.now() - timedelta(seconds=SWEEP_SECONDS)
        due = self._rows.find({"sent": False, "occurred_at": {"$lt": before}})
        documents = [document async for document in due.sort("occurred_at", 1).limit(BATCH_SIZE)]
        if not documents:
            _show_unsent(0, age=timedelta())
            return 0
        _show_unsent(len(documents), age=self._clock.now() - documents[0]["occurred_at"])
        batch = [rows.read(document) for document in documents]
        if await self._publish([(signed, None) for signed in batch]):
            await self._mark(batch)
        return len(documents)

    async def _publish(self, batch: list[tuple[SignedRow, str | None]]) -> bool:
        """Publish the rows; return whether all are confirmed. The others are swept later."""
        try:
            await self._bus.publish([rows.message(*written) for written in batch])
        except BusUnavailable as problem:
            self._outage.away(problem)
            return False
        self._outage.back()
        return True

    async def _mark(self, batch: list[SignedRow]) -> None:
        places = {
            "_id": {"$in": [rows.key(signed.row) for signed in batch]},
            "shard": {"$in": sorted({signed.row.shard for signed in batch})},
        }
        await self._rows.update_many(places, {"$set": {"sent": True}})


def _show_unsent(number: int, *, age: timedelta) -> None:
    service = context.service.get()
    metrics.UNSENT_ROWS.labels(service).set(number)
    metrics.UNSENT_SECONDS.labels(service).set(age.total_seconds())


def _now() -> float:
    return asyncio.get_running_loop().time()
