"""A pytest plugin that measures coverage only where it can find something new.

Measuring doubles the time of all code that runs meanwhile, also of code that is not ours.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

PROCESSES = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage measures the Python processes that tests start."""


@contextmanager
def not_measuring() -> Iterator[None]:
    """Measure no coverage in this process."""
    measuring: list[Coverage] = []
    # A worker measures twice: as a process that a measured one has started, and for pytest.
    while (newest := Coverage.current()) is not None:
        newest.stop()
        measuring.append(newest)
    try:
        yield
    finally:
        for each in reversed(measuring):
            each.start()


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Measure nothing, here and in new processes: long tests repeat what others measure."""
    processes = os.environ.pop(PROCESSES, None)
    with not_measuring():
        yield
    if processes is not None:
        os.environ[PROCESSES] = processes


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Measure the imports of a module, but not how pytest finds its tests."""
    if not isinstance(collector, pytest.Module):
        return (yield)
    with suppress(BaseException):  # pytest imports it again, and reports what is wrong
        _ = collector.obj
    with not_measuring():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems() -> Generator[None]:
    """Measure nothing while plugins order the tests."""
    with not_measuring():
        return (yield)
