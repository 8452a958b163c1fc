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

        Of attempts at the same moment exactly as many pass as the limit leaves.
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
            elif (saved := await self._save(limit, before, after)) is not None:
                return saved

    async def uncount(self, limit: RateLimit, window: Window) -> None:
        """Give one attempt back to the window in which it was counted."""
        counted = {"_id": limit.counter_id, "ends_at": window.ends_at, "count": {"$gt": 0}}
        await self._counters.update_one(counted, {"$inc": {"count": -1}})

    async def forget(self, *limits: RateLimit) -> None:
        """Give all attempts against these limits back."""
        await self._counters.delete_many({"_id": {"$in": [limit.counter_id for limit in limits]}})

    async def _save(self, limit: RateLimit, before: Window, after: Window) -> Window | None:
        """Save an attempt and return its window, or `None` if the one that was read has no room."""
        read: Document = {"_id": limit.counter_id, "ends_at": before.ends_at}
        change: Document = {"$set": {"count": after.count, "ends_at": after.ends_at}}
        if after.ends_at == before.ends_at:
            read["count"] = {"$lt": limit.limit}
            change = {"$inc": {"count": 1}}
        # Another attempt may have been counted since the read: the saved window has both.
        saved = await self._counters.find_one_and_update(
            read, change, return_document=ReturnDocument.AFTER
        )
        return None if saved is None else _window(saved)


def _window(counter: Document) -> Window:
    return Window(counter["count"], counter["ends_at"])
