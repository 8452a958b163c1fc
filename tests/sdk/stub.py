"""An HTTP server for tests of clients: it answers what a test says and keeps what it was sent."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

StubAnswer = tuple[int, dict[str, str], bytes]


class StubServer(ThreadingHTTPServer):
    """`answer` is the answer to every request, or computes it from path and body."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http{'s' if tls else ''}://localhost:{self.server_port}"
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: StubAnswer | Callable[[str, bytes], StubAnswer] = (404, {}, b"")
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A client that does not trust the certificate leaves in the middle."""


class _Handler(BaseHTTPRequestHandler):
    server: StubServer

    def do_POST(self) -> None:
        self._reply(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_GET(self) -> None:
        self._reply(b"")

    def do_DELETE(self) -> None:
        self._reply(b"")

    def do_CONNECT(self) -> None:
        self.server.asked.append((self.path, dict(self.headers), b""))
        self.send_error(502)

    def _reply(self, sent: bytes) -> None:
        self.server.asked.append((self.path, dict(self.headers), sent))
        answer = self.server.answer
        status, headers, body = answer if isinstance(answer, tuple) else answer(self.path, sent)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at what was asked."""


@contextmanager
def stub_server(tls: ssl.SSLContext | None = None) -> Iterator[StubServer]:
    """A running stub server."""
    server = StubServer(tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
