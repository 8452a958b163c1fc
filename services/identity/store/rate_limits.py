"""The collection of counters, which all replicas share."""

import contextlib
from collections.abc import Sequence
from datetime import datetime

from pymongo import ReturnDocument

from services.identity.domain.rate_limits import (
    Counted,
    RateLimit,
    Window,
    count_attempt,
    is_reached,
)
from shared.mongo import AlreadyThere, Database, Document, insert_once, majority


class RateLimitRows:
    """Counters of attempts; the database deletes those whose window has ended."""

    def __init__(self, database: Database) -> None:
        self._counters = majority(database, "counters")

    async def count(self, limit: RateLimit, *, now: datetime) -> Window:
        """Count one attempt and give the window; write nothing if the limit is reached already.

        Of attempts at the same moment exactly as many pass as the limit leaves.
        """
        while True:
            before = (await self._windows([limit])).get(limit.counter_id)
            if is_reached(before, limit=limit.limit, now=now):
                return count_attempt(before, now=now, length=limit.window)
            counted = await self._count_once(limit, before, now=now)
            if counted is not None:
                return counted

    async def count_all(
        self, limits: Sequence[RateLimit], *, now: datetime
    ) -> tuple[list[Counted], list[Counted]]:
        """Count one attempt against each limit, or against none if one of them is reached.

        Gives the limits that counted it, and those that are reached, which one read finds.
        """
        while True:
            windows = await self._windows(limits)
            each = [(limit, windows.get(limit.counter_id)) for limit in limits]
            reached = [
                Counted(limit, count_attempt(before, now=now, length=limit.window))
                for limit, before in each
                if is_reached(before, limit=limit.limit, now=now)
            ]
            if reached:
                return [], reached
            passed: list[Counted] = []
            for limit, before in each:
                window = await self._count_once(limit, before, now=now)
                if window is None:
                    break
                passed.append(Counted(limit, window))
            else:
                return passed, []
            for counted in passed:
                await self.uncount(counted.limit, counted.window)

    async def uncount(self, limit: RateLimit, window: Window) -> None:
        """Give one attempt back to the window in which it was counted."""
        counted = {"_id": limit.counter_id, "ends_at": window.ends_at, "count": {"$gt": 0}}
        await self._counters.update_one(counted, {"$inc": {"count": -1}})

    async def forget(self, *limits: RateLimit) -> None:
        """Give all attempts against these limits back."""
        await self._counters.delete_many({"_id": {"$in": [limit.counter_id for limit in limits]}})

    async def _windows(self, limits: Sequence[RateLimit]) -> dict[str, Window]:
        found = self._counters.find({"_id": {"$in": [limit.counter_id for limit in limits]}})
        return {counter["_id"]: _window(counter) async for counter in found}

    async def _count_once(
        self, limit: RateLimit, before: Window | None, *, now: datetime
    ) -> Window | None:
        """Count an attempt; give `None` if another one has changed what was read too much."""
        after = count_attempt(before, now=now, length=limit.window)
        if before is not None:
            return await self._save(limit, before, after)
        first = {"_id": limit.counter_id, "count": after.count, "ends_at": after.ends_at}
        with contextlib.suppress(AlreadyThere):
            await insert_once(self._counters, first)
            return after
        return None

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
