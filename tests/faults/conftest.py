"""Where do the tables of the fault tests go, however pytest is called?"""

from collections.abc import Callable

import pytest

PROPERTY = "table"


@pytest.fixture
def report(
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], None]:
    """Take a table: it is shown after the run, and written to the run's folder."""

    def tell(table: str) -> None:
        record_property(PROPERTY, f"{request.node.name}\n\n{table}")
        (tmp_path_factory.getbasetemp() / f"{request.node.name}.txt").write_text(table)

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the tables, those of other processes of the run too."""
    for reports in terminalreporter.stats.values():
        for made in reports:
            if getattr(made, "when", None) != "call":
                continue
            for name, table in made.user_properties:
                if name == PROPERTY:
                    terminalreporter.section("faults")
                    terminalreporter.write_line(table)
