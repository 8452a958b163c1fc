"""Every service restarted one replica after the other, and a full start, under a steady load (F29).

Two replicas of each service run as processes behind nginx. Every answer that was not 2xx is
printed. `python -m benchmarks.rolling --services team` restarts one service only.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.results import Cell, Result, Table
from shared.contracts.topology import Service
from tests.e2e.journey import Team, World, gather_team
from tests.e2e.people import Answer, Person
from tests.e2e.processes import Processes, ServiceProcess

REPLICAS = 2
DRAIN_SECONDS = "3"
"""The default of the product."""
SETTLE_SECONDS = 1.0
"""The pause before and after each restart."""
START_SECONDS = 15.0
"""How long requests are sent after every process of a full start said that it is ready."""
NONE_READY = "full start, until all are ready"
HEADINGS = ("restarted", "requests", "not 2xx: may be repeated", "not 2xx: others")
SERVICES = tuple(Service)


@dataclass(frozen=True)
class Kind:
    """One kind of request. Those that `may_repeat` are sent to a second replica by the gateway."""

    name: str
    per_second: float
    send: Callable[[int], Awaitable[Answer]]
    may_repeat: bool = True


@dataclass(frozen=True)
class Failure:
    """An answer that was not 2xx: when it came, and what it was."""

    phase: str
    at: float
    kind: Kind
    what: str


@dataclass
class Load:
    """Requests of several kinds. Those of one kind follow each other, at most at its rate."""

    kinds: Sequence[Kind]
    phase: str = "warm-up"
    sent: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    good_at: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By kind: the times of the good answers."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block runs, and let the last requests end."""
        async with asyncio.TaskGroup() as tasks:
            senders = [tasks.create_task(self._keep_sending(kind)) for kind in self.kinds]
            try:
                yield
            finally:
                for sender in senders:
                    sender.cancel()

    async def _keep_sending(self, kind: Kind) -> None:
        for number in itertools.count():
            await self._send(kind, number)
            await asyncio.sleep(1 / kind.per_second)

    async def _send(self, kind: Kind, number: int) -> None:
        phase, began = self.phase, time.monotonic()
        self.sent[phase] += 1
        try:
            answer = await kind.send(number)
        except (aiohttp.ClientError, TimeoutError) as broken:
            self.failures.append(Failure(phase, began, kind, repr(broken)))
            return
        if 200 <= answer.status < 300:
            self.good_at[kind.name].append(time.monotonic())
        else:
            code = answer.body.get("code") if isinstance(answer.body, dict) else answer.body
            self.failures.append(Failure(phase, began, kind, f"{answer.status} {code}"))

    def found(self) -> tuple[Table, list[str]]:
        """One row for each phase, and each failure; those without any replica are counted."""
        rows: list[tuple[Cell, ...]] = []
        lines: list[str] = []
        for phase, sent in self.sent.items():
            failed = [failure for failure in self.failures if failure.phase == phase]
            repeatable = sum(failure.kind.may_repeat for failure in failed)
            rows.append((phase, sent, repeatable, len(failed) - repeatable))
            if phase == NONE_READY:
                counts = Counter(f"{each.kind.name}: {each.what}" for each in failed)
                lines += [f"{phase}, {what}, {times} times" for what, times in counts.items()]
                continue
            lines += [
                f"{phase}, {each.at - self.began:.2f} s, {each.kind.name}: {each.what}"
                for each in failed
            ]
        return Table(HEADINGS, rows), lines


