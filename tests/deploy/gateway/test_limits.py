"""The limits of the gateway: slow senders, its version, and replicas that come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from deploy.gateway.nginx import configuration
from tests.deploy.gateway.upstreams import Upstream, gateway
from tests.waiting import wait_for

OWNERS = {"/v1/teams": "team", "/access/v1/evaluation": "authz"}
BEGUN = {
    "headers": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\n",
    "a body": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst",
}


@asynccontextmanager
async def connected(
    client: aiohttp.ClientSession,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    assert client._base_url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN.keys())
async def test_a_sender_that_stops_halfway_is_disconnected(tmp_path, begun):
    team = Upstream("team")
    async with (
        gateway(tmp_path, OWNERS, [team, Upstream("authz")], sender_seconds=1) as client,
        connected(client) as (reader, writer),
        asyncio.timeout(10),
    ):
        writer.write(begun)
        await reader.read()
    assert not team.requests


def test_a_sender_has_ten_seconds_by_default():
    text = configuration(OWNERS, listen="8080", static="/tmp", addresses={})
    assert "client_header_timeout 10s;" in text
    assert "client_body_timeout 10s;" in text


@pytest.mark.parametrize("path", ["/v1/teams", "/nothing", "/%"])
async def test_the_gateway_does_not_show_its_version(tmp_path, path):
    async with (
        gateway(tmp_path, OWNERS, [Upstream("team"), Upstream("authz")]) as client,
        connected(client) as (reader, writer),
    ):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode("latin-1")
    assert "\r\nServer: nginx\r\n" in answer
    assert "nginx/" not in answer


async def test_a_replica_that_comes_back_is_asked_at_once(tmp_path):
    away, team = Upstream("team", status=None), Upstream("team")
    async with gateway(tmp_path, OWNERS, [away, team, Upstream("authz")]) as client:

        async def ask() -> None:
            async with client.get("/v1/teams") as response:
                assert response.status == 200

        for _ in range(10):
            await ask()
        back = Upstream("team", port=away.port)
        async with back.serving():

            async def asked() -> bool:
                await ask()
                return bool(back.requests)

            # A replica that counts as failed is passed over for ten seconds.
            await wait_for(asked, within=3, what="a request at the replica that came back")
