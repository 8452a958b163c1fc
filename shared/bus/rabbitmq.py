"""What does a service hold to speak through RabbitMQ?"""

import asyncio
from collections.abc import Sequence

from shared.bus import BusMessage, Handler, Resync, Subscription
from shared.bus.delivery import RETRY_PAUSES, Lanes
from shared.bus.rabbitmq_links import Links
from shared.bus.rabbitmq_publisher import Publisher
from shared.bus.rabbitmq_subscription import RabbitSubscription
from shared.contracts.topology import TOPOLOGY, Queue, Topology
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

HEARTBEAT_SECONDS = 10
"""A silent partition shows after about three of these; the library's default takes minutes."""


class RabbitBus:
    """The bus over RabbitMQ 3.10 or later.

    `url` is an `amqp://` or `amqps://` address, `name` what the broker shows for the connections.
    Publishing has a connection of its own, as each subscription has: a broker in alarm blocks the
    publishers only.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        topology: Topology = TOPOLOGY,
        heartbeat: int = HEARTBEAT_SECONDS,
        pauses: Sequence[float] = RETRY_PAUSES,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._links = Links(url, name, heartbeat, connect_seconds=timeouts.publish)
        self._timeouts = timeouts
        self._topology = topology
        self._pauses = pauses
        self._publisher = Publisher(self._links, topology, seconds=timeouts.publish)
        self._subscriptions: list[RabbitSubscription] = []

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        """Send the messages and wait for the broker to confirm them all."""
        if messages:
            await self._publisher.publish(messages)

    async def subscribe(
        self, queue: Queue, handler: Handler, *, prefetch: int = 64, on_resync: Resync
    ) -> Subscription:
        """Consume from the queue, over and over again until the subscription is closed."""
        subscription = RabbitSubscription(
            self._links,
            self._topology,
            queue,
            Lanes(queue.name, handler, self._pauses),
            prefetch=prefetch,
            on_resync=on_resync,
            drain_seconds=self._timeouts.handler_drain,
        )
        self._subscriptions.append(subscription)
        await subscription.wait_connected(self._timeouts.publish)
        return subscription

    async def close(self) -> None:
        """Close the subscriptions first: their handlers may still want to publish."""
        await asyncio.gather(*(each.close() for each in self._subscriptions))
        self._publisher.close()
        await self._links.close()
