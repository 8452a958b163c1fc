"""The decision pages: their form, and the index."""

import re

import pytest

from deploy.documents import ROOT
from tests.support.sharded import IDENTITY_BROADCASTS, TEAM_BROADCASTS

FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS = ["Decision", "Reasons", "Evidence", "What would change it"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_has_a_number_a_dated_status_and_four_sections(path):
    title, _, status, *_ = path.read_text().splitlines()
    assert re.match(rf"# {int(path.stem[:4])}\. \S", title)
    assert re.match(r"Status: (proposed|accepted|superseded)\b.*, \d{4}-\d\d-\d\d\.", status)
    assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_index_lists_the_page_with_its_title_and_date(path):
    title = path.read_text().splitlines()[0].removeprefix("# ")
    [line] = [line for line in (FOLDER / "README.md").read_text().splitlines() if path.name in line]
    assert f"[{title}]" in line
    assert re.search(r"\| \d{4}-\d\d-\d\d \|$", line)


def test_the_index_is_in_the_order_of_the_numbers():
    numbers = re.findall(r"^\| \[(\d+)\.", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert numbers == [str(int(path.stem[:4])) for path in PAGES]


@pytest.mark.parametrize(
    ("number", "broadcasts"), [("0036", TEAM_BROADCASTS), ("0059", IDENTITY_BROADCASTS)]
)
def test_a_decision_lists_every_look_up_that_asks_all_shards(number, broadcasts):
    [page] = FOLDER.glob(f"{number}-*")
    listed = re.findall(r"^\| `(\w+)\.(\w+)` \|", page.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(broadcasts)
