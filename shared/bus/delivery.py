"""How is a message handed to its subscriber, whichever way it came?"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from shared.bus import BusMessage, Handler, Resync, Verdict
from shared.cancellation import cancelled_by_us

log = logging.getLogger(__name__)

RETRY_PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0)
"""Seconds before a message comes again, by the failures so far: together longer than a restart of
the database, so that an outage does not fill the dead-letter queue."""


class Lanes:
    """Runs a handler: one message at a time for each source and shard, in order of arrival."""

    def __init__(self, name: str, handler: Handler, pauses: Sequence[float] = RETRY_PAUSES) -> None:
        self._name = name
        self._handler = handler
        self._pauses = pauses
        self._lanes: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def handle(self, message: BusMessage) -> Verdict:
        """Ask the handler, and pause before answering `RETRY`; the lane is free meanwhile."""
        async with self._lanes[message.source, message.shard]:
            verdict = await self._ask(message)
        if verdict is Verdict.RETRY and self._pauses:
            await asyncio.sleep(self._pauses[min(message.attempts, len(self._pauses) - 1)])
        return verdict

    async def _ask(self, message: BusMessage) -> Verdict:
        about = {
            "queue": self._name,
            "message_id": message.id,
            "type": message.type,
            "attempts": message.attempts,
        }
        try:
            return await self._handler(message)
        except asyncio.CancelledError:
            if cancelled_by_us():
                raise
            log.exception("handler cut off", extra=about)
        except Exception:
            log.exception("handler failed", extra=about)
        return Verdict.RETRY


async def resync(name: str, on_resync: Resync) -> None:
    """Tell the subscriber that it may have missed something."""
    try:
        await on_resync()
    except Exception:
        log.exception("resync failed", extra={"queue": name})


async def drain(deliveries: Collection[asyncio.Task[Any]], *, seconds: float) -> None:
    """Let the deliveries that are running finish; end those that take too long."""
    if deliveries:
        _, late = await asyncio.wait(deliveries, timeout=seconds)
        for delivery in late:
            delivery.cancel()
        await asyncio.gather(*late, return_exceptions=True)
