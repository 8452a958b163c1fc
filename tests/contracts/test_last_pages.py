"""Every list of the API ends with its last row: a page that shows it has no cursor."""

from typing import Any

import pytest

from shared.http.routes import Route
from tests.contracts.people import People
from tests.contracts.rows import READS, path_of

LISTS = tuple(
    row for row in READS if row.gives is not None and "next_cursor" in row.gives.model_fields
)
FILTERS = {"listAuditEvents": "&action=project.created"}
"""What keeps a list from growing because it is read."""
ROUNDS = 20
"""How often a list is read while others still change it."""
FEW = {"listNotifications"}
"""Lists of the caller's own things, of which the owner gets more than a page by other tests."""


async def page_of(people: People, row: Route, query: str) -> tuple[list[Any], str | None]:
    """The rows of a page, and its cursor."""
    path = f"{path_of(row, people.team.ids)}?{query}{FILTERS.get(row.operation_id, '')}"
    reader = people.plain if row.operation_id in FEW else people.team.owner
    page = await reader.get(path)
    return page["items"], page["next_cursor"]


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.operation_id)
async def test_a_page_with_the_last_row_has_no_cursor(people: People, row: Route):
    for _ in range(ROUNDS):
        rows, cursor = await page_of(people, row, "limit=50")
        exactly = await page_of(people, row, f"limit={len(rows) or 1}")
        shown, last = await one_by_one(people, row)
        if await page_of(people, row, "limit=50") == (rows, cursor):
            break  # nothing that was recorded late came in between
    assert rows
    assert cursor is None
    assert exactly == (rows, None)
    assert len(last) == 1
    assert shown == rows


async def one_by_one(people: People, row: Route) -> tuple[list[Any], list[Any]]:
    """All rows by pages of one, and the last page."""
    shown: list[Any] = []
    query = "limit=1"
    while True:
        page, cursor = await page_of(people, row, query)
        shown += page
        if cursor is None:
            return shown, page
        query = f"limit=1&cursor={cursor}"
