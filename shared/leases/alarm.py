"""A pause between two looks at the lease rows, which a report ends early."""

import asyncio
import contextlib
from typing import Protocol


class Alarm(Protocol):
    """A pause that another task can end early."""

    async def wait(self, seconds: float) -> None:
        """Return when rung, at once if that happened since the last wait, or after `seconds`."""

    def ring(self) -> None:
        """End the pause."""


class Bell:
    """The alarm of a running process."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the ring on the event loop's clock."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()

    def ring(self) -> None:
        """End the pause, or the next one."""
        self._rung.set()
