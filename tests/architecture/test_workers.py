"""Tests of a run with several workers, by runs of a few files of tests."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from deploy.documents import ROOT
from tests.architecture.files import relative, tracked
from tests.spreading import (
    AS_PROCESSES,
    ONE_UNIT,
    PRODUCTS,
    WAITING_FIRST,
    WITH_BROKER,
    WORKING_FIRST,
    Unit,
    in_order,
    take,
    units_of,
)

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "test_passes.py": "def test_one():\n    pass\n\ndef test_two():\n    pass\n",
    "test_fails.py": "def test_wrong():\n    print('what it wrote')\n    assert 1 == 2\n",
    "test_unreadable.py": "import that_does_not_exist\n",
    "test_dies.py": "import os\n\ndef test_killed():\n    os.kill(os.getpid(), 9)\n",
    "test_leaves.py": (
        "import os, pytest\n\n"
        "@pytest.fixture(scope='session')\ndef kept():\n    yield\n    os._exit(7)\n\n"
        "def test_used(kept):\n    pass\n"
    ),
}


@dataclass(frozen=True)
class Module:
    """What the order of a run needs of a file of tests."""

    nodeid: str


def run(folder: Path, *names: str, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run these files in two workers; return the status and what was written."""
    for name in names:
        (folder / name).write_text(FILES[name])
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.forking", "--workers", "2"),
            *("-p", "no:cacheprovider", "-p", "no:randomly", *arguments, str(folder)),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_a_run_whose_tests_pass_is_green(tmp_path: Path) -> None:
    status, written = run(tmp_path, "test_passes.py")
    assert status == pytest.ExitCode.OK, written
    assert "2 passed" in written


def test_a_run_reports_what_goes_wrong_in_each_worker(tmp_path: Path) -> None:
    wrong = ("test_fails.py", "test_unreadable.py", "test_dies.py")
    status, written = run(tmp_path, "test_passes.py", *wrong)
    assert status == pytest.ExitCode.TESTS_FAILED, written
    for words in (
        "2 failed, 2 passed, 1 error",
        "what it wrote",
        "that_does_not_exist",
        "test_dies.py::test_killed",
        "Its worker ended with status -9",
    ):
        assert words in written, written


def test_a_worker_that_fails_at_its_end_fails_the_run(tmp_path: Path) -> None:
    status, written = run(tmp_path, "test_leaves.py")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed" in written
    assert "Its worker ended with status 7" in written


def test_a_run_stops_at_the_allowed_number_of_failures(tmp_path: Path) -> None:
    status, written = run(tmp_path, "test_fails.py", arguments=("-x",))
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "stopping after 1 failures" in written


def test_each_slow_unit_exists_and_only_contracts_have_several_files() -> None:
    files = [Module(relative(path)) for path in tracked("tests/**/test_*.py")]
    units = in_order(units_of(files), seed=1)
    slowest = (*WAITING_FIRST, *WORKING_FIRST)
    assert tuple(unit.name for unit in units[: len(slowest)]) == slowest
    several = {unit.name for unit in units if len(unit.modules) > 1}
    assert several == {ONE_UNIT, WITH_BROKER}
    assert [unit.modules for unit in units if unit.name == AS_PROCESSES] == [(Module(PRODUCTS),)]


def test_half_of_the_workers_begin_with_what_waits_and_all_end_together() -> None:
    waits, works = Unit[Module](WAITING_FIRST[0], ()), Unit[Module](WORKING_FIRST[0], ())
    other = Unit[Module]("other", ())
    left = [waits, works, other]
    assert take(left, worker=2, workers=4) == works
    assert take(left, worker=0, workers=4) == waits
    assert take(left, worker=1, workers=4) == other
    assert take(left, worker=3, workers=4) is None
    assert take([waits], worker=3, workers=4) == waits
