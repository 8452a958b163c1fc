"""The collection of counters, which all replicas share."""

import contextlib
from datetime import datetime

from pymongo import ReturnDocument

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
            before = None if found is None else _window(found)
            after = count_attempt(before, now=now, length=limit.window)
            if is_reached(before, limit=limit.limit, now=now):
                return after
            if before is None:
                with contextlib.suppress(AlreadyThere):
                    first = {"_id": key, "count": after.count, "ends_at": after.ends_at}
                    await insert_once(self._counters, first)
                    return after
            elif (saved := await self._save(key, before, after)) is not None:
                return saved

    async def uncount(self, limit: RateLimit) -> None:
        """Give one attempt back."""
        await self._counters.update_one({"_id": limit.counter_id}, {"$inc": {"count": -1}})

    async def _save(self, key: str, before: Window, after: Window) -> Window | None:
        """Save an attempt and return the window, or `None` if it is not the one that was read."""
        same_window = {"_id": key, "ends_at": before.ends_at}
        change: Document = {"$inc": {"count": 1}}
        if after.ends_at != before.ends_at:
            change = {"$set": {"count": after.count, "ends_at": after.ends_at}}
        # Another attempt may have been counted since the read: the saved window has both.
        saved = await self._counters.find_one_and_update(
            same_window, change, return_document=ReturnDocument.AFTER
        )
        return None if saved is None else _window(saved)


def _window(counter: Document) -> Window:
    return Window(counter["count"], counter["ends_at"])
