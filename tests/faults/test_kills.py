"""After many kills of every process, all that was acknowledged is stored exactly once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from shared.contracts.topology import Service
from tests.e2e.journey import Deployment, World
from tests.e2e.one_process import OneProcess
from tests.e2e.processes import Processes
from tests.faults.clients import CaughtMails, ClientCounts, DecisionChecker, RetryingClient
from tests.faults.forgetting_broker import ForgettingBroker
from tests.faults.killer import Killer, Victim
from tests.faults.stored_data import StoredData
from tests.faults.team_scenario import PROBES, Acknowledged, ScenarioContext
from tests.lengths import SEED, length
from tests.services.notification.hooks import receiving
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

KILLS = length("KILLS", short=2, soak=20)
"""How often each process is killed.

A fault that one kill in five shows is found by 2 kills of its process in 36 % of runs, by 20 in
99 %. The crash points (`test_crash_points.py`) stop a process at every step in each run.
"""
SERVER_KILLS = min(KILLS, 20)
"""How often RabbitMQ and the database are killed: each start of RabbitMQ takes many seconds."""
TEAMS_AT_ONCE = 6
HOOKS_AT_ONCE = 8
SERVERS = ("rabbitmq", "database")
LIMITS = {
    "identity": {
        "mails_per_address": "10000",
        "mails_per_ip": "100000",
        "logins_per_address": "10000",
        "logins_per_ip": "100000",
        "requests_at_once": "1000",
    },
    "team": {
        "mails_per_address": "10000",
        "first_mails_of_account": "1000",
        "requests_at_once": "1000",
    },
    "notification": {
        "smtp_connections": "1",
        "webhook_connections": str(HOOKS_AT_ONCE),
        "webhook_networks": '["127.0.0.0/8"]',
    },
}
"""Limits that repeated requests do not reach, and one mail at a time.

