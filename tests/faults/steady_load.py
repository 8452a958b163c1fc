"""Teams that live, and checks that are sent all the time, while replicas are replaced."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.e2e.journey import Deployment, World
from tests.faults.clients import (
    NO_ANSWER,
    CaughtMails,
    ClientCounts,
    DecisionChecker,
    RetryingClient,
)
from tests.faults.stored_data import StoredData
from tests.faults.team_scenario import PROBES, Acknowledged, ScenarioContext
from tests.faults.test_kills import compare_replicas, doubles_of, settled
from tests.lengths import SEED
from tests.services.notification.hooks import receiving
from tests.waiting import wait_for

TEAMS_AT_ONCE = 2
"""For each gateway."""
CHECK_PAUSE_SECONDS = 0.02


@dataclass
class Load:
    """What a run under load met."""

    counts: ClientCounts = field(default_factory=ClientCounts)
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    phase: str = "start"
    requests: Counter[str] = field(default_factory=Counter)
    """Phase → the requests of teams."""
    checks: Counter[str] = field(default_factory=Counter)
    """Phase → the checks through the gateways."""
    failed_checks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What does not agree in the stored data at the end."""
    doubles: int = 0
    """Mails and webhook events that came twice, which they may."""
    _seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _began: float = field(default_factory=time.monotonic)
    _before: int = 0

    def enter(self, phase: str) -> None:
        """Count under another phase from now on."""
        now = time.monotonic()
        self._seconds[self.phase] += now - self._began
        self.requests[self.phase] += self.counts.requests - self._before
        self.phase, self._began, self._before = phase, now, self.counts.requests

    def table(self) -> str:
        """The figures of each phase as text."""
        self.enter("end")
        heads = ("seconds", "requests", "/s", "checks", "/s", "repeated")
        lines = [f"{'phase':<34}" + "".join(f"{head:>10}" for head in heads)]
        counts, done = self.counts, self.acknowledged
        for phase, seconds in self._seconds.items():
            asked, checked = self.requests[phase], self.checks[phase]
            lines.append(
                f"{phase:<34}{seconds:>10.1f}{asked:>10}{asked / seconds:>10.1f}"
                f"{checked:>10}{checked / seconds:>10.1f}{counts.retries_while_down[phase]:>10}"
            )
        lines += [
            f"teams {done.teams}, members {len(done.members)}, removed {len(done.gone)}",
            f"repeated requests {counts.retries}, failed checks {len(self.failed_checks)}",
            f"wrong allows {len(counts.wrong_allows)}, wrong denials {len(counts.wrong_denials)}",
            f"answered with 202 {len(counts.late)}, mails and events twice {self.doubles}",
        ]
        why = [f"{times} times {what}" for what, times in counts.why_repeated.most_common(10)]
        return "\n".join(lines + why + self.failed_checks[:10] + counts.server_errors[:10])

    def require_nothing_lost(self) -> None:
        """Require that each request was answered at once, rightly, and is stored."""
        assert self.faults == []
        assert self.counts.wrong_allows == []
        assert self.counts.wrong_denials == []
        assert self.counts.server_errors == []
        assert self.failed_checks == []
        assert self.counts.retries == 0, "some request got 5xx or no answer"
        assert self.acknowledged.gone, "no member was removed: the load was too small"


@asynccontextmanager
async def load_on(
    deployments: Sequence[Deployment],
    *,
    mail: str,
    database: Callable[[], str],
    replicas: Callable[[], tuple[str, ...]],
    report: Callable[[str], None],
) -> AsyncIterator[Load]:
    """Send requests through each gateway while the block runs; then compare all data.

    `replicas` tells the addresses of authz that run at the end.
    """
    load = Load()
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=5)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30), connector=connector)
        )
        receiver = await stack.enter_async_context(receiving())
        mails = CaughtMails(http, lambda: mail)
        contexts = []
        for deployment in deployments:
            world = World(deployment, http)
            checker = DecisionChecker(
                world.platform,
                load.counts,
                replicas=deployment.authz,
                client=(deployment.client_id, deployment.client_secret),
            )
            await checker.sign_in()
            client = RetryingClient(load.counts, down=lambda: [load.phase])
            contexts.append(
                ScenarioContext(
                    world=world,
                    client=client,
                    mails=mails,
                    checker=checker,
                    acknowledged=load.acknowledged,
                    receiver=receiver.url,
                    seed=SEED,
                )
            )
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(mails.run())
            asking = [tasks.create_task(_ask(load, ctx, over)) for ctx in contexts]
            teams = [
                tasks.create_task(_live(ctx, over))
                for ctx in contexts
                for _ in range(TEAMS_AT_ONCE)
            ]
            try:
                yield load
            finally:
                over.set()
            await asyncio.gather(*asking, *teams)
            watching.cancel()
        data = StoredData(database())
        try:
            await wait_for(lambda: settled(data), within=120, what="everything settled")
            caught = await mails.message_ids()
            received = [event.id for event in receiver.got]
            load.faults = data.faults(load.acknowledged, caught=caught, received=received)
            load.doubles = doubles_of(caught) + doubles_of(received)
        finally:
            data.close()
            report(load.table())
        last = DecisionChecker(
            contexts[0].world.platform,
            load.counts,
            replicas=replicas(),
            client=(deployments[0].client_id, deployments[0].client_secret),
        )
        await compare_replicas(last, load.acknowledged)


async def _live(ctx: ScenarioContext, over: asyncio.Event) -> None:
    while not over.is_set():
        await ctx.run_next()


def _owners_of_teams(acknowledged: Acknowledged) -> list[tuple[str, str]]:
    """The owners of accounts that were converted: a new personal account need not be known yet."""
    teams = set(acknowledged.webhooks.values())
    return [
        (account, user)
        for (account, user), role in acknowledged.members.items()
        if role == "owner" and account in teams
    ]


async def _ask(load: Load, ctx: ScenarioContext, over: asyncio.Event) -> None:
    """Ask about acknowledged owners through the gateway, one check after the other."""
    platform = ctx.world.platform
    while not over.is_set():
        await asyncio.sleep(CHECK_PAUSE_SECONDS)
        owners = _owners_of_teams(load.acknowledged)
        if not owners:
            continue
        account, user = owners[load.checks.total() % len(owners)]
        load.checks[load.phase] += 1
        try:
            answer = await platform.ask(user, PROBES["owner"], account=account, owner=user)
        except NO_ANSWER as broken:
            load.failed_checks.append(f"{load.phase}: {broken!r}")
            continue
        if answer.status == 401:
            await ctx.checker.sign_in()
        elif answer.status != 200 or answer.body["decision"] is not True:
            load.failed_checks.append(f"{load.phase}: {answer.status} {answer.body}")
