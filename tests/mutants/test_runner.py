"""The rows of the table are usable, and the runner tells a catch from everything else."""

from dataclasses import replace

import pytest

from tests.mutants.mutant import Kind, Mutant
from tests.mutants.runner import ROOT, Copy, Result, run_all
from tests.mutants.table import MUTANTS

pytestmark = pytest.mark.usefixtures("unmeasured")

ROW = Mutant(
    id="limit",
    kind=Kind.LIMIT,
    file="limit.py",
    old="LIMIT = 3\n",
    new="LIMIT = 4\n",
    tests=("test_limit.py",),
    seconds=60,
)
TEST = "from limit import LIMIT\n\ndef test_limit():\n    assert LIMIT == 3\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "limit.py").write_text("LIMIT = 3\nOTHER = 1\n")
    (folder / "test_limit.py").write_text(TEST)
    return folder


@pytest.mark.parametrize("row", MUTANTS, ids=lambda row: row.id)
def test_the_old_text_of_each_row_occurs_exactly_once(row):
    assert row.fault(ROOT) is None


def test_no_two_rows_have_the_same_id():
    assert len({row.id for row in MUTANTS}) == len(MUTANTS)


def test_a_mutant_is_caught_by_the_test_that_fails(project):
    [outcome] = run_all([ROW], workers=1, source=project)
    assert (outcome.result, outcome.detail) == (Result.CAUGHT, "test_limit.py::test_limit")


def test_an_error_in_the_log_is_not_taken_for_the_test_that_fails(project):
    (project / "test_limit.py").write_text(
        TEST.replace("    assert", '    __import__("logging").error("full")\n    assert')
    )
    [outcome] = run_all([ROW], workers=1, source=project)
    assert outcome.detail == "test_limit.py::test_limit"


def test_a_mutant_that_no_test_notices_survives(project):
    [outcome] = run_all([replace(ROW, old="OTHER = 1", new="OTHER = 2")], workers=1, source=project)
    assert outcome.result is Result.SURVIVED


def test_a_run_that_takes_too_long_is_not_a_catch(project):
    (project / "test_limit.py").write_text("import time\n\ndef test():\n    time.sleep(60)\n")
    [outcome] = run_all([replace(ROW, seconds=3)], workers=1, source=project)
    assert outcome.result is Result.TIMED_OUT


@pytest.mark.parametrize("new", ["LIMIT = (\n", "LIMIT = NAME\n"])
def test_an_import_error_does_not_count_as_caught(project, new):
    [outcome] = run_all([replace(ROW, new=new)], workers=1, source=project)
    assert outcome.result is Result.NOT_RUN


def test_a_selection_without_tests_is_not_a_catch(project):
    [outcome] = run_all([replace(ROW, tests=("-k", "no_such_test"))], workers=1, source=project)
    assert outcome.result is Result.NOT_RUN


def test_a_mutant_is_planted_in_a_copy_and_taken_back(project, tmp_path):
    copy = Copy(project, tmp_path / "copy")
    assert [copy.run(ROW).result for _ in range(2)] == [Result.CAUGHT] * 2
    assert copy.run_tests(ROW).result is Result.SURVIVED
    assert (project / "limit.py").read_text() == "LIMIT = 3\nOTHER = 1\n"


def test_a_test_that_fails_without_the_defect_catches_nothing(project):
    (project / "test_limit.py").write_text(TEST.replace("3", "7"))
    [outcome] = run_all([ROW], workers=1, source=project)
    assert outcome.result is Result.FAILS_ANYWAY
    assert outcome.detail == "test_limit.py::test_limit"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"old": "LIMIT = 5\n"}, "occurs 0 times"),
        ({"old": "= "}, "occurs 2 times"),
        ({"file": "gone.py"}, "no file gone.py"),
        ({"tests": ("tests/gone.py",)}, "no tests/gone.py"),
        ({"new": "LIMIT = 3\n"}, "is the old one"),
    ],
)
def test_a_stale_row_is_named_with_its_fault(project, change, fault):
    assert fault in (replace(ROW, **change).fault(project) or "")
