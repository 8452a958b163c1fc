"""What a replica has applied and not reported yet."""

import asyncio

from shared.auth.row_signatures import SignedRow


def is_awaited(signed: SignedRow, *, gap: bool) -> bool:
    """Return whether a write may wait until the row is reported.

    No write waits for a row that changes no decision. With parts of a change, or with rows that
    waited behind a gap for this one, another row may be applied besides.
    """
    return bool(signed.row.policy_objects) or signed.row.parts > 1 or gap


class News:
    """Tells the loop that reports of rows that were applied."""

    def __init__(self) -> None:
        self._any = asyncio.Event()
        self._awaited = asyncio.Event()

    def tell(self, *, awaited: bool) -> None:
        """Tell of an applied row; a write may wait for the report of one that is `awaited`."""
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
