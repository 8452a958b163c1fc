"""Buses, names and listeners that the bus tests share."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared.bus.rabbitmq import RabbitBus
from shared.contracts.topology import Queue, QueueKind, Topology
from tests.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shared.timeouts import Timeouts

PAUSES = (0.02,)
SLOW_BROKER = replace(PATIENT, publish=20.0)
"""A slow broker is not away: what has two seconds in a service has twenty here."""


@pytest.fixture
def topology() -> Topology:
    """The shape of the real topology under names that no other test uses."""
    name = f"test-{uuid.uuid4().hex}"
    return Topology(
        exchange=f"{name}.events",
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

    def make(url: str, *, heartbeat: int = 10, timeouts: Timeouts = SLOW_BROKER) -> RabbitBus:
        bus = RabbitBus(
            url,
            "test",
            topology=topology,
            heartbeat=heartbeat,
            pauses=PAUSES,
            timeouts=timeouts,
        )
        buses.append(bus)
        return bus

    yield make
    for bus in buses:
        await bus.close()
