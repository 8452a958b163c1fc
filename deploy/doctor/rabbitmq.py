"""Asks the broker what the user of a service may do."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue, ExchangeType
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, AMQPException

from deploy.doctor.ask_http import SECONDS, fault_text
from deploy.doctor.servers import SeenBroker
from shared.bus.rabbitmq_links import BrokerLinks
from shared.contracts.topology import QUEUES, SOURCES, TOPOLOGY, Service
from shared.runtime.settings import StatelessSettings

Operation = Callable[[AbstractChannel], Awaitable[object]]


async def ask_broker(service: Service, settings: StatelessSettings) -> SeenBroker:
    """Find out what the user of a service may do at the broker. Nothing of it stays there.

    RabbitMQ logs each operation that it refuses as `access_refused`.
    """
    url = settings.amqp_url.get_secret_value()
    user = unquote(urlsplit(url).username or "guest")
    links = BrokerLinks(url, "rolecall-doctor", 10, connect_seconds=SECONDS)
    try:
        connection = await links.open()
    except (*CONNECTION_EXCEPTIONS, TimeoutError, OSError, ValueError) as problem:
        return SeenBroker(service=service, user=user, fault=fault_text(problem))
    try:
        properties = cast("Any", connection).transport.connection.server_properties
        lacking = [name for name, one in needed(service).items() if not await _may(connection, one)]
        excess = [name for name, one in not_needed(service).items() if await _may(connection, one)]
    except TimeoutError as problem:
        return SeenBroker(service=service, user=user, fault=fault_text(problem))
    finally:
        await connection.close()
    version = properties.get("version", "")
    return SeenBroker(
        service=service,
        user=user,
        version=version.decode() if isinstance(version, bytes) else str(version),
        lacking=lacking,
        excess=excess,
    )


def needed(service: Service) -> Mapping[str, Operation]:
    """What the user of a service must be able to do, in words."""
    own = TOPOLOGY.exchange_of(service)
    found: dict[str, Operation] = {"declare a queue of its own": _declare(_own(service))}
    for source in QUEUES[service].sources:
        exchange = TOPOLOGY.exchange_of(source)
        found[f"read {exchange}"] = _bind(_own(service), exchange, f"{source}.#")
    if service in SOURCES:
        found[f"publish to {own}"] = _publish(own, f"{service}.doctor")
    return found


def not_needed(service: Service) -> Mapping[str, Operation]:
    """What only an administrator, or the user of another service, should be able to do."""
    others = [source for source in SOURCES if source != service]
    foreign = [source for source in SOURCES if source not in QUEUES[service].sources]
    return {
        "declare a queue of any name": _declare(f"doctor-{secrets.token_hex(8)}"),
        "declare an exchange": _declare_exchange,
        "publish to any queue": _publish("", f"doctor-{secrets.token_hex(8)}"),
        **{
            f"publish to {exchange}": _publish(exchange, f"{source}.doctor")
            for source in others
            for exchange in [TOPOLOGY.exchange_of(source)]
        },
        **{
            f"read {exchange}": _bind(_own(service), exchange, f"{source}.#")
            for source in foreign
            for exchange in [TOPOLOGY.exchange_of(source)]
        },
    }


def _own(service: Service) -> str:
    return f"{QUEUES[service].name}.doctor-{secrets.token_hex(8)}"


async def _may(connection: AbstractConnection, operation: Operation) -> bool:
    """Whether an operation is allowed; a refusal closes its channel and nothing else.

    Raises:
        TimeoutError: the broker does not say.
    """
    channel = await connection.channel(publisher_confirms=False)
    try:
        async with asyncio.timeout(SECONDS):
            await operation(channel)
    except (AMQPException, RuntimeError):
        return False
    finally:
        with suppress(AMQPException, RuntimeError):
            await channel.close()
    return True


def _declare(name: str) -> Operation:
    async def operation(channel: AbstractChannel) -> None:
        async with _queue(channel, name):
            pass

    return operation


def _bind(name: str, exchange: str, key: str) -> Operation:
    async def operation(channel: AbstractChannel) -> None:
        async with _queue(channel, name) as queue:
            await queue.bind(exchange, routing_key=key)

    return operation


@asynccontextmanager
async def _queue(channel: AbstractChannel, name: str) -> AsyncIterator[AbstractQueue]:
    """A queue for this moment, which ends with the connection at the latest."""
    queue = await channel.declare_queue(name, exclusive=True, auto_delete=True)
    try:
        yield queue
    finally:
        with suppress(AMQPException, RuntimeError):
            await queue.delete(if_unused=False, if_empty=False)


async def _declare_exchange(channel: AbstractChannel) -> None:
    name = f"rolecall.doctor-{secrets.token_hex(8)}"
    exchange = await channel.declare_exchange(name, ExchangeType.FANOUT, auto_delete=True)
    await exchange.delete()


def _publish(exchange: str, key: str) -> Operation:
    """Publish in a transaction that is rolled back: the rights are checked, no one receives it."""

    async def operation(channel: AbstractChannel) -> None:
        transaction = channel.transaction()
        await transaction.select()
        target = channel.default_exchange
        if exchange:
            target = await channel.get_exchange(exchange, ensure=False)
        await target.publish(aio_pika.Message(b""), routing_key=key)
        await transaction.rollback()

    return operation
