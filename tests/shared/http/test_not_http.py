"""What is not HTTP gets a problem document that repeats nothing and names no version (T17)."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from tests.shared.http.sample import Site

SENT = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03secret\r\n\r\n",
    "no method": b"secret\r\n\r\n",
    "a NUL": b"GET /v1/open HTTP/1.1\r\nHost: a\r\nX: secret\x00b\r\n\r\n",
    "line feeds only": b"GET /v1/open HTTP/1.1\nHost: secret\n\n",
    "two lengths": b"POST /v1/open HTTP/1.1\r\nHost: secret\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nxx",
    "a long header": b"GET /v1/open HTTP/1.1\r\nHost: a\r\nX: secret" + b"x" * 20_000 + b"\r\n\r\n",
    "a long line": b"GET /secret" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "no host": b"GET /v1/secret HTTP/1.1\r\n\r\n",
}


async def answer_to(site: Site, sent: bytes) -> tuple[bytes, bytes]:
    """Send these bytes; return the head and the body of the answer."""
    address = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    async with asyncio.timeout(30):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head, body


@pytest.mark.rule("T17")
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT.keys())
async def test_what_is_not_http_is_a_problem_that_repeats_nothing(site: Site, sent):
    head, body = await answer_to(site, sent)
    assert head.startswith(b"HTTP/1.0 400 "), head
    assert b"Content-Type: application/problem+json" in head
    assert b"Server: rolecall" in head
    assert b"aiohttp" not in head
    assert b"secret" not in head + body
    problem = json.loads(body)
    assert problem["code"] == "bad-request"
    assert problem["request_id"].encode() in head


async def test_no_answer_names_the_version_of_the_server(site: Site):
    for path in ("/v1/open", "/nothing", "/openapi.json"):
        async with site.ask("GET", path) as answer:
            assert answer.headers["Server"] == "rolecall"
