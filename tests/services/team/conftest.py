"""Which team do the tests talk to?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.team.running import Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def team(mongo_url: str, database_name: str) -> AsyncIterator[Team]:
    """A team of its own for each test, with generous limits."""
    async with running(mongo_url, database_name) as ready:
        yield ready
