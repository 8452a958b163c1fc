"""A pytest plugin that prints the tables of the long tests and the ten slowest files of a run."""

from __future__ import annotations

import os
from collections import defaultdict
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE_PROPERTY = "table"
TABLES_VARIABLE = "ROLECALL_TEST_TABLES"
"""The folder that every table is also written to, one file a test; `make soak` sets it."""
SLOWEST_FILES = 10
FEWEST_FILES = 5
"""A run of fewer files is a developer's own: it gets no list."""


@pytest.fixture
def report(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Callable[[str], None]:
    """A function that takes a table as text and shows it at the end of the run."""

    def add_table(table: str) -> None:
        record_property(TABLE_PROPERTY, table)
        if folder := os.environ.get(TABLES_VARIABLE):
            Path(folder).mkdir(parents=True, exist_ok=True)
            name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
            (Path(folder) / f"{name}.txt").write_text(f"{table}\n")

    return add_table


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables, then the slowest files, summed over all workers of the run."""
    reports = list(_reports(terminalreporter))
    for report in reports:
        for name, table in report.user_properties if report.when == "call" else ():
            if name == TABLE_PROPERTY:
                terminalreporter.section(report.nodeid.partition("::")[2])
                terminalreporter.write_line(table)
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        seconds[report.nodeid.partition("::")[0]] += report.duration
    if len(seconds) >= FEWEST_FILES:
        terminalreporter.section(f"the slowest of {len(seconds)} files")
        for file, took in sorted(seconds.items(), key=itemgetter(1), reverse=True)[:SLOWEST_FILES]:
            terminalreporter.write_line(f"{took:7.1f} s  {file}")


def _reports(terminalreporter: Any) -> Iterator[pytest.TestReport]:
    for of_one_outcome in terminalreporter.stats.values():
        for report in of_one_outcome:
            if isinstance(report, pytest.TestReport):
                yield report
