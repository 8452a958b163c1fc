"""The administrator of a test's broker."""

import aio_pika
from aio_pika.abc import ExchangeType

from shared.bus.rabbitmq_links import declare_queue
from shared.contracts.topology import QueueKind, Topology


async def declare(url: str, topology: Topology) -> None:
    """Declare a test's own topology, as an administrator does before the services start."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for source in topology.sources:
            name = topology.exchange_of(source)
            await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
        for queue in topology.queues:
            if queue.kind is QueueKind.SERVICE:
                await declare_queue(channel, topology, queue)
