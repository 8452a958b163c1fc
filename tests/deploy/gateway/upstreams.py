"""Stand-ins for the services behind the gateway, and a name server."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import aiohttp
from aiohttp import web

from deploy.gateway.limits import USER_ZONE_SIZE
from deploy.gateway.nginx import configuration
from deploy.gateway.servers import ConsoleListener
from deploy.programs.nginx import Nginx, nginx_version
from deploy.programs.program import free_port
from tests.servers import require_nginx

HELD_SECONDS = 600
"""How long nginx waits for an answer: tests hold requests, and a busy machine takes long."""


@dataclass
class Upstream:
    """A server that answers with its name and the request; with `status=None` it stays silent."""

    name: str
    status: int | None = 200
    host: str = "127.0.0.1"
    port: int = 0
    reads: bool = True
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[web.BaseRequest] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    """The address and port of each connection that carried a request."""

    def __post_init__(self) -> None:
        self.may_answer.set()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        if request.transport is not None:
            self.connections.add(request.transport.get_extra_info("peername"))
        body = b""
        while self.reads and (part := await request.content.readany()):
            body += part
        await self.may_answer.wait()
        told = {
            "service": self.name,
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "length": len(body),
        }
        own = {"X-Own": self.name, "ETag": '"own"'}
        response = web.json_response(told, status=self.status or 500, headers=own)
        if not self.reads:
            response.force_close()
        return response

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Upstream"]:
        """Listen while the block runs; without a status, only choose a port."""
        if self.status is None:
            self.port = self.port or free_port()
            yield self
            return
        runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await runner.setup()
        listener = socket.create_server((self.host, self.port))
        self.port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        try:
            yield self
        finally:
            await runner.cleanup()


@asynccontextmanager
async def gateway(
    folder: Path,
    owners: Mapping[str, str],
    upstreams: Sequence[Upstream],
    *,
    names: Mapping[str, str] | None = None,
    resolver: str | None = None,
    static: Path | None = None,
    proxies: Sequence[str] = (),
    console: ConsoleListener | None = None,
    sender_seconds: int = 10,
    answer_seconds: int = HELD_SECONDS,
    user_zone_size: str = USER_ZONE_SIZE,
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of an nginx in front of these upstreams; upstreams of one name are replicas."""
    require_nginx()
    port = free_port()
    async with AsyncExitStack() as stack:
        for upstream in upstreams:
            await stack.enter_async_context(upstream.serving())
        addresses: dict[str, list[str]] = {}
        for upstream in upstreams:
            addresses.setdefault(upstream.name, []).append(upstream.address)
        text = configuration(
            owners,
            listen=f"127.0.0.1:{port}",
            static=str(static or folder),
            addresses=None if names else addresses,
            names=names,
            resolver=resolver,
            version=nginx_version(),
            proxies=proxies,
            console=console,
            head_seconds=sender_seconds,
            body_seconds=sender_seconds,
            answer_seconds=answer_seconds,
            user_zone_size=user_zone_size,
        )
        server = Nginx(folder / "nginx", text, port=port)
        await asyncio.to_thread(server.start)
        stack.callback(server.stop)
        connector = aiohttp.TCPConnector(limit=0)
        client = aiohttp.ClientSession(server.url, connector=connector)
        yield await stack.enter_async_context(client)


class NameServer(asyncio.DatagramProtocol):
    """A name server that answers every question with its current addresses."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    @property
    def address(self) -> str:
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer with an A record for each address (RFC 1035, 4.1), valid for one second."""
        question = data[12 : data.index(b"\0", 12) + 5]
        refused = 0 if self.addresses else 3
        counts = struct.pack("!HHHHH", 0x8180 | refused, 1, len(self.addresses), 0, 0)
        records = b"".join(
            struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
            for address in self.addresses
        )
        self._transport.sendto(data[:2] + counts + question + records, addr)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["NameServer"]:
        """Listen on a free port while the block runs."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        try:
            yield self
        finally:
            transport.close()
