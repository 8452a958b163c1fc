"""BrokerLinks to RabbitMQ, and the declaration of queues over them.

A link is a plain connection. It is dropped at the first failure, and a new subscription declares
its queue again. The recovery of the client library would hide that messages were missed.
"""

import asyncio
import logging
import secrets

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue, ExchangeType
from yarl import URL

from shared.contracts.topology import (
    DEAD_ARGUMENTS,
    Queue,
    QueueKind,
    Topology,
    queue_arguments,
)

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


async def declare_queue(
    channel: AbstractChannel, topology: Topology, queue: Queue
) -> AbstractQueue:
    """Declare and bind one queue; a replica has a new one each time, for one connection.

    An existing queue stays as it is. The exchanges of the sources must exist: a service may not
    declare them. Raises `aio_pika.exceptions.ChannelPreconditionFailed` when a queue of the same
    name has other arguments.
    """
    if queue.kind is QueueKind.REPLICA:
        name = f"{queue.name}.{secrets.token_hex(8)}"
        declared = await channel.declare_queue(name, exclusive=True)
    else:
        dead = await channel.declare_queue(queue.dead, durable=True, arguments=dict(DEAD_ARGUMENTS))
        await channel.declare_exchange(queue.dead, ExchangeType.FANOUT, durable=True)
        await dead.bind(queue.dead, routing_key="")
        declared = await channel.declare_queue(
            queue.name, durable=True, arguments=dict(queue_arguments(queue))
        )
    for binding in topology.bindings(queue):
        await declared.bind(binding.exchange, routing_key=binding.key)
    return declared


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()
    except TimeoutError:
        log.debug("connection to the broker did not close in time")
