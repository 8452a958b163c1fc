"""Every page of the console has a picture: the table of `make pictures` names what each needs."""

import re

import pytest

from deploy.documents import ROOT
from services.console.domain.browser_state import LinkKind
from services.console.routes import PAGES, design
from tests.pictures.readme import FOLDER, MAX_BYTES, SHOWN
from tests.pictures.table import IDS, NOT_PAGES, pictures

README = (ROOT / "README.md").read_text()
ROWS = (*PAGES, *design.PAGES)
FILES = {row.path for row in PAGES if row.downloads}


def test_each_page_has_a_picture_or_the_reason_why_not():
    shown = {one.page for one in pictures(ROWS)}
    assert shown | FILES | NOT_PAGES.keys() == {row.path for row in ROWS}
    assert not shown & (FILES | NOT_PAGES.keys())


def test_each_picture_has_a_name_of_its_own_and_an_address():
    every = pictures(ROWS)
    assert len({one.name for one in every}) == len(every)
    known = dict.fromkeys(IDS, "x")
    assert [one.name for one in every if "{" in one.address(known)] == []


def test_the_page_of_each_mailed_link_is_shown_with_its_link():
    assert {one.link for one in pictures(ROWS)} == {None, *LinkKind}


@pytest.mark.parametrize("name", SHOWN)
def test_the_readme_shows_a_small_picture_with_words_for_it(name):
    assert SHOWN[name] in {one.name for one in pictures(PAGES)}
    picture = (FOLDER / f"{name}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < MAX_BYTES
    assert re.search(rf"!\[[^]]{{20,}}\]\(docs/pictures/{name}\.png\)", README)
