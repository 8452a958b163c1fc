"""Tests of streamed answers: they end with their reader, and a reader that does not read is cut."""

import asyncio
import socket

import pytest

from shared.auth.authenticator import Authenticator
from shared.http.access import Public
from shared.http.api import Api
from shared.http.routes import Call, Reply, Route
from shared.http.streams import EVENT_STREAM, Stream
from shared.runtime.listeners import listen
from shared.runtime.service import ServiceApp
from tests.waiting import wait_for

PIECE = b"data: " + b"x" * 65_536 + b"\n\n"


class Endless:
    """Pieces without an end, which tell when they are closed."""

    def __init__(self) -> None:
        self.pieces = 0
        self.closed = 0
        self.quiet = False
        """Whether nothing comes after the first piece."""

    async def __call__(self):
        try:
            while True:
                self.pieces += 1
                yield PIECE
                await asyncio.sleep(3600 if self.quiet else 0)
        finally:
            self.closed += 1


@pytest.fixture
async def endless():
    """A service with a stream at `/stream`, and its address."""
    source = Endless()

    async def handler(ctx: object, call: Call[None, None]) -> Reply:
        return Reply(body=Stream(pieces=source(), stall_seconds=0.3))

    route = Route(
        method="GET",
        path="/stream",
        handler=handler,
        operation_id="stream",
        summary="A stream",
        tag="decisions",
        access=Public(),
        streams=(EVENT_STREAM,),
    )
    service = ServiceApp(
        "sample",
        public=Api("sample", (route,), None, authenticator=Authenticator()),
        internal=Api("sample", (), None),
    )
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    yield source, int(service.addresses["public"].rpartition(":")[2])
    await service.stop()


def request(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port))
    opened.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    opened.settimeout(0)
    return opened


async def test_a_reader_that_does_not_read_is_cut_off(endless):
    source, port = endless
    with request(port):
        await wait_for(lambda: source.closed, what="the end of the stream")
    assert source.pieces < 1000, "what is written ahead is bounded"


async def test_a_stream_ends_with_its_connection(endless):
    source, port = endless
    with request(port) as opened:
        loop = asyncio.get_running_loop()
        head = await loop.sock_recv(opened, 65_536)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"text/event-stream" in head
    await wait_for(lambda: source.closed, what="the end of the stream")


async def test_a_quiet_stream_ends_with_its_connection_too(endless):
    source, port = endless
    source.quiet = True
    with request(port) as opened:
        assert await asyncio.get_running_loop().sock_recv(opened, 65_536)
    await wait_for(lambda: source.closed, what="the end of the stream")
