"""Which buses, names and listeners do the bus tests share?"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from shared.bus.rabbitmq import RabbitBus
from shared.contracts.topology import Queue, QueueKind, Topology

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PAUSES = (0.02,)
LIMITS = (
    "shared.bus.rabbitmq.PUBLISH_SECONDS",
    "shared.bus.rabbitmq_links.PUBLISH_SECONDS",
    "shared.bus.rabbitmq_publisher.PUBLISH_SECONDS",
)


@contextmanager
def publishing_within(seconds: float) -> Iterator[None]:
    """Let RabbitMQ have this long for what has two seconds in a service."""
    with pytest.MonkeyPatch.context() as changed:
        for limit in LIMITS:
            changed.setattr(limit, seconds)
        yield


@pytest.fixture(autouse=True)
def _a_slow_broker_is_not_away() -> Iterator[None]:
    with publishing_within(20.0):
        yield


@pytest.fixture
def topology() -> Topology:
    """The shape of the real topology under names that no other test uses."""
    name = f"test-{uuid.uuid4().hex}"
    return Topology(
        exchange=f"{name}.events",
        dead_exchange=f"{name}.dead",
        queues=(
            Queue(name=f"{name}.audit", sources=("team", "identity")),
            Queue(name=f"{name}.identity", sources=("team",)),
            Queue(name=f"{name}.authz", sources=("team",), kind=QueueKind.REPLICA),
        ),
    )


@pytest.fixture
def audit(topology: Topology) -> Queue:
    return topology.queues[0]


@pytest.fixture
def identity(topology: Topology) -> Queue:
    return topology.queues[1]


@pytest.fixture
def replica(topology: Topology) -> Queue:
    return topology.queues[2]


@pytest.fixture
async def rabbit(topology: Topology) -> AsyncIterator[Callable[..., RabbitBus]]:
    """Make buses to the broker at an address; they are closed at the end."""
    buses: list[RabbitBus] = []

    def make(url: str, *, heartbeat: int = 10) -> RabbitBus:
        bus = RabbitBus(url, "test", topology=topology, heartbeat=heartbeat, pauses=PAUSES)
        buses.append(bus)
        return bus

    yield make
    for bus in buses:
        await bus.close()
