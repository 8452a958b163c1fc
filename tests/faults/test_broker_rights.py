"""The broker refuses to each service everything that is another's, and grants what it needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import aio_pika
import pytest
from aio_pika.abc import ExchangeType
from aio_pika.exceptions import AMQPConnectionError, ChannelNotFoundEntity
from aiormq.exceptions import ChannelAccessRefused
from pydantic import SecretStr
from yarl import URL

from deploy.broker import MAX_MESSAGE_BYTES, definitions
from deploy.doctor.ask_http import ask_certificate
from deploy.doctor.rabbitmq import ask_broker
from deploy.passwords import generate
from deploy.programs.program import free_port
from deploy.programs.rabbitmq import Rabbitmq
from shared.bus import BusMessage, BusUnavailable
from shared.bus.rabbitmq import RabbitBus
from shared.contracts.topology import (
    MAX_DEAD_LETTERS,
    QUEUES,
    SOURCES,
    TOPOLOGY,
    Queue,
    QueueKind,
    Service,
    queue_arguments,
)
from tests.servers import require_rabbitmq
from tests.shared.bus.conftest import SLOW_BROKER
from tests.shared.bus.listener import Listener
from tests.support.certificates import Authority
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

    from shared.runtime.settings import StatelessSettings

DURABLE = [service for service in Service if QUEUES[service].kind is QueueKind.SERVICE]


class EncryptedRabbitmq(Rabbitmq):
    """A node that also listens with TLS."""

    certificate: Path

    @cached_property
    def encrypted_port(self) -> int:
        return free_port()

    def command(self) -> Sequence[str]:
        line = super().command()
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write(
                f"listeners.ssl.1 = 127.0.0.1:{self.encrypted_port}\n"
                f"ssl_options.certfile = {self.certificate}\n"
                f"ssl_options.keyfile = {self.certificate}\n"
            )
        return line


@dataclass(frozen=True)
class Broker:
    """A node with the product's definitions."""

    node: EncryptedRabbitmq
    passwords: dict[str, str]
    authority: Authority

    def url(self, service: str) -> str:
        return self.node.url_for(service, self.passwords[service])

    def encrypted_url(self, service: str, authority: Authority | None = None) -> str:
        user = f"{service}:{self.passwords[service]}"
        file = (authority or self.authority).file
        return f"amqps://{user}@127.0.0.1:{self.node.encrypted_port}/?cafile={file}"

    async def messages(self, owner: Service, queue: str | None = None) -> int:
        """The number of messages that wait in a service's queue, or in another one of its own.

        It is the queue's own answer to its owner; the statistics of `rabbitmqctl` are late.
        """
        async with await aio_pika.connect(self.url(owner)) as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue or QUEUES[owner].name, passive=True)
            return declared.declaration_result.message_count or 0

    async def state(self) -> list[str]:
        """The queues, exchanges and bindings."""
        exported = await asyncio.to_thread(self.node.control, "export_definitions", "-")
        return sorted(exported.splitlines())


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    require_rabbitmq()
    passwords = generate(tuple(Service))
    folder = tmp_path_factory.mktemp("broker")
    authority = Authority(folder, "ours")
    node = EncryptedRabbitmq(folder, definitions=definitions(passwords))
    node.certificate = authority.certify("server")
    node.start()
    yield Broker(node, passwords, authority)
    node.stop()


@pytest.fixture
async def bus(broker: Broker) -> AsyncIterator[Callable[[Service], RabbitBus]]:
    """Make the bus of a service; closed at the end."""
    made: list[RabbitBus] = []

    def make(service: Service) -> RabbitBus:
        made.append(RabbitBus(broker.url(service), service, timeouts=SLOW_BROKER))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def fact(source: str, number: int = 1) -> BusMessage:
    return BusMessage(
        id=f"evt_{number:032x}",
        type=f"{source}.thing.happened.v1",
        source=source,
        epoch="e",
        shard=number % 64,
        seq=number,
        body=b"{}",
        signature="",
    )


async def publish(channel: AbstractChannel, exchange: str, key: str, **headers: object) -> None:
    """Publish and wait for the broker's confirmation."""
    message = aio_pika.Message(b"{}", message_id="evt_1", headers=headers)  # type: ignore[arg-type]
    target = await channel.get_exchange(exchange, ensure=False)
    await target.publish(message, routing_key=key)


async def publish_with_the_key_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await publish(channel, TOPOLOGY.exchange_of(own), f"{victim}.user.verified.v1")