A kill repeats at most the mails in hand, one for each connection: with one, their number is exact.
"""


class OneProcessWithoutLimits(OneProcess):
    """The one-process runner, with the limits of the tests."""

    def environment(self) -> dict[str, str]:
        """The variables of the limits."""
        limits = {
            f"ROLECALL_{service}_{name}".upper(): value
            for service, options in LIMITS.items()
            for name, value in options.items()
        }
        return {**super().environment(), **limits}


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[OneProcessWithoutLimits]:
    product = OneProcessWithoutLimits(tmp_path)
    product.start()
    yield product
    product.stop()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    product = Processes(tmp_path, options=LIMITS)
    try:
        product.start()
        yield product
    finally:
        product.stop()


@pytest.mark.timeout(600 + 15 * KILLS)
async def test_kills_of_the_one_process_lose_nothing_acknowledged(
    one_process: OneProcessWithoutLimits, report: Callable[[str], None]
) -> None:
    counts = await kill_under_load(
        {"process": [one_process]},
        deployment=one_process.deployment(),
        mail=lambda: one_process.deployment().mail,
        database=one_process.database_url,
        sends_mails=("process",),
        report=report,
        at_once=1,
        pause=3,
    )
    # Leases last 30 s: no change may wait for the lease of a dead process.
    assert max(counts.late, default=0) < 10


@pytest.mark.timeout(1200 + 30 * KILLS)
async def test_kills_of_each_process_lose_nothing_acknowledged(
    processes: Processes, report: Callable[[str], None]
) -> None:
    broker = ForgettingBroker(processes.broker)
    victims: dict[str, Sequence[Victim]] = {
        service: processes.replicas_of(service) for service in Service
    }
    await kill_under_load(
        victims | {"rabbitmq": [broker], "database": [processes.database]},
        deployment=processes.deployment(),
        mail=lambda: processes.mail.url,
        database=lambda: processes.database.url,
        sends_mails=("notification", "database"),
        report=report,
        at_once=2,
        pause=1.5,
    )
    report(f"kills of rabbitmq that deleted all of its data: {broker.deletions}")
    assert broker.deletions == (SERVER_KILLS + 1) // 2


async def kill_under_load(
    victims: dict[str, Sequence[Victim]],
    *,
    deployment: Deployment,
    mail: Callable[[], str],
    database: Callable[[], str],
    sends_mails: tuple[str, ...],
    report: Callable[[str], None],
    at_once: int,
    pause: float,
) -> ClientCounts:
    """Run team scenarios while the victims are killed; then require that all data agree.

    A kill of one of `sends_mails` between a mail and its note may send that mail again, and so it
    is with webhooks.
    """
    counts, acknowledged = ClientCounts(), Acknowledged()
    client = RetryingClient(counts, down=lambda: killer.down)
    times = {name: SERVER_KILLS if name in SERVERS else KILLS for name in victims}
    killer = Killer(
        victims, times=times, seed=SEED, at_once=at_once, pause=pause, sending=client.sending
    )
    # A connection that its server closed a moment ago would fail without any kill.
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=5)
    timeout = aiohttp.ClientTimeout(total=15)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
        receiving() as receiver,
    ):
        world = World(deployment, http)
        checker = DecisionChecker(
            world.platform,
            counts,
            replicas=deployment.authz,
            client=(deployment.client_id, deployment.client_secret),
        )
        await checker.sign_in()
        mails = CaughtMails(http, mail)
        ctx = ScenarioContext(
            world=world,
            client=client,
            mails=mails,
            checker=checker,
            acknowledged=acknowledged,
            receiver=receiver.url,
            seed=SEED,
        )
        async with asyncio.TaskGroup() as tasks:
            others = [tasks.create_task(mails.run()), tasks.create_task(killer.watch())]
            killing = tasks.create_task(killer.run())
            teams = [tasks.create_task(run_until(killing, ctx)) for _ in range(TEAMS_AT_ONCE)]
            await asyncio.gather(killing, *teams)
            for task in others:
                task.cancel()

        data = StoredData(database())
        try:
            await wait_for(lambda: settled(data), within=120, what="everything settled")
            caught = await mails.message_ids()
            received = [event.id for event in receiver.got]
            faults = data.faults(acknowledged, caught=caught, received=received)
            report(table(killer, counts, acknowledged, data, caught, received))
        finally:
            data.close()
        await compare_replicas(checker, acknowledged)

    kills_of_senders = sum(killer.kills[name] for name in sends_mails)
    assert faults == []
    assert counts.wrong_allows == []
    assert counts.wrong_denials == []
    assert counts.server_errors == []
    assert doubles_of(caught) <= kills_of_senders
    assert doubles_of(received) <= kills_of_senders * HOOKS_AT_ONCE
    assert killer.kills == times
    assert acknowledged.gone, "no member was removed: the load was too small to prove anything"
    assert acknowledged.webhooks
    assert acknowledged.usage
    return counts


async def run_until(over: asyncio.Task[None], ctx: ScenarioContext) -> None:
    """Run one scenario after the other; the last one begins before `over` ends."""
    while not over.done():
        await ctx.run_next()


def settled(data: StoredData) -> bool:
    waits = data.unsettled()
    assert not waits, waits
    return True


async def compare_replicas(checker: DecisionChecker, acknowledged: Acknowledged) -> None:
    """Require that each replica decides by the acknowledged memberships, and no others."""
    for (account, user), role in acknowledged.members.items():
        await checker.require_everywhere("allowed", user, account, PROBES[role])
    for account, user in acknowledged.gone:
        await checker.require_everywhere("not-a-member", user, account, PROBES["developer"])


def doubles_of(ids: list[str]) -> int:
    """How many came again."""
    return len(ids) - len(set(ids))


def table(
    killer: Killer,
    counts: ClientCounts,
    acknowledged: Acknowledged,
    data: StoredData,
    caught: list[str],
    received: list[str],
) -> str:
    """The figures of a run as text."""
    lines = [
        f"seed {SEED}",
        f"{'killed':<14}{'times':>6}{'ready after':>24}{'retries meanwhile':>20}",
    ]
    for name, times in sorted(killer.kills.items()):
        seconds = sorted(killer.seconds[name])
        ready = f"{seconds[len(seconds) // 2]:.1f} s, at most {seconds[-1]:.1f} s"
        lines.append(f"{name:<14}{times:>6}{ready:>24}{counts.retries_while_down[name]:>20}")
    late = max(counts.late, default=0)
    wrong = f"wrong allows {len(counts.wrong_allows)}, wrong denials {len(counts.wrong_denials)}"
    lines += [
        f"teams {acknowledged.teams}, invitations {len(acknowledged.invitations)}",
        f"members {len(acknowledged.members)}, removed {len(acknowledged.gone)}",
        f"requests {counts.requests}, retries {counts.retries}, in doubt {counts.doubts}",
        data.size(),
        f"mails {len(caught)}, doubles {doubles_of(caught)}",
        f"webhook events {len(received)}, doubles {doubles_of(received)}",
        f"hours of usage reported {acknowledged.usage.total()}, each counted once",
        f"sent, then withdrawn {data.sent_then_withdrawn(caught)}",
        f"answers before the change was in force {len(counts.late)}, then {late:.1f} s at most",
        f"checks {counts.checks}, answered {counts.answered}, {wrong}",
    ]
    return "\n".join(lines)
