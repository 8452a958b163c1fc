"""Messages and subscribers when RabbitMQ or the way to it fails."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aio_pika
import pytest
from yarl import URL

from deploy.programs.rabbitmq import Rabbitmq
from shared.bus import BusMessage, BusUnavailable, Unroutable, Verdict
from shared.bus.rabbitmq_links import BrokerLinks
from shared.bus.rabbitmq_publisher import Publisher
from shared.contracts.topology import DELIVERY_LIMIT, QueueKind
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.faults.chaos_proxy import ChaosProxy
from tests.servers import require_rabbitmq
from tests.shared.bus.conftest import SLOW_BROKER
from tests.shared.bus.listener import Listener, message, messages
from tests.support.broker import declare
from tests.waiting import quickest, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from aio_pika.abc import (
        AbstractChannel,
        AbstractIncomingMessage,
        AbstractQueue,
    )

    from shared.bus.rabbitmq import RabbitBus
    from shared.contracts.topology import Queue, Topology


MEMORY_LIMIT = "set_vm_memory_high_watermark"


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[ChaosProxy, str]]:
    """Give a proxy before the broker, and the broker's address through it."""
    broker = URL(url)
    assert broker.host
    assert broker.port
    async with ChaosProxy(broker.host, broker.port) as proxy:
        yield proxy, str(broker.with_host("127.0.0.1").with_port(proxy.port))


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbitmq]:
    """A broker of these tests alone, which they may control; each leaves it as it was."""
    require_rabbitmq()
    broker = Rabbitmq(tmp_path_factory.mktemp("own-broker"))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture
async def broker_url(amqp_url: str, topology: Topology) -> str:
    """The address of the run's broker, with the topology of this test."""
    await declare(amqp_url, topology)
    return amqp_url


@pytest.fixture
async def channel(broker_url: str) -> AsyncIterator[AbstractChannel]:
    """A channel that goes round the bus."""
    async with await aio_pika.connect(broker_url) as connection:
        yield await connection.channel()


async def queues_on_disk(broker: Rabbitmq, topology: Topology) -> None:
    """Wait until a kill cannot hurt the queues themselves.

    RabbitMQ 3.10 writes the first term of a new quorum queue to disk with a delay of a second, and
    a queue that loses it never answers again.
    """
    services = [queue for queue in topology.queues if queue.kind is QueueKind.SERVICE]

    def written() -> bool:
        [folder] = (broker.folder / "mnesia").glob("*/quorum/*")
        names = set(re.findall(rb"2F_[0-9A-Z]{15}", (folder / "names.dets").read_bytes()))
        terms = (folder / "meta.dets").read_bytes()
        return len(names) == 2 * len(services) and all(name in terms for name in names)

    await wait_for(written)


async def fetched(queue: AbstractQueue) -> AbstractIncomingMessage:
    """Take the next message without acknowledging it."""

    async def got() -> AbstractIncomingMessage | None:
        return await queue.get(fail=False)

    found = await wait_for(got)
    assert found
    return found


async def publish_until_confirmed(bus: RabbitBus | Publisher, sent: list[BusMessage]) -> int:
    """Publish as a sweeper does; give how often it took."""
    tries = 0

    async def confirmed() -> bool:
        nonlocal tries
        tries += 1
        try:
            await bus.publish(sent)
        except BusUnavailable:
            return False
        return True

    await wait_for(confirmed)
    return tries


async def refused_within_two_seconds(bus: RabbitBus, sent: list[BusMessage]) -> None:
    async def refused() -> None:
        with pytest.raises(BusUnavailable):
            await bus.publish(sent)

    assert DEFAULT_TIMEOUTS.publish == 2.0
    assert await quickest(refused, under=2.5) < 2.5


async def test_confirmed_messages_survive_the_broker_being_killed(
    private_rabbitmq: Callable[[], Rabbitmq],
    rabbit: Callable[..., RabbitBus],
    topology: Topology,
    audit: Queue,
):
    broker = await asyncio.to_thread(private_rabbitmq)
    await declare(broker.url, topology)
    bus = rabbit(broker.url)
    sent = messages(200)
    await bus.publish(sent)
    await queues_on_disk(broker, topology)
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.start)
    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await wait_for(lambda: {each.id for each in sent} == set(listener.ids))


