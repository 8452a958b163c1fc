"""The sample service, running."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from shared.http.api import Api
from shared.http.mounting import mount
from shared.http.proxies import Proxies, ProxyHeader
from shared.runtime.listeners import HEAD_SECONDS, Listener, listen
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.shared.http.sample import INTERNAL_ROUTES, Site, World, authenticator, team


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def serve(world: World) -> AsyncIterator[Callable[..., Any]]:
    """Start an application over some APIs; it ends with the test."""
    async with AsyncExitStack() as stack:

        async def start(
            *apis: Api,
            proxies: tuple[str, ...] = (),
            proxy_header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR,
            request_seconds: float = DEFAULT_TIMEOUTS.request,
            head_seconds: float = HEAD_SECONDS,
            between_services: bool = False,
        ) -> Site:
            app = web.Application()
            mount(
                app,
                *apis,
                proxies=Proxies([ip_network(text) for text in proxies], proxy_header),
                request_seconds=request_seconds,
                between_services=between_services,
            )
            sock = listen("127.0.0.1", 0)
            listener = Listener(app, sock, drain=0.1, head_seconds=head_seconds)
            await listener.start()
            stack.push_async_callback(listener.stop)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return Site(listener.url, session, world)

        yield start


@pytest.fixture
async def site(serve: Callable[..., Any], world: World) -> Site:
    """The small service, public and internal routes on one address."""
    internal = Api("team-internal", INTERNAL_ROUTES, world, authenticator=authenticator())
    started: Site = await serve(team(world), internal)
    return started
