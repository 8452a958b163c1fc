"""The bus inside one process.

It keeps the same contract as RabbitMQ, except that a process that dies forgets its messages. The
sweepers of the journals publish them again.
"""

import asyncio
import dataclasses
from collections import deque
from collections.abc import Sequence

from shared.bus import (
    PREFETCH,
    BusMessage,
    BusUnavailable,
    Handler,
    Resync,
    Subscription,
    Unroutable,
    Verdict,
)
from shared.bus.delivery import RETRY_PAUSE_SECONDS, Lanes, drain, resync
from shared.contracts.topology import DELIVERY_LIMIT, MAX_DEAD_LETTERS, Queue, QueueKind
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts


class LocalBus:
    """Carries messages between the tasks of one event loop.

    A confirmation means more than a broker's: each subscriber has finished with the messages, or
    they are dead letters.
    """

    def __init__(
        self,
        *,
        pauses: Sequence[float] = RETRY_PAUSE_SECONDS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._timeouts = timeouts
        self._pauses = pauses
        self._subscriptions: list[_LocalSubscription] = []
        self._closed = False
        self.dead: deque[tuple[str, BusMessage]] = deque(maxlen=MAX_DEAD_LETTERS)
        """The newest dead letters: the name of the queue, and the message as last delivered."""

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        """Deliver the messages, and wait until each subscriber has finished with them."""
        if self._closed:
            raise BusUnavailable("the bus is closed")
        unroutable = []
        deliveries: list[asyncio.Task[None]] = []
        for message in messages:
            takers = self._takers(message)
            if not takers:
                unroutable.append(message.type)
            deliveries += [taker.deliver(message) for taker in takers]
        if deliveries:
            done, pending = await asyncio.wait(deliveries, timeout=self._timeouts.publish)
            if pending or any(delivery.cancelled() for delivery in done):
                raise BusUnavailable("a subscriber has not finished")
        if unroutable:
            raise Unroutable(f"no subscriber takes {sorted(set(unroutable))}")

    async def subscribe(
        self, queue: Queue, handler: Handler, *, prefetch: int = PREFETCH, on_resync: Resync
    ) -> Subscription:
        """Subscribe at once; this connection cannot break."""
        lanes = Lanes(queue.name, handler, self._pauses)
        subscription = _LocalSubscription(
            self,
            queue,
            lanes,
            prefetch=prefetch,
            on_resync=on_resync,
            drain_seconds=self._timeouts.handler_drain,
        )
        self._subscriptions.append(subscription)
        return subscription

    async def close(self) -> None:
        """Close every subscription."""
        self._closed = True
        await asyncio.gather(*(each.close() for each in list(self._subscriptions)))

    def forget(self, subscription: "_LocalSubscription") -> None:
        """Stop delivering to this subscription."""
        self._subscriptions.remove(subscription)

    def _takers(self, message: BusMessage) -> "list[_LocalSubscription]":
        # Replicas of a service share its queue: one of them gets the message.
        takers: dict[object, _LocalSubscription] = {}
        for each in self._subscriptions:
            if each.queue.takes(message.type):
                shared = each.queue.kind is QueueKind.SERVICE
                takers.setdefault(each.queue.name if shared else each, each)
        return list(takers.values())


class _LocalSubscription:
    def __init__(
        self,
        bus: LocalBus,
        queue: Queue,
        lanes: Lanes,
        *,
        prefetch: int,
        on_resync: Resync,
        drain_seconds: float,
    ) -> None:
        self.queue = queue
        self.connected = True
        self._bus = bus
        self._lanes = lanes
        self._drain_seconds = drain_seconds
        self._room = asyncio.Semaphore(prefetch)
        self._deliveries: dict[BusMessage, asyncio.Task[None]] = {}
        self._resync = asyncio.create_task(resync(queue.name, on_resync))

    def deliver(self, message: BusMessage) -> asyncio.Task[None]:
        """Start the delivery, or join the running one of the same message."""
        if message not in self._deliveries:
            delivery = asyncio.create_task(self._deliver(message))
            self._deliveries[message] = delivery
            delivery.add_done_callback(lambda _: self._deliveries.pop(message))
        return self._deliveries[message]

    async def close(self) -> None:
        if self.connected:
            self.connected = False
            self._bus.forget(self)
            self._resync.cancel()
            running = [self._resync, *self._deliveries.values()]
            await drain(running, seconds=self._drain_seconds)

    async def _deliver(self, message: BusMessage) -> None:
        async with self._room:
            while (verdict := await self._lanes.handle(message)) is Verdict.RETRY:
                if message.attempts >= DELIVERY_LIMIT:
                    break
                message = dataclasses.replace(message, attempts=message.attempts + 1)
        if verdict is not Verdict.ACK:
            self._lanes.give_up(message)
            self._bus.dead.append((self.queue.name, message))
