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
    rows, cursor = await page_of(people, row, "limit=50")
    assert rows
    assert cursor is None
    exactly = await page_of(people, row, f"limit={len(rows)}")
    assert exactly == (rows, None)
    shown: list[Any] = []
    query = "limit=1"
    while True:
        page, cursor = await page_of(people, row, query)
        shown += page
        if cursor is None:
            break
        query = f"limit=1&cursor={cursor}"
    assert len(page) == 1
    assert shown == rows
