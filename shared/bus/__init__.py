"""What may a service expect from the bus, whichever adapter carries it?

The bus makes facts arrive soon; it does not make them arrive. Subscribers see doubles, any order
and gaps, and compare with the journals' heads for completeness.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.contracts.topology import Queue


class BusUnavailable(Exception):  # noqa: N818 (a state of the world, as the refusals are)
    """No confirmation; the messages may or may not arrive, and publishing again is harmless."""


class Unroutable(BusUnavailable):
    """A message reached no queue at all."""


class Verdict(StrEnum):
    """What a subscriber says about a message that it was given."""

    ACK = "ack"
    """Handled for good, and saved."""
    RETRY = "retry"
    """Deliver again after a pause; after `DELIVERY_LIMIT` such answers the next one is `DEAD`."""
    DEAD = "dead"
    """It can never be handled: keep it aside for a person (a replica's queue drops it)."""


@dataclass(frozen=True, kw_only=True)
class BusMessage:
    """One journal row on its way.

    `type` is the routing key and begins with `source`; `(source, epoch, shard, seq)` is the row's
    place in its journal; `attempts` counts the deliveries of it that failed before this one.
    """

    id: str
    type: str
    source: str
    epoch: str
    shard: int
    seq: int
    body: bytes
    attempts: int = 0


Handler = Callable[[BusMessage], Awaitable[Verdict]]
"""What a subscriber does with one message. Messages of one source and shard come one at a time, in
the order of their arrival; those of different shards at the same time. An exception means `RETRY`
and is logged here."""

Resync = Callable[[], Awaitable[None]]
"""Called after every connection, the first one too, because messages may have been missed. Messages
are delivered while it runs; an exception is logged and ends it."""


class Subscription(Protocol):
    """A running subscription; it connects again by itself until it is closed."""

    @property
    def connected(self) -> bool:
        """Whether messages can arrive right now."""

    async def close(self) -> None:
        """Take no more messages, give running handlers a few seconds, and disconnect."""


class Bus(Protocol):
    """Publish and subscribe; the contract that `tests/shared/bus/test_contract.py` proves."""

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        """Send the messages and return once every one of them is safe on its queues.

        Raises `BusUnavailable` within `Timeouts.publish` seconds. A call is a pipeline: about 500
        messages fit into that time.
        """

    async def subscribe(
        self, queue: Queue, handler: Handler, *, prefetch: int = 64, on_resync: Resync
    ) -> Subscription:
        """Hand the queue's messages to `handler`, at most `prefetch` at a time.

        Returns when connected, or after `Timeouts.publish` seconds while it goes on trying.
        """

    async def close(self) -> None:
        """Close every subscription, then the way out."""
