"""Faults of links, processes and messages, chosen at random from a seed, also several at once."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from deploy.programs.program import ProgramError
from shared.contracts.registry import FACTS_OF
from tests.e2e.processes import ServiceProcess
from tests.faults.chaos_proxy import ChaosProxy
from tests.faults.forger import Forger, Kind
from tests.faults.replicated_product import BUS, ReplicatedProduct, name_of

MOST_AT_ONCE = 3
FOCUSED = 0.7
"""The share of faults that happen to the process in focus."""
DELAY_SECONDS = 0.3
"""How much longer each piece of data takes on a slow link, each way."""
MESSAGE_PAUSE_SECONDS = 0.02
REPEATED_MESSAGES = 40
"""The newest messages of which some are sent again."""
FOLLOWED = ("team", "identity")
"""The sources that replicas of authz decide from."""
QUIET = "none"
LATE_NEWS = "late news"
"""The fault that shows at once whether a change waits for every replica."""


@dataclass
class FaultScene:
    """What faults happen to, and what is down at the moment."""

    product: ReplicatedProduct
    choices: random.Random
    forger: Forger | None = None
    """Repeats and forges messages; without it neither is done."""
    down: set[str] = field(default_factory=set)
    """The names of the processes that are stopped or dead."""
    focus: ServiceProcess | None = None
    """The process that most faults of a round happen to: faults of one process add up."""
    starting: dict[str, tuple[ServiceProcess, asyncio.Task[None]]] = field(default_factory=dict)
    """The processes that were killed in this round, by name, and their starts."""

    def able(self, service: str) -> list[ServiceProcess]:
        """The processes of a service that can take a request."""
        return [
            process
            for process in self.product.replicas_of(service)
            if name_of(process) not in self.down
        ]

    def restart(self, process: ServiceProcess) -> None:
        """Begin to start a process; other faults may keep it from being ready."""
        start = asyncio.create_task(asyncio.to_thread(process.start))
        self.starting[name_of(process)] = (process, start)

    async def all_ready(self) -> None:
        """Wait, after all faults, until every killed process is ready again.

        A process that has ended because of a fault is started once more, as a supervisor does.

        Raises:
            ProgramError: one is not ready within the time of a start.
        """
        starting, self.starting = self.starting, {}
        for name, (process, start) in starting.items():
            try:
                await start
            except ProgramError:
                await asyncio.to_thread(process.start)
            self.down.discard(name)

    def victim(self) -> ServiceProcess:
        """A process that can take a request; one of each service is left alone."""
        able = {service: self.able(service) for service in ("authz", "team")}
        return self._one_of([one for each in able.values() if len(each) > 1 for one in each])

    def some_links(self) -> list[ChaosProxy]:
        """Some links of one process, or all of them."""
        links = self.product.links[name_of(self._one_of(self.product.replicated))]
        proxies = list(links.values())
        return self.choices.sample(proxies, self.choices.randint(1, len(proxies)))

    def _one_of(self, processes: Sequence[ServiceProcess]) -> ServiceProcess:
        focus = self.focus
        if focus is not None and focus in processes and self.choices.random() < FOCUSED:
            return focus
        return self.choices.choice(processes)


def require_forger(scene: FaultScene) -> Forger:
    """The forger of the scene.

    Raises:
        ValueError: it has none.
    """
    if scene.forger is None:
        raise ValueError("These faults need a forger. Give the scene one.")
    return scene.forger


Begin = Callable[[FaultScene], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def cut(scene: FaultScene) -> AsyncIterator[None]:
    """Reset the connections of some links, and each new one."""
    for link in (links := scene.some_links()):
        link.cut()
    try:
        yield
    finally:
        _heal(links)


@asynccontextmanager
async def stall(scene: FaultScene) -> AsyncIterator[None]:
    """Let some links carry nothing in either direction."""
    for link in (links := scene.some_links()):
        link.stall()
    try:
        yield
    finally:
        _heal(links)


@asynccontextmanager
async def half_open(scene: FaultScene) -> AsyncIterator[None]:
    """Let some links carry data in one direction only."""
    to_server = scene.choices.random() < 0.5
    for link in (links := scene.some_links()):
        link.stall(to_server=to_server, to_client=not to_server)
    try:
        yield
    finally:
        _heal(links)


@asynccontextmanager
async def delay(scene: FaultScene) -> AsyncIterator[None]:
    """Let data take longer on some links."""
    for link in (links := scene.some_links()):
        link.delay = scene.choices.uniform(DELAY_SECONDS / 10, DELAY_SECONDS)
    try:
        yield
    finally:
        _heal(links)


@asynccontextmanager
async def late_news(scene: FaultScene) -> AsyncIterator[None]:
    """Let messages come late to one replica of authz."""
    link = scene.product.link(scene.choices.choice(scene.product.replicas_of("authz")), BUS)
    link.delay = DELAY_SECONDS
    try:
        yield
    finally:
        link.heal()


@asynccontextmanager
async def pause(scene: FaultScene) -> AsyncIterator[None]:
    """Stop a process, and let it continue."""
    victim = scene.victim()
    scene.down.add(name_of(victim))
    os.killpg(victim.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(victim.pid, signal.SIGCONT)
        scene.down.discard(name_of(victim))


@asynccontextmanager
async def kill(scene: FaultScene) -> AsyncIterator[None]:
    """Kill a process, and begin to start it again at once."""
    victim = scene.victim()
    scene.down.add(name_of(victim))
    await asyncio.to_thread(victim.kill)
    scene.restart(victim)
    yield


@asynccontextmanager
async def disorder(scene: FaultScene) -> AsyncIterator[None]:
    """Deliver the messages of every process in another order."""
    for bus in (buses := scene.product.buses()):
        bus.disordered = scene.choices
    try:
        yield
    finally:
        _heal(buses)


@asynccontextmanager
async def duplicates(scene: FaultScene) -> AsyncIterator[None]:
    """Send genuine messages again, late and in another order."""
    forger = require_forger(scene)

    async def repeat() -> None:
        newest = forger.heard[-REPEATED_MESSAGES:]
        await forger.repeat(scene.choices.sample(newest, (len(newest) + 4) // 5))

    async with _again_and_again(repeat):
        yield


@asynccontextmanager
async def forgery(scene: FaultScene) -> AsyncIterator[None]:
    """Send forged facts of team and identity."""
    forger = require_forger(scene)

    async def forge() -> None:
        source = scene.choices.choice(FOLLOWED)
        kind, fact = scene.choices.choice(tuple(Kind)), scene.choices.choice(FACTS_OF[source])
        await forger.publish(forger.forged(kind, source, fact))

    async with _again_and_again(forge):
        yield


CHEAP: dict[str, Begin] = {
    "cut": cut,
    "stall": stall,
    "half-open": half_open,
    "delay": delay,
    LATE_NEWS: late_news,
    "pause": pause,
    "disorder": disorder,
}
"""The faults that need neither a new process nor a client of the broker."""
FAULTS: dict[str, Begin] = CHEAP | {
    "kill": kill,
    "duplicates": duplicates,
    "forgery": forgery,
}


def choose(names: Sequence[str], choices: random.Random) -> tuple[str, ...]:
    """Choose at most `MOST_AT_ONCE` faults; one alone is the most frequent."""
    count = choices.choices(range(MOST_AT_ONCE + 1), weights=(1, 5, 3, 2))[0]
    return tuple(choices.sample(list(names), min(count, len(names))))


@asynccontextmanager
async def happening(scene: FaultScene, names: Sequence[str]) -> AsyncIterator[None]:
    """Let these faults happen at the same time, until the block ends; return when all is ready."""
    scene.focus = scene.choices.choice(scene.product.replicated)
    try:
        async with AsyncExitStack() as stack:
            for name in names:
                await stack.enter_async_context(FAULTS[name](scene))
            yield
    finally:
        await scene.all_ready()


def _heal(links: Sequence[ChaosProxy]) -> None:
    for link in links:
        link.heal()


@asynccontextmanager
async def _again_and_again(send: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Send in the background until the block ends; a publish that is cancelled ends its channel."""

    over = asyncio.Event()

    async def run() -> None:
        while not over.is_set():
            await send()
            await asyncio.sleep(MESSAGE_PAUSE_SECONDS)

    sending = asyncio.create_task(run())
    try:
        yield
    finally:
        over.set()
        await sending
