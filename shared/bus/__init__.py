"""The contract of the bus, for each adapter.

The bus makes facts arrive soon; it does not guarantee that they arrive. Subscribers see duplicates,
any order and gaps, and compare with the heads of the journals for completeness.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.contracts.topology import Queue

PREFETCH = 64
"""The number of messages that a subscriber has in hand, unless it says another one."""


class BusUnavailable(Exception):  # noqa: N818 (a state of the world, as the refusals are)
    """There is no confirmation. The messages may have arrived; publishing again is harmless."""


class Unroutable(BusUnavailable):
    """A message reached no queue."""


class Verdict(StrEnum):
    """The answer of a subscriber to a message."""

    ACK = "ack"
    """The message is handled, and its effect is saved."""
    RETRY = "retry"
    """Deliver again after a pause; after `DELIVERY_LIMIT` such answers the next means `DEAD`."""
    DEAD = "dead"
    """It can never be handled: keep it for an operator (the queue of a replica drops it)."""


@dataclass(frozen=True, kw_only=True)
class BusMessage:
    """One row of a journal on the bus, as its sender claims it.

    `type` is the routing key. `(source, epoch, shard, seq)` is the row's position, and `signature`
    that of its source over `body`. The bus checks nothing of it: what a message lacks, or has in
    another form, is the default here. `attempts` counts the failed deliveries before this one.
    `traceparent` names the span of what wrote the row, for traces alone.
    """

    id: str = ""
    type: str
    source: str = ""
    epoch: str = ""
    shard: int = -1
    seq: int = -1
    body: bytes
    signature: str = ""
    attempts: int = 0
    traceparent: str = ""


Handler = Callable[[BusMessage], Awaitable[Verdict]]
"""Handles one message. Messages of one source and shard come one at a time, in the order of their
arrival; those of different shards come at the same time. An exception is logged and
means `RETRY`."""

Resync = Callable[[], Awaitable[None]]
"""Called after each connection, the first included, because messages may have been missed. Messages
are delivered while it runs; an exception is logged and ends it."""


class Subscription(Protocol):
    """A running subscription; it reconnects until it is closed."""

    @property
    def connected(self) -> bool:
        """Whether messages can arrive now."""

    async def close(self) -> None:
        """Take no more messages, let running handlers finish within a few seconds, disconnect."""


class Bus(Protocol):
    """Publishes and subscribes; `tests/shared/bus/test_contract.py` proves this contract."""

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        """Send the messages and return when all of them are safe on their queues.

        Raises `BusUnavailable` within `Timeouts.publish` seconds. A call is a pipeline: about 500
        messages fit into that time.
        """

    async def subscribe(
        self, queue: Queue, handler: Handler, *, prefetch: int = PREFETCH, on_resync: Resync
    ) -> Subscription:
        """Hand the queue's messages to `handler`, at most `prefetch` at a time.

        Returns when connected, or after `Timeouts.publish` seconds while it keeps trying.
        """

    async def close(self) -> None:
        """Close the subscriptions, then the publisher."""
