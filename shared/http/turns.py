"""Long work on the event loop, done in turns with the requests of others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")
ITEMS_OF_A_TURN = 50


async def in_turns(items: Sequence[T]) -> AsyncIterator[T]:
    """Give each item, and let others run after every `ITEMS_OF_A_TURN`."""
    for number, item in enumerate(items, 1):
        yield item
        if number % ITEMS_OF_A_TURN == 0:
            await asyncio.sleep(0)
