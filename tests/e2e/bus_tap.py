"""A listener at every exchange of a broker of the tests."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aio_pika

from deploy.broker import VHOST
from shared.contracts.topology import SOURCES, TOPOLOGY, Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aio_pika.abc import AbstractIncomingMessage

    from tests.e2e.processes import Processes

LISTENER = "listener"
LIKE = Service.AUDIT
"""The listener has the password of this service."""


def with_listener(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions of a broker, with a user who may read everything."""
    [like] = [user for user in definitions["users"] if user["name"] == LIKE]
    every = {"user": LISTENER, "vhost": VHOST, "configure": ".*", "write": ".*", "read": ".*"}
    return {
        **definitions,
        "users": [*definitions["users"], like | {"name": LISTENER}],
        "permissions": [*definitions["permissions"], every],
    }


@asynccontextmanager
async def tapped(product: Processes) -> AsyncIterator[list[str]]:
    """The messages that are published until the block ends, with all that they carry."""
    heard: list[str] = []
    url = product.broker.url_for(LISTENER, product.broker_passwords[LIKE])

    async def hear(message: AbstractIncomingMessage) -> None:
        heard.append(f"{message.routing_key} {message.info()} {message.body.decode()}")

    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for source in SOURCES:
            await queue.bind(TOPOLOGY.exchange_of(source), routing_key="#")
        await queue.consume(hear, no_ack=True)
        yield heard
