"""The running team of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from shared.ids import new_id
from tests.services.team.running import Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """One team for the tests of a module, with generous limits."""
    async with running(mongo_url, new_id("test")) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def team(shared_team: Team) -> Team:
    """The team of the module; what it has told before is not the test's."""
    return await shared_team.for_one_test()


@pytest_asyncio.fixture(loop_scope="module")
async def own_team(mongo_url: str, database_name: str) -> AsyncIterator[Team]:
    """A team of its own for each test, with generous limits."""
    async with running(mongo_url, database_name) as ready:
        yield ready
