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

    At most `max_waiting` wait.
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
            QueueFull: this caller would wait, and too many do.
        """
        if self._held:
            await self._wait(rank)
        self._held = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, rank: int) -> None:
        if len(self._waiting) >= self._max_waiting:
            raise QueueFull
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given the place in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        self._held = False
        while self._waiting and not self._held:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                self._held = True
