"""What the in-process bus guarantees beyond the contract."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared.bus import BusMessage, BusUnavailable, Verdict
from shared.bus.local import LocalBus
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from tests.patience import PATIENT
from tests.shared.bus.conftest import PAUSES
from tests.shared.bus.listener import Listener, message
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shared.contracts.topology import Queue


@pytest.fixture
async def make_bus() -> AsyncIterator[Callable[[Timeouts], LocalBus]]:
    """Make buses; they are closed at the end."""
    buses: list[LocalBus] = []

    def make(timeouts: Timeouts) -> LocalBus:
        buses.append(LocalBus(pauses=PAUSES, timeouts=timeouts))
        return buses[-1]

    yield make
    for bus in buses:
        await bus.close()


@pytest.fixture
def bus(make_bus: Callable[[Timeouts], LocalBus]) -> LocalBus:
    return make_bus(PATIENT)


async def test_a_confirmation_means_that_every_subscriber_has_finished(
    bus: LocalBus, audit: Queue, replica: Queue
):
    slow, failing = Listener(), Listener(answers={message(1).id: ValueError})
    await bus.subscribe(audit, slow, on_resync=slow.on_resync)
    await bus.subscribe(replica, failing, on_resync=failing.on_resync)
    await bus.publish([message(1)])
    assert slow.ids == [message(1).id]
    assert [dead.id for _, dead in bus.dead] == [message(1).id]


async def test_a_hanging_subscriber_costs_the_publisher_two_seconds_at_most(
    make_bus: Callable[[Timeouts], LocalBus], audit: Queue
):
    assert DEFAULT_TIMEOUTS.publish <= 2.0
    bus = make_bus(replace(PATIENT, publish=0.05))
    release, handled = asyncio.Event(), []

    async def handler(given: BusMessage) -> Verdict:
        await release.wait()
        handled.append(given.id)
        return Verdict.ACK

    await bus.subscribe(audit, handler, on_resync=Listener().on_resync)
    for _ in range(3):
        with pytest.raises(BusUnavailable):
            await bus.publish([message(1)])
    release.set()
    with contextlib.suppress(BusUnavailable):
        await bus.publish([message(2)])
    # The three publications of the same message while it was under way were one delivery.
    await wait_for(lambda: handled == [message(1).id, message(2).id])


async def test_a_delivery_that_is_cut_off_is_not_confirmed(
    make_bus: Callable[[Timeouts], LocalBus], audit: Queue
):
    bus = make_bus(replace(PATIENT, handler_drain=0.05))
    started = asyncio.Event()

    async def handler(given: BusMessage) -> Verdict:
        started.set()
        await asyncio.Event().wait()
        return Verdict.ACK

    subscription = await bus.subscribe(audit, handler, on_resync=Listener().on_resync)
    publishing = asyncio.create_task(bus.publish([message(1)]))
    await started.wait()
    await subscription.close()
    with pytest.raises(BusUnavailable):
        await publishing
