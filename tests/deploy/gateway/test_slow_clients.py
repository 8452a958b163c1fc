"""Senders that are slow on purpose: they cost a connection of nginx, and no service anything."""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.deploy.gateway.recorded import LARGE_BYTES, fronted

BEGUN = {
    "headers": b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nX-A: ",
    "a chunk's size": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a body": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nf",
}
GET = b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def readable():
    """A folder in which the unprivileged workers of nginx can keep an answer."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


async def dripped(reader, writer):
    """Send a byte every tenth of a second, until the other side ends the connection."""
    async with asyncio.timeout(15):
        while True:
            with suppress(TimeoutError):
                return await asyncio.wait_for(reader.read(65536), 0.1)
            with suppress(OSError):
                writer.write(b"a")


@pytest.mark.rule("T19")
async def test_headers_that_arrive_byte_by_byte_end_the_connection(tmp_path):
    async with (
        fronted(tmp_path, seconds=1) as front,
        front.connected() as (reader, writer),
    ):
        writer.write(BEGUN["headers"])
        await dripped(reader, writer)
        assert front.service.requests == []


@pytest.mark.rule("T19")
async def test_a_hundred_slow_senders_delay_no_other_one(tmp_path):
    async with fronted(tmp_path) as front, AsyncExitStack() as stack:
        for begun in BEGUN.values():
            for _ in range(33):
                _, writer = await stack.enter_async_context(front.connected())
                writer.write(begun)
        async with asyncio.timeout(5):
            for _ in range(10):
                answers = await front.answers(GET)
                assert [answer.status for answer in answers] == [200]
        assert [method for method, *_ in front.service.requests] == ["GET"] * 10


@pytest.mark.rule("T19")
async def test_a_slow_reader_does_not_keep_the_service_waiting(readable):
    """nginx takes the whole answer from the service, and gives it to the reader bit by bit."""
    async with (
        fronted(readable) as front,
        front.connected() as (reader, writer),
    ):
        writer.write(GET.replace(b"/v1/teams", b"/v1/teams/large"))
        async with asyncio.timeout(15):
            await front.service.sent_whole.wait()
        read = 0
        while part := await reader.read(1_000_000):
            read += len(part)
    assert read > LARGE_BYTES
