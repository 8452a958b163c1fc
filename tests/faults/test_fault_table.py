"""Each fault of the design is caused or proved, has a switch, and costs what the table says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.fault_drill import HEADINGS, FaultFigures, cells, running_fault_drill
from tests.faults.fault_injections import no_fault
from tests.faults.fault_table import FAULTS, FaultRow
from tests.lengths import SOAK
from tests.mutants.table import MUTANTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

ROOT = Path(__file__).parents[2]
WITHOUT_FAULT = FaultRow(id="-", what="none", live=no_fault, switches=())
CHOSEN = os.environ.get("ROLECALL_TEST_FAULTS", "").split()
"""The ids to run; without any, all."""

pytestmark = pytest.mark.usefixtures("unmeasured")


def test_every_fault_of_the_design_has_a_row():
    assert [row.id for row in FAULTS] == [f"F{number}" for number in range(1, 35)]


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.id)
def test_a_fault_is_caused_or_proved_by_tests_that_exist(row):
    assert row.live is not None or row.tests
    for test in row.tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text() if name else (ROOT / file).exists()


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.id)
def test_a_fault_has_a_switch_that_turns_its_defence_off(row):
    assert row.switches
    assert set(row.switches) <= {mutant.id for mutant in MUTANTS}


MOST_FAILED = 0.05
"""The part of requests through the gateway that may fail in a fault that clients need not notice.

Machines are busy. Checks go to each replica itself, and those to one that is stopped must fail.
"""


async def run_rows(rows: Sequence[FaultRow], folder: Path) -> AsyncIterator[tuple[str, ...]]:
    """Run faults one after the other; the line of each, and what is wrong at its end.

    After a fault that clients did not survive the product is started anew for the next one.
    """
    left = list(rows)
    while left:
        async with running_fault_drill(folder / str(len(left))) as drill:
            while left:
                row = left.pop(0)
                assert row.live is not None
                try:
                    figures = await drill.run(row.live)
                except* AssertionError as problem:
                    wrong = repr(problem.exceptions[0])
                else:
                    yield (row.id, row.what, *cells(figures), _wrong_of(row, figures))
                    continue
                yield (row.id, row.what, *["-"] * len(HEADINGS), wrong)
                break


def _wrong_of(row: FaultRow, figures: FaultFigures) -> str:
    found = list(figures.faults)
    if not figures.whole:
        found.append(repr(figures))
    if row.no_failures and figures.failed_share > MOST_FAILED:
        found.append(f"{figures.failed_share:.0%} of the requests through the gateway failed")
    return "; ".join(found)


def as_table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells in columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


if SOAK:  # every fault under load, one after the other

    @pytest.mark.timeout(4 * 3600)
    async def test_no_fault_loses_doubles_or_wrongly_allows_anything(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        chosen = [row for row in FAULTS if row.live and (not CHOSEN or row.id in CHOSEN)]
        lines: list[tuple[str, ...]] = [("id", "fault", *HEADINGS)]
        wrong = []
        try:
            async for *line, fault in run_rows([WITHOUT_FAULT, *chosen], tmp_path):
                lines.append(tuple(line))
                wrong += [f"{line[0]}: {fault}"] if fault else []
                (tmp_path / "progress.txt").write_text(as_table(lines) + "\n" + "\n".join(wrong))
        finally:
            report(as_table(lines))
        assert wrong == []
