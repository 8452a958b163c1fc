"""Acknowledgements of several messages at once: none counts for a message without its answer."""

from __future__ import annotations

import asyncio
import operator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest
from aio_pika.exceptions import ChannelInvalidStateError

from shared.bus import Verdict
from shared.bus.rabbitmq_acks import MOST_WAITING, Acknowledgements
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aio_pika.abc import AbstractIncomingMessage


@dataclass
class Broker:
    """The answers in order, and the messages that wait for theirs, as RabbitMQ counts them."""

    waiting: set[int]
    answers: list[str] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    broken: bool = False
    hold: asyncio.Event | None = None

    def answer(self, number: int, text: str, *, multiple: bool = False) -> None:
        if self.broken:
            raise ChannelInvalidStateError("the link is broken")
        assert number in self.waiting, "RabbitMQ closes the link at an unknown number"
        self.answers.append(text)
        answered = {one for one in self.waiting if one <= number} if multiple else {number}
        self.waiting -= answered
        if text.startswith("ack"):
            self.acknowledged |= answered


@dataclass
class Incoming:
    """A delivered message."""

    broker: Broker
    delivery_tag: int

    async def ack(self, *, multiple: bool = False) -> None:
        number = self.delivery_tag
        self.broker.answer(number, f"ack {number}{' and before' * multiple}", multiple=multiple)

    async def reject(self, *, requeue: bool = False) -> None:
        if self.broker.hold is not None:
            await self.broker.hold.wait()
        self.broker.answer(self.delivery_tag, f"reject {self.delivery_tag} {requeue}")


def delivered(last: int) -> tuple[Broker, dict[int, AbstractIncomingMessage]]:
    """A broker that has delivered the messages 1 to `last`."""
    broker = Broker(waiting=set(range(1, last + 1)))
    messages: dict[int, Any] = {number: Incoming(broker, number) for number in broker.waiting}
    return broker, cast("dict[int, AbstractIncomingMessage]", messages)


async def handled(
    acknowledgements: Acknowledgements,
    messages: dict[int, AbstractIncomingMessage],
    numbers: Iterable[int],
) -> None:
    for number in numbers:
        await acknowledgements.settle(messages[number], Verdict.ACK)


async def test_messages_that_are_handled_in_any_order_have_one_answer() -> None:
    broker, messages = delivered(5)
    acknowledgements = Acknowledgements()
    await handled(acknowledgements, messages, (4, 1, 3, 2))
    assert broker.answers == []
    await acknowledgements.send()
    assert broker.answers == ["ack 4 and before"]
    assert broker.waiting == {5}


async def test_no_acknowledgement_counts_for_a_message_that_is_being_handled() -> None:
    broker, messages = delivered(6)
    acknowledgements = Acknowledgements()
    await handled(acknowledgements, messages, (1, 2, 4, 6))
    await acknowledgements.send()
    assert broker.answers == ["ack 2 and before", "ack 4", "ack 6"]
    assert broker.waiting == {3, 5}

    await handled(acknowledgements, messages, (3,))
    await acknowledgements.send()
    assert broker.answers[3:] == ["ack 3 and before"]
    await handled(acknowledgements, messages, (5,))
    await acknowledgements.send()
    assert broker.answers[4:] == ["ack 5 and before"]
    assert broker.acknowledged == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(("verdict", "again"), [(Verdict.RETRY, True), (Verdict.DEAD, False)])
async def test_a_refusal_is_told_at_once_and_never_acknowledged(
    verdict: Verdict, *, again: bool
) -> None:
    broker, messages = delivered(3)
    acknowledgements = Acknowledgements()
    await acknowledgements.settle(messages[2], verdict)
    assert broker.answers == [f"reject 2 {again}"]
    await handled(acknowledgements, messages, (3, 1))
    await acknowledgements.send()
    assert broker.answers[1:] == ["ack 3 and before"]
    assert broker.acknowledged == {1, 3}


async def test_an_acknowledgement_does_not_overtake_a_refusal() -> None:
    broker, messages = delivered(3)
    broker.hold = asyncio.Event()
    acknowledgements = Acknowledgements()
    refusing = asyncio.create_task(acknowledgements.settle(messages[2], Verdict.DEAD))
    await asyncio.sleep(0)
    await handled(acknowledgements, messages, (1, 3))
    await acknowledgements.send()
    assert broker.waiting == {2}
    broker.hold.set()
    await refusing
    assert broker.answers[-1] == "reject 2 False"


async def test_the_last_message_before_the_answer_may_be_a_refused_one() -> None:
    broker, messages = delivered(3)
    acknowledgements = Acknowledgements()
    await acknowledgements.settle(messages[3], Verdict.DEAD)
    await handled(acknowledgements, messages, (1, 2))
    await acknowledgements.send()
    await acknowledgements.send()
    assert broker.answers == ["reject 3 False", "ack 2 and before"]


async def test_many_handled_messages_wait_for_no_others() -> None:
    broker, messages = delivered(MOST_WAITING)
    acknowledgements = Acknowledgements(seconds=3600)
    running = asyncio.create_task(acknowledgements.run())
    await handled(acknowledgements, messages, range(1, MOST_WAITING))
    await asyncio.sleep(0.05)
    assert broker.answers == []
    await handled(acknowledgements, messages, (MOST_WAITING,))
    await wait_for(lambda: not broker.waiting, what="the acknowledgement")
    assert broker.answers == [f"ack {MOST_WAITING} and before"]
    running.cancel()


async def test_few_handled_messages_are_acknowledged_after_a_moment() -> None:
    broker, messages = delivered(2)
    acknowledgements = Acknowledgements()
    running = asyncio.create_task(acknowledgements.run())
    for number in (1, 2):
        await handled(acknowledgements, messages, (number,))
        answered = set(range(1, number + 1))
        await wait_for(partial(operator.eq, broker.acknowledged, answered), what="the answer")
    running.cancel()


async def test_a_broken_link_ends_no_loop() -> None:
    broker, messages = delivered(2)
    broker.broken = True
    acknowledgements = Acknowledgements()
    await handled(acknowledgements, messages, (1,))
    await acknowledgements.send()
    await acknowledgements.settle(messages[2], Verdict.RETRY)
    assert broker.waiting == {1, 2}
