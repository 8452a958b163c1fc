"""A webhook whose name leads elsewhere at its next delivery (T26)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from deploy.programs.program import free_port
from services.notification.domain.deliveries import RETRY_PAUSES_SECONDS
from shared.contracts import team
from tests.services.notification.hooks import running_hooks
from tests.services.notification.samples import MEMBER
from tests.shared.http.test_outbound import Resolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"
"""Only the first one may be asked in these tests, as if it were of the internet."""


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[list[str]]:
    """Servers at both addresses; the addresses at which a connection arrived."""
    reached: list[str] = []

    def serve(address: str) -> Callable[..., Awaitable[None]]:
        async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reached.append(address)
            writer.close()

        return take

    servers = [await asyncio.start_server(serve(host), host, port) for host in (OUTSIDE, INSIDE)]
    try:
        yield reached
    finally:
        for server in servers:
            server.close()


@pytest.mark.rule("T26")
async def test_each_delivery_goes_to_the_address_that_was_checked(
    mongo_url: str, database_name: str
) -> None:
    port, name = free_port(), "rebound.example"
    networks = (ip_network(f"{OUTSIDE}/32"),)
    names = Resolver(OUTSIDE, INSIDE)
    async with (
        listening(port) as reached,
        running_hooks(mongo_url, database_name, names=names, webhook_networks=networks) as hooks,
    ):
        body = {"url": f"https://{name}:{port}/hook", "event_types": ["member.removed"]}
        webhook = (await hooks.ask("POST", body=body)).expect(201)
        await hooks.happen(team.MemberRemoved(**MEMBER))
        (delivery,) = await hooks.settled(webhook)
        assert (reached, len(delivery["attempts"])) == ([OUTSIDE], 1)

        hooks.clock.move(RETRY_PAUSES_SECONDS[0] * 1.2)
        (delivery,) = await hooks.settled(webhook)

    assert (reached, len(delivery["attempts"])) == ([OUTSIDE], 2)
    assert delivery["status"] == "pending"
