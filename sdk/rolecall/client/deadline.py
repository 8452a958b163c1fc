"""HTTP connections of the standard library under one deadline.

The timeout of a socket bounds each operation. A server that sends a byte a second would hold a
request for as long as it likes.
"""

import io
import socket
import ssl
import time
import urllib.request
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any


class Deadline:
    """The moment at which a request has failed."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """The seconds that are left, more than zero.

        Raises:
            TimeoutError: none are left.
        """
        seconds = self._at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds


class HttpHandler(urllib.request.HTTPHandler):
    """Opens plain connections whose every step has the time that is left."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        """Send the request."""
        return self.do_open(partial(_under, HTTPConnection, self._deadline), req)


class HttpsHandler(urllib.request.HTTPSHandler):
    """Opens TLS connections whose every step has the time that is left."""

    def __init__(self, deadline: Deadline, context: ssl.SSLContext) -> None:
        super().__init__()
        self._deadline = deadline
        self._tls = context

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        """Send the request."""
        make = partial(_under, HTTPSConnection, self._deadline, context=self._tls)
        return self.do_open(make, req)


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: Deadline, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock, deadline))


class _Reader(io.RawIOBase):
    """Reads from a socket until the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _under(
    connection_class: type[HTTPConnection], deadline: Deadline, host: str, **options: Any
) -> HTTPConnection:
    connection = connection_class(host, **options)
    connection.response_class = partial(_Response, deadline=deadline)  # type: ignore[assignment]
    # The hook of the standard library between connecting and the TLS handshake.
    connection._create_connection = partial(_connect, deadline)  # type: ignore[attr-defined]  # noqa: SLF001
    return connection


def _connect(deadline: Deadline, address: tuple[str, int], *_: object) -> socket.socket:
    """Connect to the first address of the name that answers; the TLS handshake has what is left."""
    failure: OSError = OSError(f"{address[0]} has no address")
    for family, kind, protocol, _name, target in socket.getaddrinfo(
        *address, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.remaining())
            sock.connect(target)
            sock.settimeout(deadline.remaining())
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure
