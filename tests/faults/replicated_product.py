"""A running product with several replicas of authz and team, and a proxy on each of their links."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from tests.e2e.journey import World
from tests.e2e.processes import HOST, Processes, ServiceProcess
from tests.faults.bus_proxy import BusProxy
from tests.faults.chaos_proxy import ChaosProxy
from tests.faults.planted_services import DEFECTS

REPLICAS = {"authz": 3, "team": 2}
LEASE_SECONDS = 1.0
LIMITS = {
    "mails_per_address": "10000",
    "lease_seconds": f"{LEASE_SECONDS:.0f}",
    "requests_at_once": "1000",
}
"""Limits that the requests of a long run do not reach."""
OPTIONS = {
    "team": LIMITS | {"accounts_per_user": "1000", "invitations_per_account": "100000"},
    "identity": LIMITS | {"mails_per_ip": "100000"},
}
BUS, DATABASE = "bus", "database"
ADDRESSES = ("_AMQP_URL", "_INTERNAL_URLS", "_MONGO_URL")
"""The ends of the variables that have the addresses of callees."""
PORT = re.compile(r":(\d+)")


def name_of(process: ServiceProcess) -> str:
    """The name of a process, such as `authz-1`."""
    return f"{process.service}-{process.replica}"


class ReplicatedProduct(Processes):
    """Three replicas of authz and two of team, each with links of its own to what it calls."""

    def __init__(self, folder: Path, *, database_links: bool) -> None:
        """Prepare the processes; `open_links` adds the proxies, which need its event loop.

        Without `database_links` team reaches the database directly, which takes less time.
        """
        super().__init__(folder, replicas=REPLICAS, options=OPTIONS)
        self._database_links = database_links
        self.links: dict[str, dict[str, ChaosProxy]] = {}
        """Process → the name of a link, such as `bus` or `team-1` → its proxy."""

    @property
    def replicated(self) -> list[ServiceProcess]:
        """The processes whose links are proxied."""
        return [process for service in REPLICAS for process in self.replicas_of(service)]

    async def open_links(self, stack: AsyncExitStack) -> None:
        """Open a proxy for each link of a process."""
        for process in self.replicated:
            self.links[name_of(process)] = {
                name: await stack.enter_async_context(
                    BusProxy(HOST, port) if name == BUS else ChaosProxy(HOST, port)
                )
                for name, port in self._callees(process)
            }

    def buses(self) -> list[BusProxy]:
        """The link to the broker of each process."""
        found = [links[BUS] for links in self.links.values()]
        return [proxy for proxy in found if isinstance(proxy, BusProxy)]

    def link(self, process: ServiceProcess, name: str) -> ChaosProxy:
        """One link of a process."""
        return self.links[name_of(process)][name]

    def team_links(self, process: ServiceProcess) -> list[ChaosProxy]:
        """The links of a process to the replicas of team."""
        return [self.link(process, name_of(team)) for team in self.replicas_of("team")]

    def configure(self) -> None:
        """Put the proxies between the replicas and what they call."""
        super().configure()
        for process in self.replicated:
            proxies = self.links[name_of(process)]
            ports = {str(port): proxies[name].port for name, port in self._callees(process)}
            process.variables = {
                name: _through(ports, value) if name.endswith(ADDRESSES) else value
                for name, value in process.variables.items()
            }

    async def plant(self, defect: str | None) -> None:
        """Run with this defect, or without any; restart only what differs or does not run."""
        changed: list[ServiceProcess] = []
        planted = {} if defect is None else DEFECTS[defect]
        for process in (*self.replicated, *self.replicas_of("identity")):
            module = f"services.{process.service}"
            arguments: tuple[str, ...] = ()
            place = next((one for one in (name_of(process), process.service) if one in planted), "")
            if place:
                module = "tests.faults.planted_services"
                arguments = (str(defect), place)
            planned = (module, arguments)
            if not process.running or planned != (process.module, tuple(process.arguments)):
                process.module, process.arguments = module, arguments
                changed.append(process)
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in changed))
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in changed))

    def _callees(self, process: ServiceProcess) -> Iterator[tuple[str, int]]:
        """The links of a process: the name and port of each callee."""
        yield BUS, self.broker.port
        yield from ((name_of(each), each.internal_port) for each in self.replicas_of("identity"))
        if process.service == "team" and self._database_links:
            yield DATABASE, self.database.port
        if process.service == "authz":
            yield from ((name_of(each), each.internal_port) for each in self.replicas_of("team"))


@asynccontextmanager
async def running_product(
    folder: Path, *, database_links: bool
) -> AsyncIterator[tuple[ReplicatedProduct, World]]:
    """The product with its proxies and no defect, and a signed-in service of the platform."""
    product = ReplicatedProduct(folder, database_links=database_links)
    async with AsyncExitStack() as stack:
        await product.open_links(stack)
        try:
            await asyncio.to_thread(product.start)
            deployment = await asyncio.to_thread(product.deployment)
            http = await stack.enter_async_context(
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=30),
                    connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=5),
                )
            )
            world = World(deployment, http)
            await world.platform.sign_in(deployment.client_id, deployment.client_secret)
            yield product, world
        finally:
            await asyncio.to_thread(product.stop)


def _through(ports: Mapping[str, int], addresses: str) -> str:
    """The addresses with other ports."""
    return PORT.sub(lambda port: f":{ports.get(port[1], port[1])}", addresses)
