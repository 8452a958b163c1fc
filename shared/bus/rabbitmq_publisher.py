"""The publisher: a message is confirmed by RabbitMQ, or fails within its time."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, DeliveryMode
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, PublishError

from shared.bus import BusMessage, BusUnavailable, Unroutable
from shared.bus.rabbitmq_links import BrokerLinks
from shared.cancellation import cancelled_by_us
from shared.contracts.topology import Topology

REST_RANGE_SECONDS = (0.2, 1.0)
"""After a failure the broker is not tried again for a random time between these."""


@dataclass(frozen=True)
class _Link:
    connection: AbstractConnection
    channel: AbstractChannel


class Publisher:
    """One connection for all that a process publishes, opened when first needed."""

    def __init__(self, links: BrokerLinks, topology: Topology, *, seconds: float) -> None:
        self._seconds = seconds
        self._links = links
        self._topology = topology
        self._link: _Link | None = None
        self._connecting = asyncio.Lock()
        self._rests_until = 0.0
        self._closed = False

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        """Send all messages without waiting in between, then wait for all confirmations.

        Raises `Unroutable` when one reached no queue, and `BusUnavailable` when one is not
        confirmed for another reason, such as a missing exchange or right.
        """
        link = None
        try:
            async with asyncio.timeout(self._seconds):
                link = await self._linked()
                # Outcomes as values: a CancelledError among them comes from a broken link, and
                # is not a request to stop.
                outcomes = await asyncio.gather(
                    *(self.send(link.channel, message) for message in messages),
                    return_exceptions=True,
                )
        except asyncio.CancelledError as cancelled:
            if cancelled_by_us():
                raise
            self._drop(link)
            raise BusUnavailable("the link to the broker broke") from cancelled
        except (TimeoutError, *CONNECTION_EXCEPTIONS) as failed:
            self._drop(link)
            raise BusUnavailable(f"no confirmation: {failed!r}") from failed
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            self._drop(link)
            returned = next((each for each in failures if isinstance(each, PublishError)), None)
            if returned:
                raise Unroutable("a message reached no queue") from returned
            raise BusUnavailable(f"{len(failures)} not confirmed") from failures[0]

    async def send(self, channel: AbstractChannel, message: BusMessage) -> None:
        """Send one message to its source's exchange and wait for its confirmation."""
        name = self._topology.exchange_of(message.source)
        exchange = await channel.get_exchange(name, ensure=False)
        await exchange.publish(
            aio_pika.Message(
                message.body,
                message_id=message.id,
                type=message.type,
                content_type="application/cloudevents+json",
                delivery_mode=DeliveryMode.PERSISTENT,
                headers={
                    "source": message.source,
                    "epoch": message.epoch,
                    "shard": message.shard,
                    "seq": message.seq,
                    "signature": message.signature,
                    **({"traceparent": message.traceparent} if message.traceparent else {}),
                },
            ),
            routing_key=message.type,
            mandatory=True,
            timeout=self._seconds,
        )

    def close(self) -> None:
        """Publish no more."""
        self._closed = True
        self._drop(self._link)

    async def _linked(self) -> _Link:
        async with self._connecting:
            if self._link and not self._link.channel.is_closed:
                return self._link
            self._drop(self._link)
            if self._closed or _now() < self._rests_until:
                raise BusUnavailable("the broker was away a moment ago")
            self._rest()
            connection = await self._links.open()
            try:
                channel = await connection.channel(on_return_raises=True)
            except BaseException:
                self._links.discard(connection)
                raise
            self._rests_until = 0.0
            self._link = _Link(connection, channel)
            return self._link

    def _rest(self) -> None:
        self._rests_until = _now() + random.uniform(*REST_RANGE_SECONDS)

    def _drop(self, link: _Link | None) -> None:
        # Another publish may have replaced it already.
        if link is not None and link is self._link:
            self._link = None
            self._links.discard(link.connection)


def _now() -> float:
    return asyncio.get_running_loop().time()
