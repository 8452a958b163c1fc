"""Delivery of messages to a subscriber, for each adapter of the bus."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from shared import metrics, tracing
from shared.bus import BusMessage, Handler, Resync, Verdict
from shared.cancellation import cancelled_by_us
from shared.contracts.facts import SHARDS
from shared.contracts.topology import SOURCES
from shared.tracing import SpanKind

log = logging.getLogger(__name__)

RETRY_PAUSE_SECONDS = (0.1, 0.5, 2.0, 5.0, 10.0)
"""Before a message is delivered again, by its failures so far. Together they are longer than a
restart of the database: an outage does not fill the dead-letter queue."""


class Lanes:
    """Runs a handler for one message at a time of each source and shard, in order of arrival."""

    def __init__(
        self, name: str, handler: Handler, pauses: Sequence[float] = RETRY_PAUSE_SECONDS
    ) -> None:
        self._name = name
        self._handler = handler
        self._pauses = pauses
        self._lanes: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        metrics.start_at_zero(metrics.DEAD_LETTERS, [name])

    async def handle(self, message: BusMessage) -> Verdict:
        """Call the handler. Pause before answering `RETRY`; the lane is free in the meantime."""
        # What is not verified yet must not make a lane for every number that it claims.
        source = message.source if message.source in SOURCES else ""
        async with self._lanes[source, message.shard % SHARDS]:
            verdict = await self._ask(message)
        if verdict is Verdict.RETRY and self._pauses:
            await asyncio.sleep(self._pauses[min(message.attempts, len(self._pauses) - 1)])
        return verdict

    def give_up(self, message: BusMessage) -> None:
        """Tell and count that the message is a dead letter."""
        log.error("dead letter", extra={"queue": self._name, "message_id": message.id})
        metrics.DEAD_LETTERS.labels(self._name).inc()

    async def _ask(self, message: BusMessage) -> Verdict:
        about = {
            "queue": self._name,
            "message_id": message.id,
            "type": message.type,
            "attempts": message.attempts,
        }
        parent = tracing.well_formed(message.traceparent)
        try:
            if parent is None:
                return await self._handler(message)
            with tracing.span(SpanKind.CONSUMER, f"{self._name} process", parent=parent) as span:
                span.attributes = {
                    "messaging.system": "rabbitmq",
                    "messaging.destination.name": self._name,
                    "messaging.message.id": message.id,
                    "rolecall.fact": message.type,
                    "rolecall.attempts": message.attempts,
                }
                return await self._handler(message)
        except asyncio.CancelledError:
            if cancelled_by_us():
                raise
            log.exception("handler was cancelled from within", extra=about)
        except Exception:
            log.exception("handler failed", extra=about)
        return Verdict.RETRY


async def resync(name: str, on_resync: Resync) -> None:
    """Call `on_resync`: messages may have been missed."""
    try:
        await on_resync()
    except Exception:
        log.exception("resync failed", extra={"queue": name})


async def drain(deliveries: Collection[asyncio.Task[Any]], *, seconds: float) -> None:
    """Let running deliveries finish for `seconds`, then cancel the rest."""
    if deliveries:
        _, late = await asyncio.wait(deliveries, timeout=seconds)
        for delivery in late:
            delivery.cancel()
        await asyncio.gather(*late, return_exceptions=True)
