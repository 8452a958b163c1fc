"""The running team of the tests, and a check of every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.team.running import Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
async def team(mongo_url: str, database_name: str) -> AsyncIterator[Team]:
    """A team of its own for each test, with generous limits."""
    async with running(mongo_url, database_name) as ready:
        yield ready


@pytest.fixture(autouse=True)
def _every_refusal_stands_in_its_row(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A refusal that its route does not list would be missing in the documents."""
    yield
    unlisted = [one for one in caplog.get_records("call") if "not in its row" in one.message]
    assert [vars(one).get("problem") for one in unlisted] == []
