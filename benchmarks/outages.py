"""Outages of the broker and the database: what each service logs, and how long a write takes.

The product runs as processes under a light load. `python -m benchmarks.outages logs` counts the
bytes of each log while a server is killed or frozen, and tells when health has shown it.
`python -m benchmarks.outages writes` times writes at team and identity in the same outages.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.rolling import Kind, Load, kinds
from deploy.programs.program import Program
from shared.contracts.topology import Service
from tests.e2e.journey import World, gather_team
from tests.e2e.people import Answer, Person
from tests.e2e.processes import Processes, ServiceProcess
from tests.waiting import wait_for

WRITES = 20
LIGHT_PER_SECOND = 0.5
"""How often each kind of request is sent while logs are measured."""
OUTAGES = ("broker killed", "broker frozen", "database killed", "database frozen")
RECOVERY_SECONDS = 20.0
"""The pause after an outage, until everything is as before."""
SHOWN_SECONDS = 60.0
"""The longest wait until health shows an outage."""
LONG_LEASE_SECONDS = "60"
"""So long that team goes on to ask its absent database."""


@asynccontextmanager
async def outage(product: Processes, name: str) -> AsyncIterator[None]:
    """Kill or freeze a server while the block runs."""
    server: Program = product.broker if name.startswith("broker") else product.database
    if name.endswith("frozen"):
        os.killpg(server.pid, signal.SIGSTOP)
    else:
        await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        if name.endswith("frozen"):
            os.killpg(server.pid, signal.SIGCONT)
        else:
            await asyncio.to_thread(server.start)


def check(process: ServiceProcess, name: str) -> bool | None:
    """An informational check of a process; `None` if it has none of this name."""
    try:
        with urllib.request.urlopen(f"{process.internal_url}/health/ready", timeout=5) as answer:
            body = json.load(answer)
    except urllib.error.HTTPError as refused:
        body = json.load(refused)
    found = body["informational"].get(name)
    return None if found is None else bool(found)


async def seconds_until_shown(product: Processes, name: str) -> str:
    """When the health of each process shows the outage."""
    began = time.monotonic()

    async def shown(process: ServiceProcess) -> float | None:
        async def is_shown() -> bool:
            return not await asyncio.to_thread(check, process, name)

        if await asyncio.to_thread(check, process, name) is None:
            return None
        await wait_for(is_shown, within=SHOWN_SECONDS, what=f"{name}: false")
        return time.monotonic() - began

    times = await asyncio.gather(*map(shown, product.services.values()))
    told = [
        f"{of} {at:.1f} s" for of, at in zip(product.services, times, strict=True) if at is not None
    ]
    return ", ".join(told)


def sizes(product: Processes) -> dict[str, int]:
    """The bytes of the log of each process."""
    return {name: process.log.stat().st_size for name, process in product.services.items()}


def new_lines(process: ServiceProcess, *, after: int) -> tuple[int, int]:
    """The bytes of the lines since a position: those of answers, and the others."""
    with process.log.open("rb") as log:
        log.seek(after)
        answers = others = 0
        for line in log:
            if b'"rolecall.access"' in line:
                answers += len(line)
            else:
                others += len(line)
    return answers, others


async def measure_logs(
    product: Processes,
    kinds: Sequence[Kind],
    sign_in: Callable[[], Awaitable[None]],
    seconds: float,
) -> list[str]:
    """Count the bytes of each log in each outage; the rows of the report."""
    load = Load([Kind(each.name, LIGHT_PER_SECOND, each.send) for each in kinds])
    rows = ["| outage | service | answers, KB | other lines, KB |", "|---|---|---|---|"]
    shown = []
    async with load.running():
        for name in ("none", *OUTAGES):
            load.phase = "recovery"
            await sign_in()  # access tokens last ten minutes
            load.phase = name
            before = sizes(product)
            if name == "none":
                await asyncio.sleep(seconds)
            else:
                async with outage(product, name):
                    server = "bus" if name.startswith("broker") else "database"
                    async with asyncio.TaskGroup() as tasks:
                        told = tasks.create_task(seconds_until_shown(product, server))
                        await asyncio.sleep(seconds)
                    shown.append(f"- {name}: `{server}: false` at {told.result()}")
            for of, process in product.services.items():
                answers, others = new_lines(process, after=before[of])
                rows.append(f"| {name} | {of} | {answers / 1000:.1f} | {others / 1000:.1f} |")
            await asyncio.sleep(RECOVERY_SECONDS)
    counts = [line for line in load.table().splitlines() if line.startswith("|")]
    return [*rows, "", *shown, "", *counts]


async def measure_writes(product: Processes, team: Kind, identity: Kind) -> list[str]:
    """Time 20 writes one after the other at each service in each outage; the rows of the report."""
    rows = ["| outage | writes | answers | p50 s | longest s |", "|---|---|---|---|---|"]

    async def some(kind: Kind, name: str) -> str:
        times, answers = [], []
        for number in range(WRITES):
            began = time.monotonic()
            answer = await kind.send(number)
            times.append(time.monotonic() - began)
            answers.append(str(answer.status) + (f" {answer.code}" if answer.status > 399 else ""))
        told = ", ".join(f"{answers.count(each)} times {each}" for each in sorted(set(answers)))
        half, longest = statistics.median(times), max(times)
        return f"| {name} | {kind.name} | {told} | {half:.2f} | {longest:.2f} |"

    for name in OUTAGES:
        async with outage(product, name):
            rows += await asyncio.gather(some(team, name), some(identity, name))
        await asyncio.sleep(RECOVERY_SECONDS)
    return rows


async def measure(product: Processes, what: str, seconds: float) -> str:
    """Sign users in, and measure."""
    deployment = product.deployment()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        made = await team.owner.send("POST", f"{team.path}/projects", {"name": "Prod"})
        all_kinds = kinds(world, team, team.link, made.expect(201, 202)["id"])
        if what == "logs":

            async def sign_in() -> None:
                await world.platform.sign_in(deployment.client_id, deployment.client_secret)
                for person in (team.owner, team.link):
                    await person.log_in()

            return "\n".join(await measure_logs(product, all_kinds, sign_in, seconds))
        [rename] = [each for each in all_kinds if each.name.startswith("PATCH account")]
        return "\n".join(await measure_writes(product, rename, own_name(team.owner)))


def own_name(person: Person) -> Kind:
    """A user's change of the own name, a write of identity."""

    async def change(number: int) -> Answer:
        return await person.send_once("PATCH", "/v1/me", {"name": f"Person {number}"})

    return Kind("PATCH me (identity)", 1, change)


def run(what: str, seconds: float) -> str:
    """Measure; the rows of the report."""
    options: dict[str, dict[str, str]] = {
        Service.IDENTITY: {"mails_per_address": "10000", "mails_per_ip": "100000"},
        Service.TEAM: {},
    }
    if what == "writes":
        for of_service in options.values():
            of_service["lease_seconds"] = LONG_LEASE_SECONDS
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name), options=options)
        try:
            product.start()
            return asyncio.run(measure(product, what, seconds))
        finally:
            product.stop()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", choices=["logs", "writes"])
    arguments.add_argument("--seconds", type=float, default=120.0, help="the time of an outage")
    given = arguments.parse_args()
    print(run(given.what, given.seconds))
