"""The contract of `shared/bus`, for both adapters."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import aio_pika
import pytest

from shared.bus import Bus, BusMessage, BusUnavailable, Unroutable, Verdict
from shared.bus.local import LocalBus
from shared.contracts.topology import DELIVERY_LIMIT
from tests.patience import PATIENT
from tests.shared.bus.conftest import PAUSES
from tests.shared.bus.listener import Listener, message, messages
from tests.support.broker import declare
from tests.support.metrics import value_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from shared.bus.rabbitmq import RabbitBus
    from shared.contracts.topology import Queue, Topology


@pytest.fixture(params=["local", "rabbitmq"])
async def bus(
    request: pytest.FixtureRequest, rabbit: Callable[..., RabbitBus], topology: Topology
) -> AsyncIterator[Bus]:
    if request.param == "rabbitmq":
        url = request.getfixturevalue("amqp_url")
        await declare(url, topology)
        yield rabbit(url)
    else:
        local = LocalBus(pauses=PAUSES, timeouts=PATIENT)
        yield local
        await local.close()


@pytest.fixture
async def dead_letters(
    bus: Bus, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[[Queue], Awaitable[list[str]]]]:
    """A function that returns the ids of the dead letters of a queue."""
    if isinstance(bus, LocalBus):

        async def listed(queue: Queue) -> list[str]:
            return [dead.id for name, dead in bus.dead if name == queue.name]

        yield listed
        return
    found: defaultdict[str, list[str]] = defaultdict(list)
    async with await aio_pika.connect(request.getfixturevalue("amqp_url")) as connection:
        channel = await connection.channel()

        async def fetched(queue: Queue) -> list[str]:
            declared = await channel.get_queue(queue.dead)
            while incoming := await declared.get(no_ack=True, fail=False):
                found[queue.name].append(incoming.message_id or "")
            return found[queue.name]

        yield fetched


async def test_a_message_arrives_whole_at_each_service_that_takes_its_source(
    bus: Bus, audit: Queue, identity: Queue
):
    first, second = Listener(), Listener()
    await bus.subscribe(audit, first, on_resync=first.on_resync)
    await bus.subscribe(identity, second, on_resync=second.on_resync)
    sent = [message(1), message(2, type="identity.user.renamed.v1")]
    await bus.publish(sent)
    await wait_for(lambda: len(first.seen) == 2 and second.seen)
    assert sorted(first.seen, key=lambda each: each.seq) == sent
    assert second.seen == sent[:1]


async def test_a_message_that_lacks_everything_else_is_handed_over(bus: Bus, audit: Queue):
    """The bus judges nothing; the receiver refuses, counts and drops it."""
    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    bare = BusMessage(id="evt_1", type="team.member.removed.v1", source="team", body=b"")
    await bus.publish([bare])
    await wait_for(lambda: listener.seen == [bare])


async def test_replicas_of_a_service_share_its_queue(bus: Bus, audit: Queue):
    first, second = Listener(), Listener()
    await bus.subscribe(audit, first, on_resync=first.on_resync)
    await bus.subscribe(audit, second, on_resync=second.on_resync)
    sent = messages(40)
    await bus.publish(sent)
    await wait_for(lambda: len(first.seen) + len(second.seen) >= 40)
    assert sorted(first.ids + second.ids) == [each.id for each in sent]


async def test_every_replica_of_a_replica_queue_gets_its_own_copy(bus: Bus, replica: Queue):
    first, second = Listener(), Listener()
    await bus.subscribe(replica, first, on_resync=first.on_resync)
    await bus.subscribe(replica, second, on_resync=second.on_resync)
    await bus.publish([message(1)])
    await wait_for(lambda: first.seen and second.seen)
    assert first.seen == second.seen == [message(1)]


async def test_one_call_publishes_hundreds_of_messages(bus: Bus, audit: Queue):
    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    sent = messages(500)
    await bus.publish(sent)
    await wait_for(lambda: len(listener.seen) == 500)
    assert sorted(listener.ids) == [each.id for each in sent]


async def test_publishing_nothing_does_nothing(bus: Bus):
    await bus.publish([])


async def test_a_message_that_reaches_no_queue_is_not_confirmed(bus: Bus, audit: Queue):
    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    lost = replace(message(1, type="billing.invoice.paid.v1"), source="team")
    with pytest.raises(Unroutable):
        await bus.publish([lost])
    with pytest.raises(Unroutable):
        await bus.publish([message(2), lost])
    await wait_for(lambda: listener.ids == [message(2).id])


@pytest.mark.parametrize(
    "failure",
    [Verdict.RETRY, ValueError, asyncio.CancelledError],
    ids=["it says so", "it raises", "a broken link cancels it"],
)
async def test_a_handler_that_fails_gets_the_message_again(
    bus: Bus, audit: Queue, failure: Verdict | type[BaseException]
):
    listener = Listener()
    attempts: list[int] = []

    async def handler(given: BusMessage) -> Verdict:
        attempts.append(given.attempts)
        listener.answers = {message(1).id: failure} if given.attempts < 2 else {}
        return await listener(given)

    await bus.subscribe(audit, handler, on_resync=listener.on_resync)
    await bus.publish([message(1)])
    await wait_for(lambda: len(attempts) == 3)
    assert attempts == [0, 1, 2]
    await bus.publish([message(2)])
    await wait_for(lambda: listener.ids[3:] == [message(2).id])


async def test_a_poison_message_ends_as_a_dead_letter_while_others_flow(
    bus: Bus,
    audit: Queue,
    identity: Queue,
    dead_letters: Callable[[Queue], Awaitable[list[str]]],
):
    poison = message(1)
    listener, other = Listener(answers={poison.id: ValueError}), Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await bus.subscribe(identity, other, on_resync=other.on_resync)
    # Of one shard, and published together: the poison holds its lane only while it is handled.
    await bus.publish([poison, *(message(number) for number in range(2, 12))])

    async def dead() -> list[str]:
        return await dead_letters(audit)

    await wait_for(dead)
    assert await dead() == [poison.id]
    assert value_of("rolecall_dead_letters_total", queue=audit.name) == 1
    assert value_of("rolecall_dead_letters_total", queue=identity.name) == 0
    assert listener.ids.count(poison.id) == DELIVERY_LIMIT + 1
    await wait_for(lambda: len(set(listener.ids)) == 11 and len(other.seen) == 11)
    assert await dead_letters(identity) == []
    await bus.publish([message(12)])
    await wait_for(lambda: listener.ids[-1] == message(12).id)


async def test_a_message_declared_dead_comes_once(
    bus: Bus, audit: Queue, dead_letters: Callable[[Queue], Awaitable[list[str]]]
):
    listener = Listener(answers={message(1).id: Verdict.DEAD})
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await bus.publish([message(1)])

    async def dead() -> list[str]:
        return await dead_letters(audit)

    await wait_for(dead)
    assert await dead() == listener.ids == [message(1).id]


async def test_a_replica_drops_a_poison_message_after_the_same_attempts(bus: Bus, replica: Queue):
    poison = message(1)
    listener = Listener(answers={poison.id: ValueError})
    await bus.subscribe(replica, listener, on_resync=listener.on_resync)
    await bus.publish([poison])
    await wait_for(lambda: len(listener.seen) == DELIVERY_LIMIT + 1)
    assert [each.attempts for each in listener.seen] == list(range(DELIVERY_LIMIT + 1))
    await bus.publish([message(2)])
    await wait_for(lambda: listener.ids[-1] == message(2).id)
    assert listener.ids.count(poison.id) == DELIVERY_LIMIT + 1


async def test_one_shard_is_handled_in_order_and_one_at_a_time(bus: Bus, audit: Queue):
    running, order, together = 0, [], []

    async def handler(given: BusMessage) -> Verdict:
        nonlocal running
        running += 1
        together.append(running)
        await asyncio.sleep(0.001)
        order.append(given.seq)
        running -= 1
        return Verdict.ACK

    await bus.subscribe(audit, handler, on_resync=Listener().on_resync)
    await bus.publish([message(number, shard=3) for number in range(1, 31)])
    await wait_for(lambda: len(order) == 30)
    assert order == list(range(1, 31))
    assert set(together) == {1}


async def test_shards_do_not_wait_for_each_other(bus: Bus, audit: Queue):
    meeting, met = asyncio.Barrier(2), []

    async def handler(given: BusMessage) -> Verdict:
        async with asyncio.timeout(30), meeting:
            met.append(given.seq)
        return Verdict.ACK

    await bus.subscribe(audit, handler, on_resync=Listener().on_resync)
    await bus.publish([message(1, shard=1), message(2, shard=2)])
    await wait_for(lambda: sorted(met) == [1, 2])


async def test_a_message_published_twice_comes_twice(bus: Bus, audit: Queue):
    """Telling doubles apart is the inbox's work; the bus promises nothing about them."""
    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await bus.publish([message(1)])
    await wait_for(lambda: listener.seen)
    await bus.publish([message(1)])
    await wait_for(lambda: listener.ids == [message(1).id] * 2)


