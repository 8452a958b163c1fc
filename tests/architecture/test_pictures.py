"""Every page of the console has a picture: the table of `make pictures` names what each needs."""

from services.console.domain.browser_state import LinkKind
from services.console.routes import PAGES
from tests.pictures.table import IDS, NOT_PAGES, pictures

FILES = {row.path for row in PAGES if row.downloads}


def test_each_page_has_a_picture_or_the_reason_why_not():
    shown = {one.page for one in pictures(PAGES)}
    assert shown | FILES | NOT_PAGES.keys() == {row.path for row in PAGES}
    assert not shown & (FILES | NOT_PAGES.keys())


def test_each_picture_has_a_name_of_its_own_and_an_address():
    every = pictures(PAGES)
    assert len({one.name for one in every}) == len(every)
    known = dict.fromkeys(IDS, "x")
    assert [one.name for one in every if "{" in one.address(known)] == []


def test_the_page_of_each_mailed_link_is_shown_with_its_link():
    assert {one.link for one in pictures(PAGES)} == {None, *LinkKind}
