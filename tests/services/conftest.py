"""One event loop for the tests of a module, so that they may share a running service."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run a test in the event loop of its module."""
    if item.get_closest_marker("asyncio") is not None:
        item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)