async def publish_to_the_exchange_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await publish(channel, TOPOLOGY.exchange_of(victim), f"{victim}.user.verified.v1")


async def publish_own_key_to_the_exchange_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await publish(channel, TOPOLOGY.exchange_of(victim), f"{own}.user.verified.v1")


async def publish_into_the_queue_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await publish(channel, "", QUEUES[victim].name)


async def publish_into_the_own_queue(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await publish(channel, "", QUEUES[own].name)


async def publish_dead_letters_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await publish(channel, QUEUES[victim].dead, "")


async def declare_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    queue = QUEUES[victim]
    await channel.declare_queue(queue.name, durable=True, arguments={**queue_arguments(queue)})


async def declare_a_replica_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await channel.declare_queue(f"{QUEUES[victim].name}.0123456789abcdef", exclusive=True)


async def declare_a_queue_of_a_similar_name(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await channel.declare_queue(f"{QUEUES[own].name}2", exclusive=True)


async def delete_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await channel.queue_delete(QUEUES[victim].name)


async def delete_the_dead_letters_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await channel.queue_delete(QUEUES[victim].dead)


async def purge_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await (await channel.get_queue(QUEUES[victim].name, ensure=False)).purge()


async def read_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await (await channel.get_queue(QUEUES[victim].name, ensure=False)).get(fail=False)


async def _ignore(message: AbstractIncomingMessage) -> None:
    del message


async def consume_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    queue = await channel.get_queue(QUEUES[victim].name, ensure=False)
    await queue.consume(_ignore, no_ack=True)


async def bind_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    queue = await channel.get_queue(QUEUES[victim].name, ensure=False)
    await queue.bind(TOPOLOGY.exchange_of(QUEUES[own].sources[0]), routing_key="#")


async def unbind_the_queue_of(channel: AbstractChannel, own: Service, victim: Service) -> None:
    queue = await channel.get_queue(QUEUES[victim].name, ensure=False)
    for binding in TOPOLOGY.bindings(QUEUES[victim]):
        await queue.unbind(binding.exchange, routing_key=binding.key)


async def listen_to_dead_letters_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    queue = await channel.declare_queue(f"{QUEUES[own].name}.spy", exclusive=True)
    await queue.bind(QUEUES[victim].dead, routing_key="")


async def delete_an_exchange(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await channel.exchange_delete(TOPOLOGY.exchange_of(own if own in SOURCES else SOURCES[0]))


async def declare_an_exchange(channel: AbstractChannel, own: Service, victim: Service) -> None:
    await channel.declare_exchange("rolecall.events.other", ExchangeType.TOPIC, durable=True)


async def feed_one_exchange_from_another(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    target = await channel.get_exchange(TOPOLOGY.exchange_of(victim), ensure=False)
    await target.bind(TOPOLOGY.exchange_of(own), routing_key="#")


async def send_dead_letters_to_the_exchange_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await channel.declare_queue(
        f"{QUEUES[own].name}.detour",
        exclusive=True,
        arguments={
            "x-dead-letter-exchange": TOPOLOGY.exchange_of(victim),
            "x-dead-letter-routing-key": f"{victim}.user.verified.v1",
        },
    )


async def send_dead_letters_into_the_queue_of(
    channel: AbstractChannel, own: Service, victim: Service
) -> None:
    await channel.declare_queue(
        f"{QUEUES[own].name}.detour",
        exclusive=True,
        arguments={
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": QUEUES[victim].name,
        },
    )


OPERATIONS = (
    publish_with_the_key_of,
    publish_to_the_exchange_of,
    publish_own_key_to_the_exchange_of,
    publish_into_the_queue_of,
    publish_into_the_own_queue,
    publish_dead_letters_of,
    declare_the_queue_of,
    declare_a_replica_of,
    declare_a_queue_of_a_similar_name,
    delete_the_queue_of,
    delete_the_dead_letters_of,
    purge_the_queue_of,
    read_the_queue_of,
    consume_the_queue_of,
    bind_the_queue_of,
    unbind_the_queue_of,
    listen_to_dead_letters_of,
    delete_an_exchange,
    declare_an_exchange,
    feed_one_exchange_from_another,
    send_dead_letters_to_the_exchange_of,
    send_dead_letters_into_the_queue_of,
)
"""What an attacker with the credentials of one service tries against another."""


async def answer(
    connection: AbstractConnection,
    operation: Callable[[AbstractChannel, Service, Service], Awaitable[None]],
    attacker: Service,
    victim: Service,
) -> str:
    """What the broker says to the attempt; it ends the channel of a refused one."""
    try:
        await operation(await connection.channel(), attacker, victim)
    except ChannelAccessRefused:
        return "refused"
    except ChannelNotFoundEntity:
        return "not there"
    return "allowed"


async def test_every_operation_on_what_is_anothers_is_refused(broker: Broker):
    before = await broker.state()
    answers: dict[tuple[str, str, str], str] = {}
    for attacker in Service:
        async with await aio_pika.connect(broker.url(attacker)) as connection:
            answers |= {
                (attacker, victim, operation.__name__): await answer(
                    connection, operation, attacker, victim
                )
                for victim in Service
                if victim != attacker
                for operation in OPERATIONS
            }
    assert len(answers) == len(Service) * (len(Service) - 1) * len(OPERATIONS)
    assert {attempt: said for attempt, said in answers.items() if said != "refused"} == {}
    assert await broker.state() == before


async def test_a_carbon_copy_does_not_carry_a_foreign_key(broker: Broker):
    before = [await broker.messages(victim) for victim in DURABLE]
    async with await aio_pika.connect(broker.url(Service.AUDIT)) as connection:
        channel = await connection.channel(publisher_confirms=True)
        target = await channel.get_exchange(TOPOLOGY.exchange_of(Service.AUDIT), ensure=False)
        for header in ("CC", "BCC"):
            copied = aio_pika.Message(b"{}", headers={header: ["identity.user.verified.v1"]})
            await target.publish(copied, routing_key="audit.", mandatory=False)
    after = [await broker.messages(victim) for victim in DURABLE]
    grown = {
        service for service, old, new in zip(DURABLE, before, after, strict=True) if new != old
    }
    # These take the facts of audit itself.
    assert grown <= {Service.NOTIFICATION, Service.AUDIT}


@pytest.mark.parametrize("source", SOURCES)
async def test_a_service_publishes_its_facts_to_each_queue_that_takes_them(
    broker: Broker, bus: Callable[[Service], RabbitBus], source: Service
):
    takers = [service for service in DURABLE if source in QUEUES[service].sources]
    before = [await broker.messages(taker) for taker in takers]
    await bus(source).publish([fact(source)])

    async def arrived() -> bool:
        now = [await broker.messages(taker) for taker in takers]
        return now == [number + 1 for number in before]

    await wait_for(arrived)


async def test_a_service_cannot_publish_as_another(bus: Callable[[Service], RabbitBus]):
    for attacker in Service:
        for source in SOURCES:
            if source != attacker:
                with pytest.raises(BusUnavailable):
                    await bus(attacker).publish([fact(source)])


@pytest.mark.parametrize("service", Service)
async def test_a_service_reads_its_queue_and_declares_it_again(
    broker: Broker, bus: Callable[[Service], RabbitBus], service: Service
):
    queue, listener = QUEUES[service], Listener()
    await bus(service).subscribe(queue, listener, on_resync=listener.on_resync)
    await wait_for(lambda: listener.resyncs == 1)
    if queue.kind is QueueKind.SERVICE:
        await _delete(broker, queue)
        await wait_for(lambda: listener.resyncs == 2)
    before = len(listener.seen)
    for number, source in enumerate(queue.sources, start=1):
        await bus(Service(source)).publish([fact(source, number)])
    await wait_for(lambda: len(listener.seen) == before + len(queue.sources))


async def _delete(broker: Broker, queue: Queue) -> None:
    """Delete a queue after its dead letters: its service then declares both again."""
    for name in (queue.dead, queue.name):
        await asyncio.to_thread(broker.node.control, "delete_queue", name)


async def test_the_newest_dead_letters_of_a_queue_are_kept(broker: Broker):
    queue = QUEUES[Service.AUDIT]
    async with await aio_pika.connect(broker.url(Service.AUDIT)) as connection:
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange(queue.dead, ensure=False)
        for start in range(0, MAX_DEAD_LETTERS + 50, 50):
            letters = (aio_pika.Message(b"{}", message_id=str(start + n)) for n in range(50))
            await asyncio.gather(*(exchange.publish(letter, routing_key="") for letter in letters))
        kept = await channel.get_queue(queue.dead, ensure=False)
        oldest = await kept.get(no_ack=True)
    assert await broker.messages(Service.AUDIT, queue.dead) == MAX_DEAD_LETTERS - 1
    assert int(oldest.message_id or "") >= 50


async def test_the_broker_refuses_a_message_that_no_row_can_be(
    broker: Broker, bus: Callable[[Service], RabbitBus]
):
    largest = replace(fact(Service.TEAM), body=bytes(MAX_MESSAGE_BYTES))
    await bus(Service.TEAM).publish([largest])
    with pytest.raises(BusUnavailable):
        await bus(Service.TEAM).publish([replace(largest, body=bytes(MAX_MESSAGE_BYTES + 1))])


async def test_no_one_connects_without_the_password_of_a_service(broker: Broker):
    for user, password in (("guest", "guest"), ("rolecall", "rolecall"), ("identity", "wrong")):
        connection = aio_pika.Connection(URL(broker.node.url_for(user, password)))
        with pytest.raises(AMQPConnectionError):
            await connection.connect()
        await connection.close()  # else a garbage collection in a thread would begin to close it
    listed = await asyncio.to_thread(broker.node.control, "list_users", "--no-table-headers")
    assert {line.split("\t")[0] for line in listed.splitlines()} == set(Service)
    assert {line.split("\t")[1] for line in listed.splitlines()} == {"[]"}


def settings_of(url: str) -> StatelessSettings:
    """What the doctor reads of a service's settings."""
    return cast("StatelessSettings", SimpleNamespace(amqp_url=SecretStr(url)))


async def test_the_doctor_finds_the_rights_that_are_needed_and_no_others(broker: Broker) -> None:
    for service in Service:
        seen = await ask_broker(service, settings_of(broker.url(service)))
        assert (seen.fault, seen.lacking, seen.excess) == ("", [], [])
        assert seen.version


async def test_the_doctor_finds_rights_that_are_missing_or_too_many(broker: Broker) -> None:
    """With the password of another service: its own rights are missing, and foreign ones there."""
    settings = settings_of(broker.url(Service.AUDIT))
    seen = await ask_broker(Service.NOTIFICATION, settings)
    assert "publish to rolecall.events.notification" in seen.lacking
    assert "declare a queue of its own" in seen.lacking
    assert seen.excess == ["publish to rolecall.events.audit"]
    wrong = settings_of(broker.url(Service.AUDIT).replace("audit:", "audit:x"))
    assert (await ask_broker(Service.AUDIT, wrong)).fault


async def test_a_service_publishes_and_consumes_over_tls(broker: Broker) -> None:
    consumer = RabbitBus(broker.encrypted_url(Service.AUTHZ), Service.AUTHZ, timeouts=SLOW_BROKER)
    source = RabbitBus(broker.encrypted_url(Service.TEAM), Service.TEAM, timeouts=SLOW_BROKER)
    listener = Listener()
    try:
        await consumer.subscribe(QUEUES[Service.AUTHZ], listener, on_resync=listener.on_resync)
        await wait_for(lambda: listener.resyncs > 0, what="a queue over TLS")
        await source.publish([fact("team", 777)])
        await wait_for(lambda: fact("team", 777).id in listener.ids, what="a fact over TLS")
    finally:
        await source.close()
        await consumer.close()
    port, authority = broker.node.encrypted_port, str(broker.authority.file)
    seen = await ask_certificate("127.0.0.1", port, authority)
    assert seen.until is not None


async def test_a_broker_of_another_authority_is_not_spoken_to(
    broker: Broker, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    seen = await ask_broker(Service.TEAM, settings_of(broker.encrypted_url(Service.TEAM, other)))
    assert seen.fault
    certificate = await ask_certificate("127.0.0.1", broker.node.encrypted_port, str(other.file))
    assert certificate.until is None
    assert "self-signed" in certificate.fault or "unable to get" in certificate.fault


async def test_a_password_is_changed_while_a_service_publishes(broker: Broker) -> None:
    """Its connection stays; the next replica signs in with the new password, not with the old."""
    old, new = broker.url(Service.TEAM), broker.node.url_for(Service.TEAM, "another-password")
    before = RabbitBus(old, Service.TEAM, timeouts=SLOW_BROKER)
    after = RabbitBus(new, Service.TEAM, timeouts=SLOW_BROKER)
    try:
        await before.publish([fact("team", 801)])
        await asyncio.to_thread(broker.node.control, "change_password", "team", "another-password")
        broker.passwords[Service.TEAM] = "another-password"
        await before.publish([fact("team", 802)])
        await after.publish([fact("team", 803)])
        assert (await ask_broker(Service.TEAM, settings_of(old))).fault
    finally:
        await before.close()
        await after.close()