async def test_a_service_recovers_when_the_broker_returns(
    private_rabbitmq: Callable[[], Rabbitmq],
    rabbit: Callable[..., RabbitBus],
    topology: Topology,
    audit: Queue,
):
    broker = await asyncio.to_thread(private_rabbitmq)
    await declare(broker.url, topology)
    await queues_on_disk(broker, topology)
    await asyncio.to_thread(broker.kill)
    bus, listener = rabbit(broker.url, timeouts=DEFAULT_TIMEOUTS), Listener()
    subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    assert not subscription.connected
    await refused_within_two_seconds(bus, [message(1)])
    for number in (1, 2):
        await asyncio.to_thread(broker.start)
        await wait_for(lambda: subscription.connected)
        await wait_for(lambda: listener.resyncs >= number)  # noqa: B023 (called at once)
        await publish_until_confirmed(bus, [message(number)])
        await wait_for(lambda: message(number).id in listener.ids)  # noqa: B023 (called at once)
        await queues_on_disk(broker, topology)
        await asyncio.to_thread(broker.kill)
        await wait_for(lambda: not subscription.connected)
        await refused_within_two_seconds(bus, [message(3)])
    assert listener.resyncs == 2


async def test_an_alarm_blocks_publishers_for_two_seconds_and_no_subscriber(
    own_broker: Rabbitmq,
    rabbit: Callable[..., RabbitBus],
    topology: Topology,
    audit: Queue,
):
    await declare(own_broker.url, topology)
    bus, listener = rabbit(own_broker.url, timeouts=DEFAULT_TIMEOUTS), Listener()
    subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await wait_for(lambda: listener.resyncs == 1)
    await publish_until_confirmed(bus, [message(1)])
    try:
        await asyncio.to_thread(own_broker.control, MEMORY_LIMIT, "0.00001")

        async def alarmed() -> bool:
            found = await asyncio.to_thread(
                own_broker.control, "eval", "rabbit_alarm:get_alarms()."
            )
            return found.strip() != "[]"

        await wait_for(alarmed, within=90)
        await refused_within_two_seconds(bus, [message(2)])
        await refused_within_two_seconds(bus, [message(3)])
        assert subscription.connected
        assert listener.resyncs == 1
    finally:
        await asyncio.to_thread(own_broker.control, MEMORY_LIMIT, "0.6")
    await publish_until_confirmed(bus, [message(2), message(3)])
    await wait_for(lambda: set(listener.ids) == {message(number).id for number in (1, 2, 3)})


async def test_each_connection_of_a_replica_has_a_queue_of_a_new_name(
    own_broker: Rabbitmq,
    rabbit: Callable[..., RabbitBus],
    topology: Topology,
    replica: Queue,
):
    await declare(own_broker.url, topology)

    async def queues() -> set[str]:
        listed = await asyncio.to_thread(own_broker.control, "list_queues", "name")
        return {name for name in listed.split() if name.startswith(f"{replica.name}.")}

    async with proxied(own_broker.url) as (proxy, url):
        bus, listener = rabbit(url), Listener()
        await bus.subscribe(replica, listener, on_resync=listener.on_resync)
        await bus.subscribe(replica, listener, on_resync=listener.on_resync)
        await wait_for(lambda: listener.resyncs == 2)
        first = await queues()
        assert len(first) == 2
        proxy.drop()
        await wait_for(lambda: listener.resyncs == 4)

        async def new_ones_only() -> bool:
            # The broker deletes the old ones when it notices that their links are gone.
            second = await queues()
            return len(second) == 2 and not first & second

        await wait_for(new_ones_only, within=90)


