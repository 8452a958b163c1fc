"""Checks and honest sign-ins while a crowd floods the gateway (T19)."""

import argparse
import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from benchmarks.results import Cell, Result, Table
from shared.runtime.service import event_loop
from tests.e2e.journey import Team, World, gather_team
from tests.e2e.people import PASSWORD, Browser, Person
from tests.e2e.processes import Processes

CONNECTIONS, SECONDS = 300, 60.0
SENDERS = 10
"""Addresses that the flood comes from: 127.0.1.1, 127.0.1.2, …"""
PAUSE_SECONDS = 0.02
"""The pause of a connection between an answer and its next request: it bounds the traffic."""
CHECKS_PER_SECOND, SIGN_INS_PER_SECOND = 25.0, 1.0
HEADINGS = (
    "flood",
    "its answers",
    "checks",
    "`stale`",
    "other refusals",
    "quiet p50 / p99 ms",
    "flooded p50 / p99 ms",
    "sign-in p50 / longest ms",
    "refused",
    "sender's CPU",
)
HONEST = "127.0.0.9"
"""The address that honest sign-ins come from."""


@dataclass(frozen=True)
class Target:
    """What a flood sends: one request line, its headers, and a body with `{n}` for a number."""

    method: str
    path: str
    body: str = ""
    token: str = ""
    tag: str = ""

    def requests(self) -> Iterator[bytes]:
        """Each request as it goes over the wire."""
        extra = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        for number in itertools.count():
            body = self.body.replace("{n}", f"{self.tag}.{number}").encode()
            yield (
                f"{self.method} {self.path} HTTP/1.1\r\nHost: rolecall\r\n{extra}"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode() + body


@dataclass
class Flooded:
    """The answers to a flood by status, and the processor time of its sender in seconds."""

    answers: Counter[int] = field(default_factory=Counter)
    processor: float = 0.0


def flood(target: Target, gateway: str, connections: int, seconds: float) -> Flooded:
    """Send `target` over this many connections; runs in a process of its own.

    A crowd has machines of its own, so here it only gets the time that the product leaves.
    """
    os.nice(19)
    result = Flooded()
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_crowd(target, gateway, connections, seconds, result))
    result.processor = time.process_time()
    return result


async def _crowd(
    target: Target, gateway: str, connections: int, seconds: float, result: Flooded
) -> None:
    requests = target.requests()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number in range(connections):
                sender = f"127.0.1.{number % SENDERS + 1}"
                group.create_task(_send(requests, gateway, sender, result))


async def _send(requests: Iterator[bytes], gateway: str, sender: str, result: Flooded) -> None:
    parts = urlsplit(gateway)
    while True:
        try:
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port, local_addr=(sender, 0)
            )
        except OSError:
            result.answers[0] += 1
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        try:
            while True:
                writer.write(next(requests))
                head = await reader.readuntil(b"\r\n\r\n")
                result.answers[int(head[9:12])] += 1
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                await asyncio.sleep(PAUSE_SECONDS)
        except (OSError, asyncio.IncompleteReadError):
            result.answers[0] += 1
        finally:
            writer.close()


@dataclass
class Watched:
    """The answers to checks and sign-ins in one phase: codes, and milliseconds."""

    codes: Counter[str] = field(default_factory=Counter)
    checks: list[float] = field(default_factory=list)
    sign_ins: list[float] = field(default_factory=list)
    refused_sign_ins: Counter[str] = field(default_factory=Counter)

    @property
    def p99(self) -> float:
        """The 99th percentile of the checks."""
        return sorted(self.checks)[int(len(self.checks) * 0.99)]


@dataclass(frozen=True)
class Site:
    """The running product with a team, and the two whose requests must not suffer."""

    product: Processes
    person: Person
    checks: Browser
    question: dict[str, object]

    async def watch(self, seconds: float) -> Watched:
        """Check and sign in at a steady rate for this long."""
        watched = Watched()
        deadline = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(local_addr=(HONEST, 0))
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
            honest = Browser(http, self.checks.base)
            group.create_task(_steadily(CHECKS_PER_SECOND, deadline, self._check, watched))

            async def sign_in(into: Watched) -> None:
                await self._sign_in(honest, into)

            group.create_task(_steadily(SIGN_INS_PER_SECOND, deadline, sign_in, watched))
        return watched

    async def _check(self, into: Watched) -> None:
        began = time.perf_counter()
        answer = await self.checks.send_once("POST", "/access/v1/evaluation", self.question)
        into.checks.append((time.perf_counter() - began) * 1000)
        into.codes["allowed" if answer.status == 200 else answer.code] += 1

    async def _sign_in(self, honest: Browser, into: Watched) -> None:
        began = time.perf_counter()
        body = {"email": self.person.email, "password": PASSWORD}
        answer = await honest.send_once("POST", "/v1/login", body)
        into.sign_ins.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            into.refused_sign_ins[answer.code] += 1


