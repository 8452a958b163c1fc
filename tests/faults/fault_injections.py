"""Faults of a running product, each as a block in which it lasts."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from deploy.programs.program import ProgramError
from tests.faults.alert_drill import killed, stopped
from tests.lengths import SEED, length

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.faulted_product import FaultedProduct

FAULT_SECONDS = length("FAULT_SECONDS", short=8, soak=30)
"""How long a fault lasts."""
REPEATS = length("FAULT_REPEATS", short=3, soak=10)
"""How often a fault of a moment comes: a restart, a pause, a cut."""
PAUSE_SECONDS = 0.5
"""The time between two faults of a moment, in which the load goes on."""
LOST_ANSWER_SECONDS = 0.2
TORN_BYTES = 4000
FREE_FILES = 5


async def _for_its_time() -> None:
    await asyncio.sleep(FAULT_SECONDS)


@asynccontextmanager
async def no_fault(product: FaultedProduct) -> AsyncIterator[None]:
    """The load alone, to compare with."""
    await _for_its_time()
    yield


@asynccontextmanager
async def no_broker(product: FaultedProduct) -> AsyncIterator[None]:
    """RabbitMQ is killed."""
    async with killed(product.broker):
        await _for_its_time()
    yield


@asynccontextmanager
async def broker_restarts(product: FaultedProduct) -> AsyncIterator[None]:
    """RabbitMQ is killed and started, several times."""
    for _ in range(REPEATS):
        async with killed(product.broker):
            pass
        await asyncio.sleep(2 * PAUSE_SECONDS)
    yield


@asynccontextmanager
async def silent_broker(product: FaultedProduct) -> AsyncIterator[None]:
    """The links to the broker stay open and carry nothing."""
    for bus in product.buses.values():
        bus.stall()
    try:
        await _for_its_time()
        yield
    finally:
        _heal(product)


@asynccontextmanager
async def lost_confirmations(product: FaultedProduct) -> AsyncIterator[None]:
    """The broker hears the services, and they do not hear it."""
    for bus in product.buses.values():
        bus.stall(to_server=False)
    try:
        await _for_its_time()
        for bus in product.buses.values():
            bus.drop()
        yield
    finally:
        _heal(product)


@asynccontextmanager
async def slow_broker(product: FaultedProduct) -> AsyncIterator[None]:
    """Everything from and to the broker takes half a second longer."""
    for bus in product.buses.values():
        bus.delay = 0.5
    try:
        await _for_its_time()
        yield
    finally:
        _heal(product)


@asynccontextmanager
async def torn_frames(product: FaultedProduct) -> AsyncIterator[None]:
    """Links to the broker break in the middle of a frame."""
    choices = random.Random(SEED)
    for _ in range(FAULT_SECONDS * 2):
        choices.choice(list(product.buses.values())).drop_after(choices.randrange(1, TORN_BYTES))
        await asyncio.sleep(PAUSE_SECONDS)
    _heal(product)
    yield


@asynccontextmanager
async def full_broker(product: FaultedProduct) -> AsyncIterator[None]:
    """The broker takes nothing, because it wants more free disk than there is."""
    control = product.broker.control
    await asyncio.to_thread(control, "set_disk_free_limit", "900000GB")
    try:
        await _for_its_time()
        yield
    finally:
        await asyncio.to_thread(control, "set_disk_free_limit", "50MB")


@asynccontextmanager
async def deleted_queues(product: FaultedProduct) -> AsyncIterator[None]:
    """An operator deletes the queues of audit and notification, with what is in them."""
    for _ in range(REPEATS):
        for service in ("audit", "notification"):
            with suppress(ProgramError):  # it is being declared again
                await asyncio.to_thread(
                    product.broker.control, "delete_queue", f"rolecall.{service}"
                )
        await asyncio.sleep(FAULT_SECONDS / REPEATS)
    yield


@asynccontextmanager
async def disordered_messages(product: FaultedProduct) -> AsyncIterator[None]:
    """Messages arrive late and in another order."""
    for number, bus in enumerate(product.buses.values()):
        bus.disordered = random.Random(SEED + number)
    try:
        await _for_its_time()
        yield
    finally:
        _heal(product)


@asynccontextmanager
async def no_database(product: FaultedProduct) -> AsyncIterator[None]:
    """The database is killed."""
    async with killed(product.database):
        await _for_its_time()
    yield


@asynccontextmanager
async def slow_database(product: FaultedProduct) -> AsyncIterator[None]:
    """Each answer of the database takes a second longer."""
    product.database_link.delay = 0.5
    try:
        await _for_its_time()
        yield
    finally:
        _heal(product)


@asynccontextmanager
async def lost_answers_of_the_database(product: FaultedProduct) -> AsyncIterator[None]:
    """The database gets requests whose answers are lost."""
    choices = random.Random(SEED)
    for _ in range(FAULT_SECONDS * 5):
        product.database_link.drop_after(choices.randrange(1, TORN_BYTES))
        await asyncio.sleep(LOST_ANSWER_SECONDS)
    _heal(product)
    yield


@asynccontextmanager
async def database_without_room(product: FaultedProduct) -> AsyncIterator[None]:
    """No file of the database can grow, as on a full disk; then it is started anew."""
    pid = product.database.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    await _for_its_time()
    async with killed(product.database):
        pass
    yield


@asynccontextmanager
async def no_mail_server(product: FaultedProduct) -> AsyncIterator[None]:
    """The mail server refuses connections."""
    product.mail_link.cut()
    try:
        await _for_its_time()
        yield
    finally:
        _heal(product)


@asynccontextmanager
async def dropping_mail_server(product: FaultedProduct) -> AsyncIterator[None]:
    """The mail server is slow, and now and then drops a connection after the data."""
    product.mail_link.delay = 0.2
    for _ in range(FAULT_SECONDS):
        product.mail_link.drop_after(2 * TORN_BYTES)
        await asyncio.sleep(2 * PAUSE_SECONDS)
    _heal(product)
    yield


@asynccontextmanager
async def deaf_replica(product: FaultedProduct) -> AsyncIterator[None]:
    """One replica of authz loses its link to the broker for moments."""
    choices, bus = random.Random(SEED), product.buses["authz-1"]
    for _ in range(REPEATS):
        bus.cut()
        await asyncio.sleep(choices.uniform(1, 5))
        bus.heal()
        await asyncio.sleep(PAUSE_SECONDS)
    yield


@asynccontextmanager
async def paused_replica(product: FaultedProduct) -> AsyncIterator[None]:
    """One replica of authz stops for moments, as a machine without time does."""
    choices = random.Random(SEED)
    for _ in range(2 * REPEATS):
        async with stopped(product.replicas_of("authz")[1]):
            await asyncio.sleep(choices.uniform(0.1, 5))
        await asyncio.sleep(PAUSE_SECONDS)
    yield


@asynccontextmanager
async def cold_replica(product: FaultedProduct) -> AsyncIterator[None]:
    """A replica of authz starts while team is away."""
    async with AsyncExitStack() as stack:
        for team in product.replicas_of("team"):
            await stack.enter_async_context(killed(team))
        replica = product.replicas_of("authz")[1]
        await asyncio.to_thread(replica.kill)
        starting = asyncio.create_task(asyncio.to_thread(replica.start))
        await _for_its_time()
        assert not starting.done(), "a replica without a snapshot said that it is ready"
    await starting
    yield


@asynccontextmanager
async def no_decisions(product: FaultedProduct) -> AsyncIterator[None]:
    """All replicas of authz are killed."""
    async with AsyncExitStack() as stack:
        for replica in product.replicas_of("authz"):
            await stack.enter_async_context(killed(replica))
        await _for_its_time()
    yield


@asynccontextmanager
async def a_herd(product: FaultedProduct) -> AsyncIterator[None]:
    """All replicas that follow the journals start at once, several times."""
    herd = [*product.replicas_of("authz"), *product.replicas_of("team")]
    for _ in range(REPEATS):
        await asyncio.gather(*(asyncio.to_thread(one.kill) for one in herd))
        await asyncio.gather(*(asyncio.to_thread(one.start) for one in herd))
    yield


@asynccontextmanager
async def rolling_restarts(product: FaultedProduct) -> AsyncIterator[None]:
    """Every replica is stopped in order and started, one after the other."""
    for service in ("identity", "team", "authz"):
        for replica in product.replicas_of(service):
            await asyncio.to_thread(replica.stop)
            await asyncio.to_thread(replica.start)
            await asyncio.sleep(2 * PAUSE_SECONDS)
    yield


@asynccontextmanager
async def gateway_reloads(product: FaultedProduct) -> AsyncIterator[None]:
    """The gateway reads its configuration anew, again and again."""
    for _ in range(5 * REPEATS):
        os.kill(product.gateway.pid, signal.SIGHUP)
        await asyncio.sleep(FAULT_SECONDS / (5 * REPEATS))
    yield


@asynccontextmanager
async def few_files(product: FaultedProduct) -> AsyncIterator[None]:
    """A replica of team may open a few more files than it has, and no others."""
    pid = product.replicas_of("team")[0].pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (it does not wait for a disk)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + FREE_FILES, before[1]))
    try:
        await _for_its_time()
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@asynccontextmanager
async def slow_audit(product: FaultedProduct) -> AsyncIterator[None]:
    """audit stands still, and everything waits for its return."""
    async with stopped(product.replicas_of("audit")[0]):
        await _for_its_time()
    yield


def _heal(product: FaultedProduct) -> None:
    links: list[Any] = [*product.buses.values(), product.database_link, product.mail_link]
    for link in links:
        link.heal()
