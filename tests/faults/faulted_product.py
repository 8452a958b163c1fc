"""The whole product with a proxy on its links to the broker, the database and the mail server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.e2e.processes import HOST, Processes
from tests.faults.bus_proxy import BusProxy
from tests.faults.chaos_proxy import ChaosProxy
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.processes import ServiceProcess

REPLICAS = {"identity": 2, "team": 2, "authz": 2, "notification": 1, "audit": 1}
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
    "notification": {"webhook_networks": '["127.0.0.0/8"]'},
}
"""Limits that repeated requests do not reach."""
DRAIN_SECONDS = "1"


class FaultedProduct(Processes):
    """Two replicas of identity, team and authz; each process has a link of its own to the bus."""

    def __init__(self, folder: Path) -> None:
        options = {
            service: {"drain_seconds": DRAIN_SECONDS, **LIMITS.get(service, {})}
            for service in REPLICAS
        }
        super().__init__(folder, replicas=REPLICAS, options=options)
        self.buses: dict[str, BusProxy] = {}
        """Process → its link to the broker."""
        self.database_link = ChaosProxy(HOST, self.database.port)
        self.mail_link = ChaosProxy(HOST, self.smtp_port)

    async def open_links(self, stack: AsyncExitStack) -> None:
        """Open the proxies, which need this event loop."""
        for name in self.services:
            self.buses[name] = await stack.enter_async_context(BusProxy(HOST, self.broker.port))
        await stack.enter_async_context(self.database_link)
        await stack.enter_async_context(self.mail_link)

    def configure(self) -> None:
        """Put the proxies between the services and the servers."""
        super().configure()
        for name, process in self.services.items():
            ports = {
                self.broker.port: self.buses[name].port,
                self.database.port: self.database_link.port,
                self.smtp_port: self.mail_link.port,
            }
            process.variables = {
                variable: _through(ports, variable, value)
                for variable, value in process.variables.items()
            }

    async def unready(self, http: aiohttp.ClientSession) -> list[str]:
        """What is not ready: processes, and the links that they tell of."""
        found = []
        for name, process in self.services.items():
            try:
                told = await _readiness(http, process)
            except (aiohttp.ClientError, TimeoutError, OSError):
                found.append(name)
                continue
            checks = {**told.get("checks", {}), **told.get("informational", {})}
            found += [f"{name}: {check}" for check, holds in checks.items() if holds is False]
        return found


def _through(ports: dict[int, int], variable: str, value: str) -> str:
    """The address of a server with the port of its proxy."""
    if variable.endswith(("_AMQP_URL", "_MONGO_URL")):
        for port, proxied in ports.items():
            value = value.replace(f":{port}", f":{proxied}")
    elif variable.endswith("_SMTP_PORT"):
        value = str(ports[int(value)])
    return value


async def _readiness(http: aiohttp.ClientSession, process: ServiceProcess) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=2)
    async with http.get(f"{process.internal_url}/health/ready", timeout=timeout) as answer:
        told: dict[str, Any] = await answer.json()
        return told


async def seconds_until_ready(product: FaultedProduct, http: aiohttp.ClientSession) -> float:
    """Wait until every process and each of its links is well again."""
    clock = asyncio.get_running_loop()
    begun = clock.time()

    async def well() -> bool:
        unready = await product.unready(http)
        assert not unready, unready
        return True

    await wait_for(well, within=120, what="a product that is well")
    return clock.time() - begun


@asynccontextmanager
async def faulted_product(
    folder: Path, kind: type[FaultedProduct]
) -> AsyncIterator[FaultedProduct]:
    """The running product with its proxies."""
    product = kind(folder)
    async with AsyncExitStack() as stack:
        await product.open_links(stack)
        try:
            await asyncio.to_thread(product.start)
            yield product
        finally:
            await asyncio.to_thread(product.stop)
