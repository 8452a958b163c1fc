"""Faults of a running product, each with the alerts of Prometheus that it must fire."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from pymongo import MongoClient

from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.e2e.journey import Team, World
    from tests.e2e.processes import Processes, ServiceProcess
    from tests.faults.prometheus import Prometheus

FIRES_SECONDS = 180.0
"""The longest wait for an alert; some look at ages of a minute, and audit looks once a minute."""


@dataclass
class Drill:
    """The product, what reads its metrics, and a team in it."""

    product: Processes
    prometheus: Prometheus
    world: World
    team: Team
    database: MongoClient[dict[str, Any]]
    fired: dict[str, float] = field(default_factory=dict)
    """Alert → seconds from the fault to the alert."""

    def process(self, service: str, replica: int = 0) -> ServiceProcess:
        """One replica."""
        return self.product.replicas_of(service)[replica]

    def collection(self, service: str, name: str) -> Any:
        """A collection of a service, with the rights of an administrator."""
        return self.database[f"rolecall_{service}"][name]

    async def keep_asking(self, ask: Callable[[], Any], *, pause: float = 0.05) -> None:
        """Ask again and again until cancelled; answers and failures do not matter."""
        while True:
            with suppress(aiohttp.ClientError, TimeoutError, AssertionError):
                await ask()
            await asyncio.sleep(pause)

    async def run(self, fault: Injection, alerts: tuple[str, ...]) -> None:
        """Cause a fault when its alerts are quiet, and wait until all of them are firing."""
        await self.team.owner.log_in()  # a drill takes longer than a token lives
        await self.team.link.log_in()

        async def quiet() -> bool:
            return not {*alerts} & await asyncio.to_thread(self.prometheus.firing)

        await wait_for(quiet, within=FIRES_SECONDS, what=f"an end of {alerts}")
        async with fault(self):
            await self.expect(*alerts)

    async def expect(self, *alerts: str) -> None:
        """Wait until all of these alerts are firing."""
        clock = asyncio.get_running_loop()
        begun = clock.time()
        for alert in alerts:

            async def firing(alert: str = alert) -> bool:
                return alert in await asyncio.to_thread(self.prometheus.firing)

            await wait_for(firing, within=FIRES_SECONDS, what=alert)
            self.fired[alert] = clock.time() - begun


Injection = Callable[[Drill], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def asking(
    drill: Drill, *asked: Callable[[], Any], pause: float = 0.05
) -> AsyncIterator[None]:
    """Ask beside what happens in the block."""
    tasks = [asyncio.create_task(drill.keep_asking(ask, pause=pause)) for ask in asked]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def stopped(process: ServiceProcess) -> AsyncIterator[None]:
    """Freeze a process, as a machine without memory does."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@asynccontextmanager
async def killed(program: Any) -> AsyncIterator[None]:
    """Kill a program, and start it again."""
    await asyncio.to_thread(program.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(program.start)


async def check(drill: Drill, **context: Any) -> None:
    """One check of the owner."""
    await drill.world.platform.send_once(
        "POST",
        "/access/v1/evaluation",
        {
            "subject": {"type": "user", "id": drill.team.owner.user_id},
            "action": {"name": "view"},
            "resource": {
                "type": "instance",
                "id": "i-1",
                "properties": {"account_id": drill.team.account_id},
            },
            "context": context,
        },
    )


async def rename(drill: Drill) -> None:
    """A change of the team that no other one needs."""
    name = f"Team {secrets.token_hex(4)}"
    await drill.team.owner.send_once("PATCH", drill.team.path, {"name": name})


async def change_role(drill: Drill) -> None:
    """A change that is acknowledged after the barrier."""
    path = f"{drill.team.path}/members/{drill.team.mail.user_id}"
    now = (await drill.team.owner.send_once("GET", path)).body["role"]
    role = next(role for role in ("basic", "developer") if role != now)
    await drill.team.owner.send_once("PATCH", path, {"role": role})


async def sign_up(drill: Drill, address: str = "") -> None:
    """A sign-up, whose link is mailed."""
    person = drill.world.person("Newcomer")
    body = {"email": address or person.email, "name": "Newcomer"}
    await person.send_once("POST", "/v1/signup", body)
