"""The collection of counters, which all replicas share."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ReturnDocument

from services.identity.domain.rate_limits import (
    Counted,
    RateLimit,
    Window,
    count_attempt,
    is_reached,
)
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Document,
    Lost,
    insert_once,
    majority,
    update_expected,
)


class RateLimitRows:
    """Counters of attempts; the database deletes those whose window has ended."""

    def __init__(self, database: Database) -> None:
        self._counters = majority(database, "counters")

    async def count_all(
        self, limits: Sequence[RateLimit], *, now: datetime
    ) -> tuple[list[Counted], list[Counted]]:
        """Count one attempt against each limit, or against none if one of them is reached.

        Gives the limits that counted it, and those that are reached, which one read finds.
        """
        while True:
            windows = await self.windows(limits)
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

    async def forget_about(self, about: str) -> None:
        """Give all attempts that are about one address back, from every network."""
        await self._counters.delete_many({"about": about})

    async def windows(
        self, limits: Sequence[RateLimit], session: DbSession | None = None
    ) -> dict[str, Window]:
        """Find the windows of these limits, by the ids of their counters."""
        ids = [limit.counter_id for limit in limits]
        found = self._counters.find({"_id": {"$in": ids}}, session=session)
        return {counter["_id"]: _window(counter) async for counter in found}

    async def save_attempts(
        self,
        limits: Sequence[RateLimit],
        windows: Mapping[str, Window],
        *,
        now: datetime,
        session: DbSession,
    ) -> None:
        """Count one attempt against each limit, in the transaction that has read the windows.

        Raises:
            Lost: another attempt was counted since.
        """
        for limit in limits:
            before = windows.get(limit.counter_id)
            after = count_attempt(before, now=now, length=limit.window)
            change = {"count": after.count, "ends_at": after.ends_at}
            if before is None:
                first = {"_id": limit.counter_id, **change}
                try:
                    await insert_once(self._counters, first, session)
                except AlreadyThere as there:
                    raise Lost(self._counters.name) from there
            else:
                read = {"_id": limit.counter_id, "count": before.count, "ends_at": before.ends_at}
                await update_expected(self._counters, read, {"$set": change}, session)

    async def _count_once(
        self, limit: RateLimit, before: Window | None, *, now: datetime
    ) -> Window | None:
        """Count an attempt; give `None` if another one has changed what was read too much."""
        after = count_attempt(before, now=now, length=limit.window)
        if before is not None:
            return await self._save(limit, before, after)
        first = {
            "_id": limit.counter_id,
            "count": after.count,
            "ends_at": after.ends_at,
            "about": limit.about,
        }
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
