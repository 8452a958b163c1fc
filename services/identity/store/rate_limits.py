"""The collection of counters, which all replicas share."""

import contextlib
from datetime import datetime

from services.identity.domain.rate_limits import RateLimit, Window, count_attempt, is_reached
from shared.mongo import AlreadyThere, Database, Document, insert_once, majority


class RateLimitRows:
    """Counters of attempts; the database deletes those whose window has ended."""

    def __init__(self, database: Database) -> None:
        self._counters = majority(database, "counters")

    async def count(self, limit: RateLimit, *, now: datetime) -> Window:
        """Count one attempt and give the window; write nothing if the limit is reached already.

        Under a race the count may be too high, never too low.
        """
        key = limit.counter_id
        while True:
            found = await self._counters.find_one({"_id": key})
            before = None if found is None else Window(found["count"], found["ends_at"])
            after = count_attempt(before, now=now, length=limit.window)
            if is_reached(before, limit=limit.limit, now=now):
                return after
            if before is None:
                with contextlib.suppress(AlreadyThere):
                    first = {"_id": key, "count": after.count, "ends_at": after.ends_at}
                    await insert_once(self._counters, first)
                    return after
            elif await self._save(key, before, after):
                # Another attempt may have been counted between the two.
                saved = await self._counters.find_one({"_id": key})
                return after if saved is None else Window(saved["count"], saved["ends_at"])

    async def uncount(self, limit: RateLimit) -> None:
        """Give one attempt back."""
        await self._counters.update_one({"_id": limit.counter_id}, {"$inc": {"count": -1}})

    async def _save(self, key: str, before: Window, after: Window) -> bool:
        """Return whether the counter was still in the window that was read, and is saved."""
        same_window = {"_id": key, "ends_at": before.ends_at}
        change: Document = {"$inc": {"count": 1}}
        if after.ends_at != before.ends_at:
            change = {"$set": {"count": after.count, "ends_at": after.ends_at}}
        outcome = await self._counters.update_one(same_window, change)
        return outcome.matched_count == 1
