"""One event loop for the tests of a module, which may share a running service.

Every refusal of a service is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run a test in the event loop of its module."""
    if item.get_closest_marker("asyncio") is not None:
        item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest.fixture(autouse=True)
def _every_refusal_stands_in_its_row(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A refusal that its route does not list would be missing in the documents."""
    yield
    unlisted = [one for one in caplog.get_records("call") if "not in its row" in one.message]
    assert [vars(one).get("problem") for one in unlisted] == []
