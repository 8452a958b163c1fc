"""The console over a stand-in of the API, one for each module."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from rolecall.client.jwk import decode, encode
from services.console.app import build
from services.console.domain.sealing import Sealer
from services.console.settings import Settings
from shared.runtime.listeners import listen, url_of
from tests.services.console.browsing import ANSWERS, NOTE, Browser, StandIn

KEY = encode(bytes(range(32)))


def noted(
    path: str, said: Mapping[str, str], *, before: timedelta = timedelta(0)
) -> Mapping[str, str]:
    """The cookie that a press has set which has led to a page that says so."""
    content = {"path": path, "said": said}
    sealer, made = Sealer([decode(KEY)]), datetime.now(UTC) - before
    return {NOTE: sealer.seal(NOTE, content, now=made)}


@asynccontextmanager
async def console_at(public_url: str) -> AsyncIterator[tuple[StandIn, str]]:
    """The console over a stand-in of the API: both, with the address of the pages."""
    api = StandIn()
    runner = web.ServerRunner(web.Server(api.answer))
    await runner.setup()
    sock, public = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    api.url = url_of(sock)
    await web.SockSite(runner, sock).start()
    service = build(Settings(public_url=public_url, api_url=api.url, cookie_keys=(KEY,)))
    await service.start(internal=listen("127.0.0.1", 0), public=public)
    yield api, url_of(public)
    await service.stop()
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[tuple[StandIn, str]]:
    """The console at a name."""
    async with console_at("https://rolecall.example") as site:
        yield site


@pytest.fixture
def api(site: tuple[StandIn, str]) -> StandIn:
    api, _ = site
    api.answers = dict(ANSWERS)
    api.asked, api.queries, api.conditions, api.keys = [], [], [], []
    api.series, api.revisions, api.previewed = {}, {}, []
    api.silent_after, api.silent = "", False
    return api


@pytest_asyncio.fixture(loop_scope="module")
async def browser(site: tuple[StandIn, str], api: StandIn) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Browser(http, site[1])
