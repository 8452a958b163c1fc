"""Turns at one place: of the callers that wait for it, the one with the lowest rank is next."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class QueueFull(Exception):  # noqa: N818 - the caller decides what it means
    """Too many wait already."""


class Turns:
    """One place that is held by one caller at a time; among equal ranks the first to come is next.

    At most `max_waiting` wait. When one more comes, the last in the order is refused.
    """

    def __init__(self, *, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._held = False
        self._arrivals = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, *, rank: int) -> AsyncIterator[None]:
        """Hold the place while the block runs.

        Raises:
            QueueFull: too many wait, and this caller is the last of them, now or while it waited.
        """
        if self._held:
            await self._wait(rank)
        self._held = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, rank: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        entry = rank, next(self._arrivals), turn
        heapq.heappush(self._waiting, entry)
        if len(self._waiting) > self._max_waiting:
            last = max(self._waiting)
            self._leave(last)
            if not last[-1].done():
                last[-1].set_exception(QueueFull)
        try:
            await turn
        except asyncio.CancelledError:
            # It may have been given the place, or refused, in the same moment.
            if entry in self._waiting:
                self._leave(entry)
            elif not turn.cancelled() and turn.exception() is None:
                self._pass_on()
            raise

    def _leave(self, entry: tuple[int, int, asyncio.Future[None]]) -> None:
        self._waiting.remove(entry)
        heapq.heapify(self._waiting)

    def _pass_on(self) -> None:
        self._held = False
        while self._waiting and not self._held:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                self._held = True
