"""A service behind nginx that records every request that it reads, and raw senders."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from deploy.gateway.nginx import configuration
from deploy.gateway.tls import Tls
from deploy.programs.nginx import Nginx, nginx_version
from deploy.programs.program import free_port
from shared.runtime.listeners import Listener, listen
from tests.servers import require_nginx

OWNERS = {"/v1/teams": "team", "/v1/teams/{team_id}": "team", "/access/v1/evaluation": "team"}
LARGE_BYTES = 32_000_000
"""More than nginx and the kernel keep in memory for a sender who does not read."""


@dataclass(frozen=True)
class Answer:
    """What a sender read: one answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Recorder:
    """The service: it reads as every service does, with the listener of the product."""

    requests: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    sent_whole: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ids(self) -> list[str]:
        """The gateway's id of each request, as the service read it."""
        return [headers.get("rolecall-request-id", "") for _, _, headers, _ in self.requests]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.raw_path, headers, await request.read()))
        own = {
            "X-Seen-Id": headers.get("rolecall-request-id", "none"),
            "X-Seen-Number": str(len(self.requests)),
        }
        if request.raw_path != "/v1/teams/large":
            return web.json_response({"path": request.raw_path}, headers=own)
        response = web.StreamResponse(headers=own)
        await response.prepare(request)
        for _ in range(LARGE_BYTES // 1_000_000):
            await response.write(bytes(1_000_000))
        self.sent_whole.set()
        return response


@dataclass
class Front:
    """nginx in front of a recorder."""

    port: int
    service: Recorder
    trust: ssl.SSLContext | None = None
    plain_port: int = 0

    @asynccontextmanager
    async def connected(
        self, *, protocols: Sequence[str] = (), plain: bool = False
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection of its own."""
        port = self.plain_port if plain else self.port
        trust = None if plain else self.trust
        if trust is not None and protocols:
            trust.set_alpn_protocols(list(protocols))
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def answers(self, *parts: bytes, plain: bool = False) -> list[Answer]:
        """Send these bytes on one connection, and read every answer until it ends."""
        async with self.connected(plain=plain) as (reader, writer):
            with suppress(OSError):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
            return await read_answers(reader)


async def read_answers(reader: asyncio.StreamReader) -> list[Answer]:
    """Every answer until the connection ends.

    Raises:
        ValueError: the bytes are not a sequence of answers.
    """
    text = b""
    async with asyncio.timeout(20):
        with suppress(OSError):
            while part := await reader.read(65536):
                text += part
    found = []
    while text:
        head, blank, text = text.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
        if not status or not blank:
            raise ValueError(f"this is not an answer: {head[:200]!r}")
        lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
        headers = {name.lower(): value.strip() for name, _, value in lines}
        to_the_end = len(text) if headers.get("connection") == "close" else 0
        length = int(headers.get("content-length", to_the_end))
        found.append(Answer(int(status[1]), headers, text[:length]))
        text = text[length:]
    return found


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[Recorder, str]]:
    """A recorder that listens, and its address."""
    service = Recorder()
    app = web.Application(client_max_size=LARGE_BYTES)
    app.router.add_route("*", "/{path:.*}", service.answer)
    sock = listen("127.0.0.1", 0)
    listener = Listener(app, sock, drain=0.1)
    await listener.start()
    try:
        yield service, f"127.0.0.1:{sock.getsockname()[1]}"
    finally:
        await listener.stop()


@asynccontextmanager
async def fronted(
    folder: Path,
    *,
    seconds: int = 10,
    tls: Tls | None = None,
    trust: ssl.SSLContext | None = None,
    plain_port: int = 0,
) -> AsyncIterator[Front]:
    """An nginx with the product's configuration in front of a recorder."""
    require_nginx()
    async with recording() as (service, address):
        port = free_port()
        text = configuration(
            OWNERS,
            listen=f"127.0.0.1:{port}",
            static=str(folder),
            addresses={"team": [address]},
            version=nginx_version(),
            tls=tls,
            head_seconds=seconds,
            body_seconds=seconds,
        )
        server = Nginx(folder / "nginx", text, port=port)
        try:
            await asyncio.to_thread(server.start)
            yield Front(port, service, trust, plain_port)
        finally:
            await asyncio.to_thread(server.stop)
