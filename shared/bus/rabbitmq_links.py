"""BrokerLinks to RabbitMQ, and the declaration of queues over them.

A link is a plain connection. It is dropped at the first failure, and a new one declares everything
again. The recovery of the client library would hide that messages were missed.
"""

import asyncio
import logging
import secrets

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue, ExchangeType
from yarl import URL

from shared.contracts.topology import DELIVERY_LIMIT, Queue, QueueKind, Topology

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
"""The longest wait for a connection to close."""


class BrokerLinks:
    """Opens connections to one broker, and closes discarded ones in the background."""

    def __init__(self, url: str, name: str, heartbeat: int, *, connect_seconds: float) -> None:
        self._connect_seconds = connect_seconds
        self._url = URL(url).update_query(name=name, heartbeat=str(heartbeat))
        self._farewells: set[asyncio.Task[None]] = set()

    async def open(self) -> AbstractConnection:
        """Connect; raises one of `aio_pika.exceptions.CONNECTION_EXCEPTIONS` or `TimeoutError`."""
        connection = aio_pika.Connection(self._url)
        try:
            await connection.connect(timeout=self._connect_seconds)
        except BaseException:
            # Otherwise it closes itself when it is collected, in any thread.
            await connection.close()
            raise
        return connection

    def discard(self, connection: AbstractConnection) -> None:
        """Close the connection in the background: a stuck one takes long."""
        farewell = asyncio.create_task(_close(connection))
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    async def close(self) -> None:
        """Wait until the discarded connections are closed."""
        await asyncio.gather(*self._farewells)


async def declare(channel: AbstractChannel, topology: Topology) -> None:
    """Declare the exchanges, and every service's queue with its dead-letter queue.

    Existing ones stay as they are. Raises `aio_pika.exceptions.ChannelPreconditionFailed` when one
    of the same name has other arguments.
    """
    await channel.declare_exchange(topology.exchange, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(topology.dead_exchange, ExchangeType.DIRECT, durable=True)
    for queue in topology.queues:
        if queue.kind is QueueKind.SERVICE:
            await declare_queue(channel, topology, queue)


async def declare_queue(
    channel: AbstractChannel, topology: Topology, queue: Queue
) -> AbstractQueue:
    """Declare and bind one queue; a replica has a new one each time, for one connection."""
    if queue.kind is QueueKind.REPLICA:
        name = f"{queue.name}.{secrets.token_hex(8)}"
        declared = await channel.declare_queue(name, exclusive=True)
    else:
        dead = await channel.declare_queue(
            queue.dead, durable=True, arguments={"x-queue-type": "quorum"}
        )
        await dead.bind(topology.dead_exchange, routing_key=queue.name)
        declared = await channel.declare_queue(
            queue.name,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": topology.dead_exchange,
                "x-dead-letter-routing-key": queue.name,
            },
        )
    for binding in queue.bindings:
        await declared.bind(topology.exchange, routing_key=binding)
    return declared


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()
    except TimeoutError:
        log.warning("connection to the broker did not close in time")