def kinds(world: World, team: Team, reader: Person, project_id: str) -> list[Kind]:
    """Checks, a read of each service, and writes that may and may not be repeated."""
    account, owner, member = team.path, team.owner, team.mail
    override = f"{account}/projects/{project_id}/overrides/{member.user_id}"

    question = {
        "subject": {"type": "user", "id": owner.user_id},
        "action": {"name": "write"},
        "resource": {
            "type": "instance",
            "id": "i-1",
            "properties": {"account_id": team.account_id},
        },
    }

    async def check(number: int) -> Answer:
        return await world.platform.send_once("POST", "/access/v1/evaluation", question)

    async def set_override(number: int) -> Answer:
        return await owner.send_once("PUT", override, {"grants": {}})

    async def rename(number: int) -> Answer:
        own = f"/v1/accounts/{reader.account_id}"
        return await reader.send_once("PATCH", own, {"name": f"Engines {number % 7}"})

    async def me(number: int) -> Answer:
        return await reader.send_once("GET", "/v1/me")

    async def members(number: int) -> Answer:
        return await reader.send_once("GET", f"{account}/members")

    async def records(number: int) -> Answer:
        return await owner.send_once("GET", f"{account}/audit-events?limit=5")

    return [
        Kind("check (authz)", 15, check),
        Kind("GET me (identity)", 6, me),
        Kind("GET members (team)", 6, members),
        Kind("GET audit events (audit)", 4, records),
        Kind("PUT override (team)", 3, set_override),
        Kind("PATCH account (team)", 3, rename, may_repeat=False),
    ]


async def roll(load: Load, product: Processes, services: Sequence[str]) -> None:
    """Restart each replica of each service, one after the other."""
    for service in services:
        load.phase = service
        for process in product.replicas_of(service):
            await asyncio.sleep(SETTLE_SECONDS)
            await asyncio.to_thread(process.stop)
            await asyncio.to_thread(process.start)
            await asyncio.sleep(SETTLE_SECONDS)


async def start_everything(load: Load, product: Processes) -> str:
    """Stop and start all services at once; when each kind of request was answered again."""
    load.phase = NONE_READY
    processes = list(product.services.values())
    await _all(ServiceProcess.stop, processes)
    began = time.monotonic()
    await _all(ServiceProcess.start, processes)
    ready = time.monotonic()
    load.phase = "full start, after all are ready"
    await asyncio.sleep(START_SECONDS)
    first = {
        kind.name: min((at for at in load.good_at[kind.name] if at > began), default=float("inf"))
        for kind in load.kinds
    }
    told = ", ".join(f"{name} {at - began:.1f} s" for name, at in first.items())
    return f"All ready {ready - began:.1f} s after the start; first good answers: {told}."


async def _all(
    action: Callable[[ServiceProcess], None], processes: Sequence[ServiceProcess]
) -> None:
    await asyncio.gather(*(asyncio.to_thread(action, process) for process in processes))


async def measure(product: Processes, services: Sequence[str]) -> Result:
    """Run everything; the table, the failures, and the full start in a sentence."""
    deployment = product.deployment()
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        body = {"name": "Prod"}
        made = await team.owner.send("POST", f"{team.path}/projects", body)
        load = Load(kinds(world, team, team.link, made.expect(201, 202)["id"]))
        async with load.running():
            await asyncio.sleep(2 * SETTLE_SECONDS)
            await roll(load, product, services)
            started = await start_everything(load, product)
    table, failures = load.found()
    return Result(
        "Restarts of every service under load (F29)",
        "python -m benchmarks --only rolling",
        tables=[table],
        notes=[started, *failures],
    )


def run(services: Sequence[str] = SERVICES) -> Result:
    """Measure."""
    options: dict[str, dict[str, str]] = {
        name: {"drain_seconds": DRAIN_SECONDS} for name in Service
    }
    options["identity"] |= {"mails_per_address": "10000", "mails_per_ip": "100000"}
    with tempfile.TemporaryDirectory() as name:
        replicas = {str(service): REPLICAS for service in Service}
        product = Processes(Path(name), replicas=replicas, options=options)
        try:
            product.start()
            return asyncio.run(measure(product, services))
        finally:
            product.stop()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--services", nargs="+", choices=list(Service), default=list(Service))
    print(run(arguments.parse_args().services).markdown())
