"""The identity that the tests talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from shared.ids import new_id
from tests.services.identity.running import Identity, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_identity(mongo_url: str) -> AsyncIterator[Identity]:
    """One identity for the tests of a module, with generous limits."""
    async with running(mongo_url, new_id("test")) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def identity(shared_identity: Identity) -> Identity:
    """The identity of the module, as if it had just begun."""
    return await shared_identity.for_one_test()
