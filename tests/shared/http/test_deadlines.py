"""A request that takes too long is ended: its head, its body, and its answer (T19)."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import pytest

from shared.http.access import Public
from shared.http.api import Api
from shared.http.bodies import BODY_SECONDS
from shared.http.client import KEEP_ALIVE_SECONDS
from shared.runtime.listeners import HEAD_SECONDS
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.shared.http.sample import row, team

FAST = b"GET /v1/open HTTP/1.1\r\nHost: a\r\n\r\n"
HEADS = {
    "nothing": b"",
    "half a head": b"GET /v1/open HTTP/1.1\r\nHost: a\r\n",
    "a request, then half a head": FAST + b"GET /v1/open HTTP/1.1\r\nHos",
}


def test_the_deadlines_of_production():
    assert (HEAD_SECONDS, BODY_SECONDS, DEFAULT_TIMEOUTS.request) == (10, 15, 30)
    assert KEEP_ALIVE_SECONDS < HEAD_SECONDS


@pytest.mark.rule("T19")
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
async def test_a_connection_with_a_slow_head_is_closed(serve, world, head):
    site = await serve(team(world), head_seconds=0.2)
    address = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head)
    async with asyncio.timeout(30):
        answers = await reader.read()
    writer.close()
    assert answers.count(b"HTTP/1.1 200 ") == head.count(FAST)


@pytest.mark.rule("T19")
async def test_a_head_that_drips_is_cut_all_the_same(serve, world):
    site = await serve(team(world), head_seconds=0.3)
    address = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)

    async def drip():
        writer.write(b"GET /v1/open HTTP/1.1\r\nHost: a\r\nX: ")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionResetError):  # a drip came after the connection's end
            assert await reader.read() == b""
    dripping.cancel()
    writer.close()


@pytest.mark.rule("T19")
async def test_a_request_that_is_not_answered_in_time_is_a_503(serve, world):
    ended = []

    async def forever(ctx, call):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(call)

    slow = Api("slow", [row("POST", "/v1/slow", Public(), handler=forever)], None)
    site = await serve(slow, team(world), request_seconds=0.2)
    async with asyncio.timeout(30), site.ask("POST", "/v1/slow") as answer:
        assert answer.status == 503
        assert (await answer.json())["code"] == "deadline-exceeded"
        assert answer.headers["Retry-After"] == "1"
    assert ended
    async with site.ask("GET", "/v1/open") as answer:
        assert answer.status == 200


async def test_a_timeout_inside_a_handler_is_not_the_deadline(serve, world):
    world.raises = TimeoutError("of a handler")
    site = await serve(team(world))
    async with site.ask("GET", "/v1/open") as answer:
        assert (answer.status, (await answer.json())["code"]) == (500, "internal-error")
