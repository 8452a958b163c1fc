"""The subscription to one queue of RabbitMQ, across broken links and deleted queues."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractIncomingMessage,
    AbstractQueue,
    ConsumerTag,
)
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from shared.bus import BusMessage, Resync, Verdict
from shared.bus.delivery import Lanes, drain, resync
from shared.bus.rabbitmq_acks import Acknowledgements
from shared.bus.rabbitmq_links import BrokerLinks, declare_queue
from shared.cancellation import cancelled_by_us, end
from shared.contracts.topology import DELIVERY_LIMIT, Queue, QueueKind, Topology
from shared.outage_log import OutageLog
from shared.timeouts import Timeouts

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
"""The longest wait for all declarations; a broker that just started is slow."""

CANCEL_SECONDS = 1.0
"""The longest wait for the broker to confirm that it sends no more."""

RECONNECT_PAUSE_SECONDS = (0.1, 2.0)
"""The first and the longest pause between two attempts, before jitter."""


class RabbitSubscription:
    """Connects, declares and consumes; when one of these ends, it begins again."""

    def __init__(
        self,
        links: BrokerLinks,
        topology: Topology,
        queue: Queue,
        lanes: Lanes,
        *,
        prefetch: int,
        on_resync: Resync,
        timeouts: Timeouts,
    ) -> None:
        self._timeouts = timeouts
        self._links = links
        self._topology = topology
        self._queue = queue
        self._lanes = lanes
        self._prefetch = prefetch
        self._on_resync = on_resync
        self._outage = OutageLog(
            log, "The broker", effect=f"Nothing arrives from the queue {queue.name}."
        )
        self._ready = asyncio.Event()
        self._stopping = False
        self._deliveries: set[asyncio.Task[None]] = set()
        # A quorum queue counts deliveries; the queue of a replica does not.
        self._failures: dict[str, int] = {}
        self._task = asyncio.create_task(self._run())

    @property
    def connected(self) -> bool:
        """Whether the queue is being consumed."""
        return self._ready.is_set()

    async def wait_connected(self, seconds: float) -> None:
        """Return when the queue is being consumed, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()

    async def close(self) -> None:
        """Stop consuming, let running handlers finish, and disconnect."""
        self._stopping = True
        await end([self._task])
        # Handlers of an earlier link: their verdicts are lost, their work is not.
        await drain(self._deliveries, seconds=self._timeouts.handler_drain)

    async def _run(self) -> None:
        first, longest = RECONNECT_PAUSE_SECONDS
        pause = first
        while True:
            lost = asyncio.Event()
            try:
                await self._session(lost)
                reason = "the broker ended it"
            except asyncio.CancelledError:
                if cancelled_by_us():
                    raise
                reason = "the link broke"
            except Exception as failed:  # noqa: BLE001 - the consumer loop outlives each failure
                reason = repr(failed)
            if self._stopping:
                return
            self._outage.away(reason)
            pause = first if lost.is_set() else min(2 * pause, longest)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _session(self, lost: asyncio.Event) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await self._links.open()
        resyncing, acknowledgements = None, Acknowledgements()
        acknowledging = asyncio.create_task(acknowledgements.run())
        acknowledging.add_done_callback(lambda _: lost.set())
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                channel, stop_consuming = await self._consume(connection, acknowledgements, lost)
            self._ready.set()
            self._outage.back()
            resyncing = asyncio.create_task(resync(self._queue.name, self._on_resync))
            await self._until_lost(channel, lost)
        finally:
            self._ready.clear()
            if resyncing:
                resyncing.cancel()
                if self._stopping:
                    await stop_consuming()
                    await drain(self._deliveries, seconds=self._timeouts.handler_drain)
                    await _at_last(acknowledgements)
            acknowledging.cancel()
            self._links.discard(connection)

    async def _consume(
        self,
        connection: AbstractConnection,
        acknowledgements: Acknowledgements,
        lost: asyncio.Event,
    ) -> tuple[AbstractChannel, Callable[[], Awaitable[object]]]:
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(self._prefetch)
        queue = await declare_queue(channel, self._topology, self._queue)
        wire = await channel.get_underlay_channel()
        wire.closing.add_done_callback(lambda _: lost.set())
        wire.on_consumer_cancel_callbacks.add(lambda _: lost.set())
        self._failures.clear()
        consumer_tag = await queue.consume(partial(self._take, acknowledgements))
        return channel, partial(_cancel, queue, consumer_tag)

    async def _until_lost(self, channel: AbstractChannel, lost: asyncio.Event) -> None:
        """Return when the link is lost; raise `TimeoutError` when the broker does not answer.

        A frozen broker keeps the connection open until the heartbeat has been missed twice.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timeouts.broker_probe):
                    await lost.wait()
                return
            async with asyncio.timeout(self._timeouts.broker_answer):
                await channel.set_qos(self._prefetch)

    async def _take(
        self, acknowledgements: Acknowledgements, incoming: AbstractIncomingMessage
    ) -> None:
        # The library cancels a handler that runs inside its callback when the link breaks.
        delivery = asyncio.create_task(self._deliver(acknowledgements, incoming))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)

    async def _deliver(
        self, acknowledgements: Acknowledgements, incoming: AbstractIncomingMessage
    ) -> None:
        message = self._read(incoming)
        verdict = await self._lanes.handle(message)
        if verdict is Verdict.RETRY and message.attempts < DELIVERY_LIMIT:
            if self._queue.kind is QueueKind.REPLICA:
                self._failures[message.id] = message.attempts + 1
        else:
            self._failures.pop(message.id, None)
            if verdict is not Verdict.ACK:
                verdict = Verdict.DEAD
                self._lanes.give_up(message)
        await acknowledgements.settle(incoming, verdict)

    def _read(self, incoming: AbstractIncomingMessage) -> BusMessage:
        headers, message_id = incoming.headers, incoming.message_id or ""
        counted = headers.get("x-delivery-count", self._failures.get(message_id))
        return BusMessage(
            id=message_id,
            type=incoming.routing_key or "",
            source=_text(headers.get("source")),
            epoch=_text(headers.get("epoch")),
            shard=_number(headers.get("shard")),
            seq=_number(headers.get("seq")),
            body=incoming.body,
            signature=_text(headers.get("signature")),
            traceparent=_text(headers.get("traceparent")),
            attempts=counted if isinstance(counted, int) else 0,
        )


def _text(header: object) -> str:
    return header if isinstance(header, str) else ""


def _number(header: object) -> int:
    return header if isinstance(header, int) else -1


async def _cancel(queue: AbstractQueue, consumer_tag: ConsumerTag) -> None:
    with suppress(TimeoutError, *CONNECTION_EXCEPTIONS):
        await queue.cancel(consumer_tag, timeout=CANCEL_SECONDS)


async def _at_last(acknowledgements: Acknowledgements) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(CANCEL_SECONDS):
            await acknowledgements.send()