async def _steadily(
    rate: float, deadline: float, send: Callable[[Watched], Awaitable[None]], into: Watched
) -> None:
    due = time.monotonic()
    async with asyncio.TaskGroup() as group:
        while due < deadline:
            group.create_task(_waiting(send, into))
            due += 1 / rate
            await asyncio.sleep(max(0, due - time.monotonic()))


async def _waiting(send: Callable[[Watched], Awaitable[None]], into: Watched) -> None:
    await send(into)


async def measure(product: Processes, *, connections: int, seconds: float) -> Table:
    """Each flood between two quiet phases; the rows of the report."""
    async with aiohttp.ClientSession() as http:
        deployment = product.deployment()
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        question: dict[str, object] = {
            "subject": {"type": "user", "id": team.mail.user_id},
            "action": {"name": "write"},
            "resource": {
                "type": "instance",
                "id": "i-1",
                "properties": {"account_id": team.account_id},
            },
        }
        checks = Browser(http, deployment.gateway, world.platform.token)
        site = Site(product, team.mail, checks, question)
        rows = []
        for name, target in targets(team).items():
            quiet = await site.watch(seconds / 4)
            rows.append(await _flooded(site, name, target, quiet, connections, seconds))
        return Table(HEADINGS, rows)


def targets(team: Team) -> dict[str, Target]:
    """The floods: guesses at a password, sign-ups, and a member who reads a list."""
    guess = json.dumps({"email": "crowd{n}@example.com", "password": "not-the-password-1"})
    sign_up = json.dumps({"email": "crowd{n}@example.com", "name": "Crowd"})
    members = f"{team.path}/members"
    return {
        "sign-ins": Target("POST", "/v1/login", guess),
        "sign-ups": Target("POST", "/v1/signup", sign_up),
        "a member's list": Target("GET", members, token=team.owner.token or ""),
    }


async def _flooded(
    site: Site, name: str, target: Target, quiet: Watched, connections: int, seconds: float
) -> tuple[Cell, ...]:
    loop = asyncio.get_running_loop()
    # A new process for each flood: its processor time is that of the flood alone.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        gateway = site.product.gateway.url
        sending = loop.run_in_executor(pool, flood, target, gateway, connections, seconds)
        found = await site.watch(seconds)
        sent = await sending
    answers = ", ".join(f"{count:,} of {status}" for status, count in sorted(sent.answers.items()))
    others = {code: n for code, n in found.codes.items() if code not in {"allowed", "stale"}}
    return (
        f"{connections} {name}",
        answers,
        len(found.checks),
        found.codes["stale"],
        str(others or 0),
        f"{statistics.median(quiet.checks):.1f} / {quiet.p99:.1f}",
        f"{statistics.median(found.checks):.1f} / {found.p99:.1f}",
        f"{statistics.median(found.sign_ins):.0f} / {max(found.sign_ins):.0f}",
        f"{dict(found.refused_sign_ins) or 0} of {len(found.sign_ins)}",
        f"{sent.processor / seconds:.0%}",
    )


def run(*, connections: int = CONNECTIONS, seconds: float = SECONDS) -> Result:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(
            Path(name),
            replicas={"authz": 1},
            options={"identity": {"answer_step_seconds": "0.25"}},
            limits_factor=1,
        )
        try:
            product.start()
            table = asyncio.run(measure(product, connections=connections, seconds=seconds))
        finally:
            product.stop()
    title = "Checks and sign-ins during floods (T19)"
    return Result(title, "python -m benchmarks --only floods", tables=[table])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    chosen = parser.parse_args()
    print(run(connections=chosen.connections, seconds=chosen.seconds).markdown())
