"""The bus over RabbitMQ."""

import asyncio
from collections.abc import Sequence

from shared.bus import PREFETCH, BusMessage, Handler, Resync, Subscription
from shared.bus.delivery import RETRY_PAUSE_SECONDS, Lanes
from shared.bus.rabbitmq_links import BrokerLinks
from shared.bus.rabbitmq_publisher import Publisher
from shared.bus.rabbitmq_subscription import RabbitSubscription
from shared.contracts.topology import TOPOLOGY, Queue, Topology
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

HEARTBEAT_SECONDS = 10
"""The broker closes a link that is silent for two of these; the library's default is minutes. A
subscription notices sooner that the broker is silent, because it asks (`Timeouts.broker_probe`)."""


class RabbitBus:
    """The bus over RabbitMQ 3.10 or later.

    `url` is an `amqp://` or `amqps://` address; the broker shows `name` for the connections. The
    publisher and each subscription have connections of their own, because a broker in alarm blocks
    those that publish.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        topology: Topology = TOPOLOGY,
        heartbeat: int = HEARTBEAT_SECONDS,
        pauses: Sequence[float] = RETRY_PAUSE_SECONDS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._links = BrokerLinks(url, name, heartbeat, connect_seconds=timeouts.publish)
        self._timeouts = timeouts
        self._topology = topology
        self._pauses = pauses
        self._publisher = Publisher(self._links, topology, seconds=timeouts.publish)
        self._subscriptions: list[RabbitSubscription] = []

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        """Send the messages and wait until the broker has confirmed all of them."""
        if messages:
            await self._publisher.publish(messages)

    async def subscribe(
        self, queue: Queue, handler: Handler, *, prefetch: int = PREFETCH, on_resync: Resync
    ) -> Subscription:
        """Consume from the queue until the subscription is closed."""
        subscription = RabbitSubscription(
            self._links,
            self._topology,
            queue,
            Lanes(queue.name, handler, self._pauses),
            prefetch=prefetch,
            on_resync=on_resync,
            timeouts=self._timeouts,
        )
        self._subscriptions.append(subscription)
        await subscription.wait_connected(self._timeouts.publish)
        return subscription

    async def close(self) -> None:
        """Close the subscriptions first: their handlers may still publish."""
        await asyncio.gather(*(each.close() for each in self._subscriptions))
        self._publisher.close()
        await self._links.close()
