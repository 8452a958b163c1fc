"""The turns of long answers: between two of them the loop answers others."""

import asyncio


class LoopTurns:
    """Lets long answers go on one after the other, so that together they keep the loop as one does.

    A long answer is made in parts. A part runs without an await, and its author bounds its work.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def next(self) -> None:
        """Wait until the loop has run, and no other answer goes on in this turn of it."""
        async with self._lock:
            await asyncio.sleep(0)
