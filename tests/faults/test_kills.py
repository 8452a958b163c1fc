"""Is everything that was acknowledged still there, once, when everything was killed many times?"""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from deploy.programs.program import Program
from shared.contracts.topology import Service
from tests.e2e.journey import Deployment, World
from tests.e2e.one_process import OneProcess
from tests.e2e.processes import Processes
from tests.faults.books import Books
from tests.faults.families import PROBES, Ledger, Office
from tests.faults.killer import Killer
from tests.faults.patience import Guard, Patience, Post, Tally
from tests.waiting import wait_for

KILLS = int(os.environ.get("ROLECALL_TEST_KILLS", "20"))
"""How often each of them is killed."""
SEED = int(os.environ.get("ROLECALL_TEST_SEED") or secrets.randbelow(10**9))
FAMILIES = 6
"""How many live at the same time."""
LIMITS = {
    "identity": {
        "mails_per_address": "10000",
        "mails_per_ip": "100000",
        "logins_per_address": "10000",
        "logins_per_ip": "100000",
    },
    "team": {"mails_per_address": "10000"},
}
"""Whoever asks again and again must not be refused for that here."""


class OneProcessWithoutLimits(OneProcess):
    """The one-process runner, with the limits of the tests."""

    def environment(self) -> dict[str, str]:
        """The limits are read as every service reads its settings."""
        limits = {
            f"ROLECALL_{service}_{name}".upper(): value
            for service, options in LIMITS.items()
            for name, value in options.items()
        }
        return {**super().environment(), **limits}

    def database_url(self) -> str:
        """Where its database is right now; it says so to nobody, so ask the system."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if str(self.data / "database" / "data") in words and "--port" in words:
                port = words[words.index("--port") + 1]
                return f"mongodb://127.0.0.1:{port}/?directConnection=true"
        raise LookupError("its database does not run")


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


@pytest.mark.timeout(600)
async def test_one_process_is_killed_under_load_and_nothing_acknowledged_is_lost(
    one_process: OneProcessWithoutLimits, report: Callable[[str], None]
) -> None:
    tally = await kill_under_load(
        {"process": [one_process]},
        deployment=one_process.deployment(),
        mail=lambda: one_process.deployment().mail,
        database=one_process.database_url,
        sends_mails=("process",),
        report=report,
        hands=1,
        pause=3,
    )
    # Its leases last 30 s: no change may wait for that of a process that is dead.
    assert max(tally.late, default=0) < 10


@pytest.mark.timeout(1200)
async def test_each_process_is_killed_under_load_and_nothing_acknowledged_is_lost(
    processes: Processes, report: Callable[[str], None]
) -> None:
    victims: dict[str, Sequence[Program]] = {
        service: processes.replicas_of(service) for service in Service
    }
    await kill_under_load(
        victims | {"rabbitmq": [processes.broker], "database": [processes.database]},
        deployment=processes.deployment(),
        mail=lambda: processes.mail.url,
        database=lambda: processes.database.url,
        sends_mails=("notification", "database"),
        report=report,
        hands=2,
        pause=1.5,
    )


async def kill_under_load(
    victims: dict[str, Sequence[Program]],
    *,
    deployment: Deployment,
    mail: Callable[[], str],
    database: Callable[[], str],
    sends_mails: tuple[str, ...],
    report: Callable[[str], None],
    hands: int,
    pause: float,
) -> Tally:
    """Families live while the victims are killed; then everything must agree.

    A kill of one of `sends_mails` between a mail and its note may send that mail again.
    """
    tally, ledger = Tally(), Ledger()
    patience = Patience(tally, down=lambda: killer.down)
    killer = Killer(
        victims, times=KILLS, seed=SEED, hands=hands, pause=pause, sending=patience.sending
    )
    # A connection that its server closed a moment ago would fail without any kill.
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=5)
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        world = World(deployment, http)
        guard = Guard(
            world.platform,
            tally,
            replicas=deployment.authz,
            client=(deployment.client_id, deployment.client_secret),
        )
        await guard.sign_in()
        post = Post(http, mail)
        office = Office(
            world=world,
            patience=patience,
            post=post,
            guard=guard,
            ledger=ledger,
            seed=SEED,
        )
        async with asyncio.TaskGroup() as tasks:
            others = [tasks.create_task(post.run()), tasks.create_task(killer.watch())]
            killing = tasks.create_task(killer.run())
            living = [tasks.create_task(live_until(killing, office)) for _ in range(FAMILIES)]
            await asyncio.gather(killing, *living)
            for task in others:
                task.cancel()

        books = Books(database())
        try:
            await wait_for(lambda: settled(books), within=120, what="everything settled")
            caught = await post.message_ids()
            faults = books.faults(ledger, caught=caught)
            report(table(killer, tally, ledger, books, caught))
        finally:
            books.close()
        await compare_replicas(guard, ledger)

    doubles = len(caught) - len(set(caught))
    assert faults == []
    assert tally.wrong_allows == []
    assert tally.wrong_denials == []
    assert tally.server_errors == []
    assert doubles <= sum(killer.kills[name] for name in sends_mails)
    assert killer.kills == dict.fromkeys(victims, KILLS)
    assert ledger.gone, "nobody was removed: the load was too small to show anything"
    return tally


async def live_until(over: asyncio.Task[None], office: Office) -> None:
    """One family after the other; the last one begins before `over` ends."""
    while not over.done():
        await office.next_family()


def settled(books: Books) -> bool:
    waits = books.unsettled()
    assert not waits, waits
    return True


async def compare_replicas(guard: Guard, ledger: Ledger) -> None:
    """Each replica answers by the memberships that were acknowledged, and no others."""
    for (account, user), role in ledger.members.items():
        await guard.require_everywhere("allowed", user, account, PROBES[role])
    for account, user in ledger.gone:
        await guard.require_everywhere("not-a-member", user, account, PROBES["developer"])


def table(killer: Killer, tally: Tally, ledger: Ledger, books: Books, caught: list[str]) -> str:
    """What happened, for people."""
    lines = [
        f"seed {SEED}",
        f"{'killed':<14}{'times':>6}{'ready after':>24}{'retries meanwhile':>20}",
    ]
    for name, times in sorted(killer.kills.items()):
        seconds = sorted(killer.seconds[name])
        ready = f"{seconds[len(seconds) // 2]:.1f} s, at most {seconds[-1]:.1f} s"
        lines.append(f"{name:<14}{times:>6}{ready:>24}{tally.retries_while_down[name]:>20}")
    doubles = len(caught) - len(set(caught))
    late = max(tally.late, default=0)
    wrong = f"wrong allows {len(tally.wrong_allows)}, wrong denials {len(tally.wrong_denials)}"
    lines += [
        f"families {ledger.families}; members {len(ledger.members)}, gone {len(ledger.gone)}",
        f"invitations {len(ledger.invitations)}",
        f"requests {tally.requests}, retries {tally.retries}, in doubt {tally.doubts}",
        books.size(),
        f"mails {len(caught)}, doubles {doubles}",
        f"sent, then withdrawn {books.sent_then_withdrawn(caught)}",
        f"answers before the change was in force {len(tally.late)}, then {late:.1f} s at most",
        f"checks {tally.checks}, answered {tally.answered}, {wrong}",
    ]
    return "\n".join(lines)
