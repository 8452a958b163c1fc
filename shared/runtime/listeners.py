"""On which address does an application answer, and how does it stop without dropping anyone?"""

import socket

from aiohttp import http_parser, web

BACKLOG = 1024
DRAIN_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75.0
# How long the rest of an unwanted body is read, so that the sender sees our answer.
LINGER_SECONDS = 2.0
MOST_HEADER_BYTES = 16_384


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this address; port 0 takes a free one.

    Raises:
        OSError: the address is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
    """Refuse to serve with aiohttp's fallback parser, which forgives what smugglers send (`T17`).

    Raises:
        RuntimeError: the C parser is not loaded.
    """
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise RuntimeError("aiohttp's C parser is not loaded; install a wheel that has it")


class Listener:
    """One application on one socket."""

    def __init__(
        self, app: web.Application, sock: socket.socket, *, drain: float = DRAIN_SECONDS
    ) -> None:
        """`drain` is how long running requests may go on after `stop`, in seconds."""
        require_c_parser()
        self._sock = sock
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            # A body that grows by being unpacked would pass every cap.
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            shutdown_timeout=drain,
            # Above the cap of a token, so that one beyond it meets our own refusal.
            max_field_size=MOST_HEADER_BYTES,
        )

    @property
    def url(self) -> str:
        """Where it answers."""
        return url_of(self._sock)

    async def start(self) -> None:
        """Accept connections."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._sock, backlog=BACKLOG).start()

    async def stop(self) -> None:
        """Accept no more, let running requests end, then close."""
        await self._runner.cleanup()
        self._sock.close()
