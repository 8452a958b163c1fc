"""The identity that the tests talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.identity.running import Identity, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def identity(mongo_url: str, database_name: str) -> AsyncIterator[Identity]:
    """An identity of its own for each test, with generous limits."""
    async with running(mongo_url, database_name) as ready:
        yield ready
