"""Rows that wait for others: what one statement, call or publish tells of several."""

import asyncio

from shared.auth.row_signatures import SignedRow


def is_awaited(signed: SignedRow, *, gap: bool) -> bool:
    """Return whether an answer may wait until the row has reached each replica.

    None waits for a row that changes no decision. With parts of a change, or with rows that waited
    behind a gap for this one, another row may come besides.
    """
    return bool(signed.row.policy_objects) or signed.row.parts > 1 or gap


class News:
    """Tells a loop of rows that it has to pass on."""

    def __init__(self) -> None:
        self._any = asyncio.Event()
        self._awaited = asyncio.Event()

    def tell(self, *, awaited: bool) -> None:
        """Tell of a row; an answer may wait for one that is `awaited`."""
        self._any.set()
        if awaited:
            self._awaited.set()

    async def collect(self, seconds: float) -> None:
        """Wait for news, and for `seconds` more unless some are awaited."""
        await self._any.wait()
        try:
            async with asyncio.timeout(seconds):
                await self._awaited.wait()
        except TimeoutError:
            pass
        self._any.clear()
        self._awaited.clear()