async def test_a_cut_link_resyncs_a_replica_because_its_queue_lost_messages(
    broker_url: str, rabbit: Callable[..., RabbitBus], replica: Queue
):
    async with proxied(broker_url) as (proxy, url):
        listener, elsewhere = Listener(), rabbit(broker_url)
        subscription = await rabbit(url).subscribe(replica, listener, on_resync=listener.on_resync)
        await wait_for(lambda: listener.resyncs == 1)
        proxy.cut()
        await wait_for(lambda: not subscription.connected)
        await elsewhere.publish([message(1)])
        proxy.heal()
        await wait_for(lambda: subscription.connected and listener.resyncs == 2)
        await elsewhere.publish([message(2)])
        await wait_for(lambda: listener.ids == [message(2).id])


async def test_a_cut_link_loses_nothing_of_a_service_queue(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    async with proxied(broker_url) as (proxy, url):
        started, release, handled = asyncio.Event(), asyncio.Event(), []

        async def handler(given: BusMessage) -> Verdict:
            handled.append(given.id)
            started.set()
            await release.wait()
            return Verdict.ACK

        listener = Listener()
        await rabbit(url).subscribe(audit, handler, on_resync=listener.on_resync)
        await rabbit(broker_url).publish([message(1)])
        await started.wait()
        await wait_for(lambda: listener.resyncs == 1)
        proxy.drop()
        await wait_for(lambda: listener.resyncs == 2)
        # The verdict's link is gone, so the message comes again over the next one.
        release.set()
        await wait_for(lambda: handled == [message(1).id] * 2)


async def test_closing_without_a_link_lets_the_running_handler_finish_too(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    async with proxied(broker_url) as (proxy, url):
        started, release, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def handler(given: BusMessage) -> Verdict:
            started.set()
            await release.wait()
            finished.set()
            return Verdict.ACK

        listener = Listener()
        subscription = await rabbit(url).subscribe(audit, handler, on_resync=listener.on_resync)
        await rabbit(broker_url).publish([message(1)])
        await started.wait()
        proxy.cut()
        await wait_for(lambda: not subscription.connected)
        closing = asyncio.create_task(subscription.close())
        await wait_for(subscription._task.done)  # type: ignore[attr-defined]
        assert not closing.done()
        release.set()
        await closing
        assert finished.is_set()


async def test_a_closed_subscription_hands_nothing_on_that_it_has_handled(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    bus, listener = rabbit(broker_url), Listener()
    subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await bus.publish(messages(5))
    await wait_for(lambda: len(listener.ids) == 5)
    await subscription.close()
    later = Listener()
    await bus.subscribe(audit, later, on_resync=later.on_resync)
    await bus.publish(messages(1, first=6))
    await wait_for(lambda: later.ids)
    assert later.ids == [message(6).id]


async def test_a_silent_partition_ends_publishes_and_shows_by_heartbeat(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    async with proxied(broker_url) as (proxy, url):
        bus, listener = rabbit(url, heartbeat=1, timeouts=DEFAULT_TIMEOUTS), Listener()
        subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
        await publish_until_confirmed(bus, [message(1)])
        await wait_for(lambda: subscription.connected and listener.resyncs)
        proxy.stall()
        await refused_within_two_seconds(bus, [message(2)])
        await wait_for(lambda: not subscription.connected)
        before = listener.resyncs
        proxy.heal()
        await publish_until_confirmed(bus, [message(2)])
        await wait_for(lambda: listener.resyncs > before and message(2).id in listener.ids)


LATE_HEARTBEAT = 120
"""Seconds after which a heartbeat would tell, longer than any test waits."""


async def test_a_frozen_broker_is_noticed_before_its_heartbeat_is_missed(
    broker_url: str,
    rabbit: Callable[..., RabbitBus],
    audit: Queue,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    timeouts = replace(DEFAULT_TIMEOUTS, broker_probe=0.2, broker_answer=1.0)
    async with proxied(broker_url) as (proxy, url):
        bus, listener = rabbit(url, heartbeat=LATE_HEARTBEAT, timeouts=timeouts), Listener()
        subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
        await wait_for(lambda: subscription.connected and listener.resyncs)
        proxy.stall()
        await wait_for(lambda: not subscription.connected)
        proxy.heal()
        await wait_for(lambda: subscription.connected and listener.resyncs > 1)
    told = [line for line in caplog.messages if line.startswith("The broker is")]
    assert told == ["The broker is away.", "The broker is back."]


async def test_a_publish_whose_confirmation_was_lost_may_have_arrived(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    listener = Listener()
    await rabbit(broker_url).subscribe(audit, listener, on_resync=listener.on_resync)
    async with proxied(broker_url) as (proxy, url):
        bus = rabbit(url, timeouts=DEFAULT_TIMEOUTS)
        await publish_until_confirmed(bus, [message(1)])
        proxy.stall(to_server=False)
        await refused_within_two_seconds(bus, [message(2)])
        await wait_for(lambda: set(listener.ids) == {message(1).id, message(2).id})
        came = len(listener.ids)
        proxy.heal()
        await publish_until_confirmed(bus, [message(2)])
    await wait_for(lambda: len(listener.ids) > came)
    assert set(listener.ids[came:]) == {message(2).id}


async def test_a_link_that_breaks_during_a_publish_does_not_cancel_the_publisher(
    broker_url: str, rabbit: Callable[..., RabbitBus]
):
    async with proxied(broker_url) as (proxy, url):
        bus = rabbit(url)
        await bus.publish([message(1)])
        proxy.stall(to_server=False)
        publishing = asyncio.create_task(bus.publish(messages(50)))
        await asyncio.sleep(0)
        proxy.cut()
        with pytest.raises(BusUnavailable):
            await publishing
        assert not publishing.cancelled()


class StrayCancellation(Publisher):
    """A broken link makes the client library cancel a call of ours."""

    strays = True

    async def send(self, channel: AbstractChannel, message: BusMessage) -> None:
        if self.strays:
            raise asyncio.CancelledError
        await super().send(channel, message)


async def test_a_stray_cancellation_is_a_failed_publish(broker_url: str, topology: Topology):
    links = BrokerLinks(broker_url, "test", 10, connect_seconds=SLOW_BROKER.publish)
    publisher = StrayCancellation(links, topology, seconds=SLOW_BROKER.publish)
    with pytest.raises(BusUnavailable):
        await publisher.publish([message(1)])
    publisher.strays = False
    await publish_until_confirmed(publisher, [message(1)])
    publisher.close()
    await links.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_frames_torn_in_two_lose_nothing(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue, seed: int
):
    listener = Listener()
    await rabbit(broker_url).subscribe(audit, listener, on_resync=listener.on_resync)
    chance = random.Random(seed)
    async with proxied(broker_url) as (proxy, url):
        bus = rabbit(url)
        sent = messages(60)
        for start in range(0, 60, 3):
            proxy.drop_after(chance.randrange(1, 3000))
            await publish_until_confirmed(bus, sent[start : start + 3])
    await wait_for(lambda: {each.id for each in sent} == set(listener.ids))


async def test_a_slow_link_only_takes_longer(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    async with proxied(broker_url) as (proxy, url):
        bus, listener = rabbit(url), Listener()
        await bus.subscribe(audit, listener, on_resync=listener.on_resync)
        await bus.publish([message(1)])
        proxy.delay = 0.3
        await bus.publish([message(2)])
        await wait_for(lambda: listener.ids == [message(1).id, message(2).id])


async def test_a_deleted_queue_is_declared_and_bound_again(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue, channel: AbstractChannel
):
    bus, listener = rabbit(broker_url), Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await wait_for(lambda: listener.resyncs == 1)
    await channel.queue_delete(audit.name)
    await wait_for(lambda: listener.resyncs == 2)
    await bus.publish([message(1)])
    await wait_for(lambda: listener.seen)


async def test_a_message_is_noticed_when_every_queue_is_deleted(
    broker_url: str, rabbit: Callable[..., RabbitBus], topology: Topology, channel: AbstractChannel
):
    bus = rabbit(broker_url)
    await bus.publish([message(1)])
    for queue in topology.queues:
        await channel.queue_delete(queue.name)
    with pytest.raises(Unroutable):
        await bus.publish([message(2)])


async def test_a_publisher_works_again_when_its_exchange_is_declared_again(
    broker_url: str, rabbit: Callable[..., RabbitBus], topology: Topology, channel: AbstractChannel
):
    bus = rabbit(broker_url)
    await bus.publish([message(1)])
    await channel.exchange_delete(topology.exchange_of("team"))
    with pytest.raises(BusUnavailable):
        await bus.publish([message(2)])
    await declare(broker_url, topology)
    await publish_until_confirmed(bus, [message(2)])


async def test_messages_wait_in_the_queue_of_a_service_that_never_ran(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue
):
    await rabbit(broker_url).publish([message(1)])
    listener = Listener()
    await rabbit(broker_url).subscribe(audit, listener, on_resync=listener.on_resync)
    await wait_for(lambda: listener.ids == [message(1).id])


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        ({}, {}),
        ({"source": "team"}, {"source": "team"}),
        (
            {"source": 1, "epoch": [], "shard": "7", "seq": None, "signature": {}},
            {},
        ),
        (
            {"source": "identity", "epoch": "e", "shard": 7, "seq": 1, "signature": "s"},
            {"source": "identity", "epoch": "e", "shard": 7, "seq": 1, "signature": "s"},
        ),
    ],
    ids=["no header", "one header", "headers of other types", "another source"],
)
async def test_odd_headers_are_handed_over_as_far_as_they_can_be_read(
    broker_url: str,
    rabbit: Callable[..., RabbitBus],
    topology: Topology,
    audit: Queue,
    channel: AbstractChannel,
    headers: dict[str, Any],
    read: dict[str, Any],
):
    listener, key = Listener(), "team.member.removed.v1"
    await rabbit(broker_url).subscribe(audit, listener, on_resync=listener.on_resync)
    exchange = await channel.get_exchange(topology.exchange_of("team"))
    odd = aio_pika.Message(b"{}", message_id="evt_1", headers=headers)
    await exchange.publish(odd, routing_key=key)
    await wait_for(lambda: listener.seen == [BusMessage(id="evt_1", type=key, body=b"{}", **read)])


async def test_the_broker_itself_ends_a_message_that_kills_its_consumers(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue, channel: AbstractChannel
):
    """A consumer that dies before it answers never gets to say that it has had enough."""
    await rabbit(broker_url).publish([message(1)])
    for _ in range(DELIVERY_LIMIT + 1):
        async with await aio_pika.connect(broker_url) as dying:
            await fetched(await (await dying.channel()).get_queue(audit.name))
    letter = await fetched(await channel.get_queue(audit.dead))
    assert letter.message_id == message(1).id


async def test_what_is_published_is_marked_as_persistent_and_described(
    broker_url: str, rabbit: Callable[..., RabbitBus], audit: Queue, channel: AbstractChannel
):
    await rabbit(broker_url).publish([message(5)])
    incoming = await fetched(await channel.get_queue(audit.name))
    assert incoming.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert incoming.content_type == "application/cloudevents+json"
    assert incoming.routing_key == incoming.type == message(5).type
    place = {"source": "team", "epoch": "e1", "shard": 7, "seq": 5, "signature": "a signature"}
    trace = {"traceparent": message(5).traceparent}
    assert incoming.headers == place | trace | {"x-delivery-count": 0}


def test_only_followers_have_replica_queues_and_no_two_share_a_name():
    from shared.contracts.topology import FOLLOWER_QUEUES, SOURCES, TOPOLOGY, Service

    names = [queue.name for queue in TOPOLOGY.queues]
    assert len(set(names)) == len(names)
    kinds = [queue for queue in TOPOLOGY.queues if queue.kind is QueueKind.REPLICA]
    assert kinds == [FOLLOWER_QUEUES[Service.AUTHZ], FOLLOWER_QUEUES[Service.TEAM]]
    assert all(set(queue.sources) <= set(SOURCES) for queue in TOPOLOGY.queues)
