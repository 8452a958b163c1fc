"""Traefik and Envoy as child processes, in front of a service that records what it reads."""

import asyncio
import socket
import ssl
import sysconfig
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import ClassVar

import aiohttp

from deploy.gateway.other_files import OtherGateway, other_files
from deploy.gateway.paths import path_owners, public_routes
from deploy.gateway.rules import READ_SECONDS, gateway_rules
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import Tls
from deploy.programs.program import Program, free_port, listens
from tests.deploy.gateway.recorded import OWNERS, Front, recording
from tests.deploy.gateway.upstreams import Upstream


class PackagedGateway(Program):
    """A gateway from a package of Python, with its configuration in files of its folder."""

    arguments: ClassVar[Sequence[str]]

    def __init__(
        self, folder: Path, files: Mapping[str, str], *, port: int, encrypted: bool = False
    ) -> None:
        super().__init__(folder, port=port)
        self.files, self.encrypted = files, encrypted

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Traefik listens before it has read its routes."""
        if not listens(self.port):
            return False
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        with (
            suppress(OSError),
            socket.create_connection((HOST, self.port), timeout=5) as plain,
            trust.wrap_socket(plain) if self.encrypted else plain as probe,
        ):
            probe.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return b" 302 " in probe.recv(64)
        return False

    def command(self) -> Sequence[str]:
        for name, text in self.files.items():
            (self.folder / name).write_text(text)
        program = Path(sysconfig.get_path("scripts"), self.name)
        return [str(program), *self.arguments]


class Traefik(PackagedGateway):
    name = "traefik"
    arguments = ("--configfile=traefik.yaml",)


class Envoy(PackagedGateway):
    name = "envoy"
    arguments = ("-c", "envoy.json", "--disable-hot-restart", "--log-level", "warn")


HOST, LOOPBACK = "127.0.0.1", ("127.0.0.0/8",)
GATEWAYS = {"traefik": Traefik, "envoy": Envoy}


@asynccontextmanager
async def running(server: PackagedGateway) -> AsyncIterator[PackagedGateway]:
    """The gateway while the block runs."""
    try:
        await asyncio.to_thread(server.start)
        yield server
    finally:
        await asyncio.to_thread(server.kill)  # they would wait for their balancer


@asynccontextmanager
async def fronted(
    kind: str,
    folder: Path,
    *,
    owners: Mapping[str, str] = OWNERS,
    seconds: int = READ_SECONDS,
    tls: Tls | None = None,
    trust: ssl.SSLContext | None = None,
    plain_port: int = 0,
    proxies: Sequence[str] = (),
) -> AsyncIterator[Front]:
    """A gateway with the product's rules in front of a recorder."""
    async with recording() as (service, address):
        port, own = free_port(), folder / kind
        own.mkdir()
        upstreams = {name: [address] for name in {"identity", *owners.values()}}
        files = other_files(
            OtherGateway(kind),
            gateway_rules(owners, upstreams),
            folder=str(own),
            listen=f"127.0.0.1:{port}",
            upstreams=upstreams,
            tls=tls,
            proxies=proxies,
            read_seconds=seconds,
        )
        server = GATEWAYS[kind](own, files, port=port, encrypted=tls is not None)
        async with running(server):
            yield Front(port, service, trust, plain_port)


@asynccontextmanager
async def before(
    kind: str,
    folder: Path,
    upstreams: Sequence[Upstream],
    *,
    proxies: Sequence[str] = (),
    inside: int = 0,
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway with every path of the product; upstreams of one name are replicas."""
    async with AsyncExitStack() as stack:
        addresses: dict[str, list[str]] = {}
        for upstream in upstreams:
            await stack.enter_async_context(upstream.serving())
            addresses.setdefault(upstream.name, []).append(upstream.address)
        port, own = free_port(), folder / kind
        own.mkdir()
        files = other_files(
            OtherGateway(kind),
            gateway_rules(path_owners(public_routes()), addresses),
            folder=str(own),
            listen=f"127.0.0.1:{port}",
            console=ConsoleListener(listen=f"127.0.0.1:{inside or free_port()}", trusted=LOOPBACK),
            upstreams=addresses,
            proxies=proxies,
            read_seconds=2,
        )
        server = await stack.enter_async_context(running(GATEWAYS[kind](own, files, port=port)))
        connector = aiohttp.TCPConnector(limit=0)
        client = aiohttp.ClientSession(server.url, connector=connector)
        yield await stack.enter_async_context(client)
