"""The page of rules: its ids, its proofs, and every id that code and documents name."""

import pytest

from deploy.documents import ROOT
from deploy.fault_proofs import LIVE, TABLE, proofs_of_faults
from deploy.rules import (
    PAGE,
    legend_ids,
    marked_tests,
    marks_of,
    named_ids,
    rule_ids,
    used_ids,
    with_proofs,
    without_proof,
)
from tests.architecture.files import faults_in, tracked
from tests.faults.fault_table import FAULTS

TEXT = (ROOT / PAGE).read_text()
COUNTS = {"Rp": 16, "Ro": 24, "Ci": 14, "Nv": 20, "B": 16}
SOURCE = """
import pytest

pytestmark = pytest.mark.rule("Rp1")

@pytest.mark.rule("Ci9", "Ro3")
def test_one(): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule("Nv2")), 2])
async def test_two(x): ...

@pytest.mark.rule("B5")
class TestMany:
    def test_three(self): ...
"""
A_PAGE = """# Rules
<!-- summary -->
old
<!-- end summary -->

- **Rp1** A sentence.
  *Proved* by an old test.
- **Rp2** A sentence.
  Missing: the console.
  *Proved* by an old test.
- **B2** Another sentence.
  Missing: a part.

| T1 | A threat. | old tests |
"""


def test_the_page_has_every_rule_once():
    assert rule_ids(TEXT) == [
        f"{prefix}{number}" for prefix, count in COUNTS.items() for number in range(1, count + 1)
    ]


def test_every_id_that_a_file_names_is_on_the_page():
    known = {*rule_ids(TEXT), *legend_ids(TEXT)}
    this_file = ROOT / "tests/architecture/test_rules.py"
    files = tracked("*.py", "*.md", "*.yaml", "*.yml", "*.j2")
    unknown = faults_in(
        (path for path in files if path != this_file),
        lambda path: sorted(named_ids(path.read_text()) - known),
    )
    assert unknown == {}


def test_every_threat_fault_and_figure_that_code_names_has_a_proof():
    without = without_proof(TEXT, used_ids(ROOT))
    assert without == [], "mark the test that proves it with @pytest.mark.rule"


def test_an_empty_row_is_found_by_its_id():
    page = "| T1 | A threat. |  |\n| T2 | A threat. | `tests/a.py` |\n| P1 | A figure. |  |\n"
    assert without_proof(page, {"T1", "T2"}) == ["T1"]


def test_every_marker_names_a_rule_of_the_page():
    assert set(marked_tests(ROOT)) <= {*rule_ids(TEXT), *legend_ids(TEXT)}


def test_a_mark_belongs_to_its_function_class_or_module():
    assert sorted(marks_of(SOURCE, "t.py")) == [
        ("B5", "t.py::TestMany"),
        ("Ci9", "t.py::test_one"),
        ("Nv2", "t.py::test_two"),
        ("Ro3", "t.py::test_one"),
        ("Rp1", "t.py"),
    ]


def test_a_mark_must_name_its_rules_literally():
    with pytest.raises(ValueError, match="literal"):
        list(marks_of("@pytest.mark.rule(RULE)\ndef test_x(): ...", "t.py"))


def test_a_journey_table_names_rules_in_a_column(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "j.csv").write_text("subject,rules\nowner,Rp9 Ro2\nmail,\n")
    assert marked_tests(tmp_path) == {"Rp9": ["tests/j.csv"], "Ro2": ["tests/j.csv"]}


def test_the_table_of_faults_names_the_tests_of_each_fault():
    found = proofs_of_faults((ROOT / TABLE).read_text())
    assert found == {row.id: sorted({*row.tests, *([LIVE] if row.live else [])}) for row in FAULTS}
    assert all(found.values())


def test_proofs_replace_earlier_ones_and_are_counted():
    proofs = {
        "Rp1": ["tests/a.py::test_b"],
        "Rp2": ["tests/a.py::test_d"],
        "T1": ["tests/c.py"],
    }
    page = with_proofs(A_PAGE, proofs)
    assert "- **Rp1** A sentence.\n  *Proved* by `tests/a.py::test_b`.\n" in page
    in_part = "  *Proved in part* by `tests/a.py::test_d`.\n  Missing: the console.\n"
    assert f"- **Rp2** A sentence.\n{in_part}" in page
    assert "- **B2** Another sentence.\n  *Not yet proved.*\n  Missing: a part.\n" in page
    assert page.endswith("| T1 | A threat. | `tests/c.py` |\n")
    assert "| Runpod (Rp) | 2 | 1 | 1 | 0 |" in page
    assert "| Beyond all four (B) | 1 | 0 | 0 | 1 |" in page
    assert "old" not in page
    assert with_proofs(page, proofs) == page


def test_a_marker_with_an_unknown_rule_is_refused():
    with pytest.raises(LookupError, match=r"tests/a.py::test_b names Rp99"):
        with_proofs(A_PAGE, {"Rp99": ["tests/a.py::test_b"]})


def test_a_rule_has_a_proof_or_a_line_that_says_what_is_missing():
    with pytest.raises(LookupError, match=r"No test proves Rp1\. .*Missing: "):
        with_proofs(A_PAGE, {})


def test_ids_are_found_in_backticks_and_those_of_sources_anywhere():
    assert named_ids("`T19`, (Ci9), P5 and `B4`; F0 is not an id") == {"T19", "Ci9", "B4"}
