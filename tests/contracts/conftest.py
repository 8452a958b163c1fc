"""The running product and the users of the contract tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.contracts.asking import Asking
from tests.contracts.people import People, gather
from tests.contracts.running import KnownKey
from tests.forking import BetweenUnits
from tests.support.sessions import http_session

PRODUCT = pytest.StashKey[KnownKey]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the product after the last of these tests in a worker: it works even when idle."""
    yield
    if isinstance(nextitem, BetweenUnits) and PRODUCT in item.session.stash:
        item.session.stash[PRODUCT].stop()


@pytest.fixture(scope="session")
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KnownKey]:
    product = KnownKey(tmp_path_factory.mktemp("contracts"))
    request.session.stash[PRODUCT] = product
    try:
        product.start()
        yield product
    finally:
        product.stop()


@pytest.fixture(scope="session")
def gathered(product: KnownKey) -> People:
    return asyncio.run(gather(product.deployment()))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    # Thousands of requests may wait for a connection: only the wait for an answer has an end.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=60)
    async with http_session(timeout=timeout, limit=8) as http:
        yield http


@pytest.fixture
async def people(gathered: People, http: aiohttp.ClientSession) -> People:
    await gathered.come_back(http)
    return gathered


@pytest.fixture
async def asking(
    product: KnownKey, people: People, http: aiohttp.ClientSession
) -> AsyncIterator[Asking]:
    """Asks for the test; afterwards the product is still there and its log has no fault."""
    product.new_faults()
    yield Asking(http, people)
    assert product.running
    assert product.answers()
    assert not product.new_faults()
