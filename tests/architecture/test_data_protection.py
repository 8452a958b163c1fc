"""The page on data protection names every collection, and how long the databases keep it."""

import re
from collections import defaultdict
from functools import cache

import pytest

from deploy.documents import ROOT
from shared.contracts.topology import SOURCES
from tests.architecture.files import tracked
from tests.services.kept.table import KEPT

PAGE = ROOT / "docs" / "operations" / "data-protection.md"
EVERYWHERE = "Every service"
OPENED = re.compile(r'majority\(\s*\w+,\s*(?:"(\w+)"|([A-Z_]+))\)')
CONSTANT = re.compile(r'^([A-Z_]+)(?:: \w+)? = "(\w+)"', re.MULTILINE)
ROW = re.compile(r"^\| (`.*?`) \| .* \| (.*?) \| .*? \| .*? \|$", re.MULTILINE)


@cache
def opened():
    """A service, or `EVERYWHERE` for what is shared → the collections that its code opens."""
    constants = dict(
        found for path in tracked("shared/*.py") for found in CONSTANT.findall(path.read_text())
    )
    collections = defaultdict(set)
    for path in tracked("services/*.py", "shared/*.py"):
        folder, service, *_ = path.relative_to(ROOT).parts
        for name, constant in OPENED.findall(path.read_text()):
            own = service if folder == "services" else EVERYWHERE
            collections[own].add(name or constants[constant])
    return collections


@cache
def described():
    """A section of the page → a collection → for how long the page says that it is kept."""
    parts = re.split(r"^## (.*)$", PAGE.read_text(), flags=re.MULTILINE)
    return {
        title: {
            name: kept
            for names, kept in ROW.findall(text)
            for name in re.findall(r"`(\w+)`", names)
        }
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.mark.parametrize("service", [*map(str, SOURCES), EVERYWHERE])
def test_the_page_names_every_collection_of_a_service(service):
    said = {*described()[service], *described()[EVERYWHERE]}
    assert opened()[service] - said == set()


def test_the_page_names_no_collection_that_a_service_does_not_have():
    for service in map(str, SOURCES):
        dated = {place.partition(".")[0] for one, place, _, _ in KEPT if one == service}
        assert described()[service].keys() - opened()[service] - dated == set(), service
    assert described()[EVERYWHERE].keys() - opened()[EVERYWHERE] == set()


@pytest.mark.parametrize("service", [*map(str, SOURCES)])
def test_the_page_says_that_a_collection_with_an_end_has_one(service):
    rows = {**described()[service], **described()[EVERYWHERE]}
    dated = {place.partition(".")[0] for one, place, _, end in KEPT if one == service and end}
    endless = {name for name in dated if not re.search(r"day|hour|minute|until|tokens", rows[name])}
    assert dated
    assert endless == set()
