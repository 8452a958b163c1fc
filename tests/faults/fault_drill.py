"""Runs a fault while teams live and services check, and compares all that is stored afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.e2e.journey import World
from tests.faults.clients import CaughtMails, ClientCounts, DecisionChecker, RetryingClient
from tests.faults.faulted_product import FaultedProduct, faulted_product, seconds_until_ready
from tests.faults.stored_data import StoredData
from tests.faults.team_scenario import PROBES, Acknowledged, ScenarioContext
from tests.lengths import SEED
from tests.services.notification.hooks import Receiver, receiving
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

TEAMS_AT_ONCE = 2
CHECKS_PAUSE_SECONDS = 0.05
SERVER_ERROR = 500
CHECKS = "/access/"


@dataclass
class Answers:
    """What every client of the drill met since the last fault."""

    requests: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    """Kind → the requests without an answer, or with one of 5xx."""
    worst: dict[str, float] = field(default_factory=dict)
    """Kind → the seconds of the slowest answer."""

    def add(self, kind: str, seconds: float, status: int | None) -> None:
        """Count a request."""
        self.requests[kind] += 1
        self.failed[kind] += status is None or status >= SERVER_ERROR
        self.worst[kind] = max(seconds, self.worst.get(kind, 0.0))

    def clear(self) -> None:
        """Forget everything."""
        self.requests.clear()
        self.failed.clear()
        self.worst.clear()


@dataclass(frozen=True, kw_only=True)
class FaultFigures:
    """What came of a fault."""

    requests: int
    failed: int
    failed_writes: int
    failed_checks: int
    sent_checks: int
    worst_seconds: float
    checks: int
    wrong_allows: int
    wrong_denials: int
    faults: tuple[str, ...]
    """What does not agree in all that is stored."""
    doubles: int
    """Mails and events of webhooks that came again; each has its first id."""
    ready_seconds: float
    settled_seconds: float

    @property
    def failed_share(self) -> float:
        """The part of the requests through the gateway that failed; no check is among them."""
        return (self.failed - self.failed_checks) / max(1, self.requests - self.sent_checks)

    @property
    def whole(self) -> bool:
        """Whether nothing was lost or repeated, and nothing wrong was allowed or denied."""
        return not (self.faults or self.wrong_allows or self.wrong_denials)


HEADINGS = (
    *("requests", "failed", "of these writes", "worst s", "checks", "wrong"),
    *("lost or doubled", "mails again", "ready s", "settled s"),
)


def cells(figures: FaultFigures) -> tuple[str, ...]:
    """The figures as text, in the order of `HEADINGS`."""
    return (
        str(figures.requests),
        str(figures.failed),
        str(figures.failed_writes),
        f"{figures.worst_seconds:.1f}",
        str(figures.checks),
        str(figures.wrong_allows + figures.wrong_denials),
        str(len(figures.faults)),
        str(figures.doubles),
        f"{figures.ready_seconds:.1f}",
        f"{figures.settled_seconds:.1f}",
    )


@dataclass
class FaultDrill:
    """The running product, its load, and what was acknowledged so far."""

    product: FaultedProduct
    ctx: ScenarioContext
    counts: ClientCounts
    answers: Answers
    receiver: Receiver
    http: aiohttp.ClientSession
    found: set[str] = field(default_factory=set)
    """The disagreements of earlier faults."""
    doubles: int = 0
    suspects: set[tuple[str, str]] = field(default_factory=set)
    """Members that left and were allowed; wrongly, if they did not join again."""

    async def run(
        self, fault: Callable[[FaultedProduct], AbstractAsyncContextManager[None]]
    ) -> FaultFigures:
        """Let the fault happen under load, and wait until all is well and settled."""
        loop = asyncio.get_running_loop()
        await self.ctx.checker.sign_in()
        self.answers.clear()
        checks, wrong = self.counts.checks, self._wrong()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            teams = [tasks.create_task(self._teams(over)) for _ in range(TEAMS_AT_ONCE)]
            checking = tasks.create_task(self._check())
            async with fault(self.product):
                pass
            ready = await seconds_until_ready(self.product, self.http)
            over.set()
            await asyncio.gather(*teams)
            checking.cancel()
        for account, user in self.suspects & self.ctx.acknowledged.gone:
            self.counts.wrong_allows.append(f"{user} in {account}")
        self.suspects.clear()
        begun = loop.time()
        data = StoredData(self.product.database_url())
        try:
            await wait_for(lambda: _settled(data), within=600, what="everything settled")
            settled = loop.time() - begun
            caught = await self.ctx.mails.message_ids()
            received = [event.id for event in self.receiver.got]
            faults = data.faults(self.ctx.acknowledged, caught=caught, received=received)
        finally:
            data.close()
        await self._compare_replicas()
        new = tuple(one for one in faults if one not in self.found)
        self.found |= set(faults)
        doubles = len(caught) - len(set(caught)) + len(received) - len(set(received))
        doubles, self.doubles = doubles - self.doubles, doubles
        answers, now = self.answers, self._wrong()
        return FaultFigures(
            requests=answers.requests.total(),
            failed=answers.failed.total(),
            failed_writes=answers.failed["write"],
            failed_checks=answers.failed["check"],
            sent_checks=answers.requests["check"],
            worst_seconds=max(answers.worst.values()),
            checks=self.counts.checks - checks,
            wrong_allows=now[0] - wrong[0],
            wrong_denials=now[1] - wrong[1],
            faults=new,
            doubles=doubles,
            ready_seconds=ready,
            settled_seconds=settled,
        )

    def _wrong(self) -> tuple[int, int]:
        return len(self.counts.wrong_allows), len(self.counts.wrong_denials)

    async def _teams(self, over: asyncio.Event) -> None:
        await self.ctx.run_next()
        while not over.is_set():
            await self.ctx.run_next()

    async def _check(self) -> None:
        """Ask each replica about members that left. One that joins again may be allowed."""
        acknowledged, checker = self.ctx.acknowledged, self.ctx.checker
        while True:
            for account, user in list(acknowledged.gone)[-5:]:
                said = await checker.reasons(user, account, PROBES["developer"])
                if "allowed" in said:
                    self.suspects.add((account, user))
            await asyncio.sleep(CHECKS_PAUSE_SECONDS)

    async def _compare_replicas(self) -> None:
        acknowledged, checker = self.ctx.acknowledged, self.ctx.checker
        for (account, user), role in acknowledged.members.items():
            await checker.require_everywhere("allowed", user, account, PROBES[role])
        for account, user in acknowledged.gone:
            probe = PROBES["developer"]
            await checker.require_everywhere("not-a-member", user, account, probe)


def _settled(data: StoredData) -> bool:
    waits = data.unsettled()
    assert not waits, waits
    return True


def _watched(answers: Answers) -> aiohttp.TraceConfig:
    """Counts every request of a session."""
    watched = aiohttp.TraceConfig()

    async def begin(_: Any, ctx: SimpleNamespace, params: Any) -> None:
        ctx.begun = asyncio.get_running_loop().time()

    async def end(_: Any, ctx: SimpleNamespace, params: Any) -> None:
        response = getattr(params, "response", None)
        kind = "check" if CHECKS in str(params.url) else "read"
        if params.method != "GET" and kind == "read":
            kind = "write"
        seconds = asyncio.get_running_loop().time() - ctx.begun
        answers.add(kind, seconds, None if response is None else response.status)

    watched.on_request_start.append(begin)
    watched.on_request_end.append(end)
    watched.on_request_exception.append(end)
    return watched


@asynccontextmanager
async def running_fault_drill(
    folder: Path, kind: type[FaultedProduct] = FaultedProduct
) -> AsyncIterator[FaultDrill]:
    """The product, and clients that are ready to load it."""
    answers, counts, acknowledged = Answers(), ClientCounts(), Acknowledged()
    client = RetryingClient(counts, down=lambda: ())
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=5)
    async with AsyncExitStack() as stack:
        product = await stack.enter_async_context(faulted_product(folder, kind))
        deployment = await asyncio.to_thread(product.deployment)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=15),
                connector=connector,
                trace_configs=[_watched(answers)],
            )
        )
        quiet = await stack.enter_async_context(aiohttp.ClientSession())
        receiver = await stack.enter_async_context(receiving())
        world = World(deployment, http)
        checker = DecisionChecker(
            world.platform,
            counts,
            replicas=deployment.authz,
            client=(deployment.client_id, deployment.client_secret),
        )
        mails = CaughtMails(quiet, lambda: product.mail.url)
        ctx = ScenarioContext(
            world=world,
            client=client,
            mails=mails,
            checker=checker,
            acknowledged=acknowledged,
            receiver=receiver.url,
            seed=SEED,
        )
        fetching = asyncio.create_task(mails.run())
        try:
            yield FaultDrill(product, ctx, counts, answers, receiver, quiet)
        finally:
            fetching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await fetching
