"""Turns of the writers of one process: those of one shard would only conflict."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from shared.contracts.facts import SHARDS
from shared.problems import Unavailable


class ShardTurns:
    """The right to write to each shard, which one writer of the process has at a time."""

    def __init__(self, *, seconds: float) -> None:
        """`seconds` is how long a writer waits for its turn."""
        self._locks = [asyncio.Lock() for _ in range(SHARDS)]
        self._seconds = seconds

    @contextlib.asynccontextmanager
    async def turn(self, shard: int) -> AsyncIterator[float]:
        """Hold the right to write to a shard; it yields the seconds of waiting for it.

        Raises:
            Unavailable: the writers before take too long.
        """
        turn, began = self._locks[shard], time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                await turn.acquire()
        except TimeoutError as late:
            raise Unavailable from late
        try:
            yield time.monotonic() - began
        finally:
            turn.release()
