"""Where do the tables of the fault tests go, however pytest is called?"""

from collections.abc import Callable

import pytest

TABLES = pytest.StashKey[list[str]]()


@pytest.fixture
def report(
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], None]:
    """Take a table: it is shown after the run, and written to the run's folder."""

    def tell(table: str) -> None:
        request.config.stash.setdefault(TABLES, []).append(f"{request.node.name}\n\n{table}")
        record_property("table", table)
        (tmp_path_factory.getbasetemp() / f"{request.node.name}.txt").write_text(table)

    return tell


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the tables."""
    for table in config.stash.get(TABLES, []):
        terminalreporter.section("faults")
        terminalreporter.write_line(table)
