"""Listeners: an application on a socket, and a stop that lets running requests end."""

import asyncio
import socket

from aiohttp import http_parser, web
from aiohttp.typedefs import Handler, Middleware

from shared.runtime.connections import Connection, MakeConnection, Runner

BACKLOG = 1024
DRAIN_SECONDS = 10.0
HEAD_SECONDS = 10.0
"""How long a connection may go without the complete head of a request (`T19`).

It is also how long a connection stays open between two requests: clients that keep connections
close them earlier.
"""
LINGER_SECONDS = 2.0
"""How long the rest of a refused body is read, so that the sender sees the answer."""
MAX_HEADER_BYTES = 16_384
LAST_REQUEST_SECONDS = 0.5
"""How long a request may take to arrive on a connection that was made just before the end."""
LOOK_SECONDS = 0.01
"""The pause between two looks at the open connections."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Bind a socket to this address; port 0 takes a free port.

    If it is `shared`, other processes of the same user may bind one to it as well. The kernel then
    distributes new connections among them.

    Raises:
        OSError: the address is in use, or is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    sock.settimeout(0)
    return sock


def url_of(sock: socket.socket) -> str:
    """The address of a bound socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def require_c_parser() -> None:
    """Refuse to serve with aiohttp's fallback parser, which permits request smuggling (`T17`).

    Raises:
        RuntimeError: the C parser is not loaded.
    """
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise RuntimeError("aiohttp's C parser is not loaded; install a wheel that has it")


class Listener:
    """One application on one socket."""

    def __init__(
        self,
        app: web.Application,
        sock: socket.socket,
        *,
        drain: float = DRAIN_SECONDS,
        head_seconds: float = HEAD_SECONDS,
        make_connection: MakeConnection = Connection,
    ) -> None:
        """`drain` is how long running requests may go on after `stop`, in seconds."""
        require_c_parser()
        self._sock = sock
        self._url = url_of(sock)
        self._site: web.SockSite | None = None
        app.middlewares.insert(0, self._closing())
        self._runner = Runner(
            app,
            make_connection,
            access_log=None,
            handle_signals=False,
            # A body that grows when it is decompressed would pass each cap.
            auto_decompress=False,
            keepalive_timeout=head_seconds,
            lingering_time=LINGER_SECONDS,
            shutdown_timeout=drain,
            # Above the cap of a token: a longer one gets our own refusal.
            max_field_size=MAX_HEADER_BYTES,
        )

    @property
    def url(self) -> str:
        """The address at which it answers, or did before its end."""
        return self._url

    async def start(self) -> None:
        """Accept connections.

        Raises:
            OSError: another process listens at the address.
        """
        await self._runner.setup()
        self._site = web.SockSite(self._runner, self._sock, backlog=BACKLOG)
        await self._site.start()

    def drain(self) -> None:
        """Answer as before, and close each connection after its next answer."""
        self._runner.draining = True

    async def stop(self) -> None:
        """Stop accepting, let running requests end, then close.

        After `drain` a request that is on its way to an open connection is answered, too.
        """
        if self._runner.draining and self._site is not None:
            await self._site.stop()
            await self._until_unconnected()
        await self._runner.cleanup()
        self._sock.close()

    async def _until_unconnected(self) -> None:
        clock = asyncio.get_running_loop()
        deadline = clock.time() + LAST_REQUEST_SECONDS
        while (server := self._runner.server) is not None and server.connections:
            if clock.time() > deadline:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _closing(self) -> Middleware:
        """The middleware that closes connections during the drain."""

        @web.middleware
        async def close_if_draining(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if self._runner.draining:
                response.force_close()
            return response

        return close_if_draining