async def test_a_new_subscription_triggers_a_resync(bus: Bus, audit: Queue):
    listener = Listener()
    subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    assert subscription.connected
    await wait_for(lambda: listener.resyncs == 1)


async def test_a_failing_resync_stops_no_message(bus: Bus, audit: Queue):
    async def fails() -> None:
        raise ValueError("no source answers")

    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=fails)
    await bus.publish([message(1)])
    await wait_for(lambda: listener.seen)


async def test_closing_a_subscription_lets_the_running_handler_finish(bus: Bus, audit: Queue):
    started, finish, finished = asyncio.Event(), asyncio.Event(), []

    async def handler(given: BusMessage) -> Verdict:
        started.set()
        await finish.wait()
        finished.append(given.id)
        return Verdict.ACK

    subscription = await bus.subscribe(audit, handler, on_resync=Listener().on_resync)
    publishing = asyncio.create_task(bus.publish([message(1)]))
    await started.wait()
    closing = asyncio.create_task(subscription.close())
    await wait_for(lambda: not subscription.connected)
    finish.set()
    await asyncio.gather(publishing, closing)
    assert finished == [message(1).id]
    # It was acknowledged: the next subscriber does not see it.
    listener = Listener()
    await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await bus.publish([message(2)])
    await wait_for(lambda: listener.ids == [message(2).id])


async def test_cancelling_a_publish_is_not_a_bus_failure(bus: Bus, audit: Queue):
    publishing = asyncio.create_task(bus.publish(messages(50)))
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing


async def test_a_closed_bus_takes_nothing(bus: Bus, audit: Queue):
    listener = Listener()
    subscription = await bus.subscribe(audit, listener, on_resync=listener.on_resync)
    await bus.close()
    assert not subscription.connected
    with pytest.raises(BusUnavailable):
        await bus.publish([message(1)])
    await bus.close()
