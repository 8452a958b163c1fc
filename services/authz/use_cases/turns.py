"""The turns of long answers: between two of them the loop answers others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets long answers go on one after the other, so that together they keep the loop as one does.

    A part of an answer is one turn. It runs without an await, and is bounded by its author.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """Wait for the turn of one more part: the loop has run, and no other part has the turn."""
        async with self._lock:
            await asyncio.sleep(0)
            yield
