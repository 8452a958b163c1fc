"""The documents: generated tables, links, and the first commands of the README."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from deploy.compose import CREATE_CLIENT_COMMAND
from deploy.documents import ROOT, expected, fill_tables
from tests.support.sharded import GLOBAL

# Folders of tools are left out, because they come and go while tests are collected.
MARKDOWN = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
SHELL_BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHELL_COMMENT = re.compile(r"(?:^|\s)#")
MAX_WIDTH = 130
"""Characters of a line of text as a reader sees it: the target of a link does not count."""
LISTS_OF_TESTS = ROOT / "docs" / "rules.md"
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#:]*\.md|)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_every_generated_table_is_up_to_date() -> None:
    differing = [
        str(path.relative_to(ROOT))
        for path, text in expected().items()
        if not path.exists() or path.read_text() != text
    ]
    assert differing == [], "run: python -m deploy.documents"


def test_a_table_without_a_place_in_its_document_is_an_error() -> None:
    with pytest.raises(LookupError):
        fill_tables("# A page\n", {"routes": "| a |"})


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_documents_has_a_target(path: Path) -> None:
    broken = [
        target for target in LINK.findall(path.read_text()) if not (path.parent / target).exists()
    ]
    assert broken == []


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors that GitHub gives the headings of a document."""
    found: list[str] = []
    for title in HEADING.findall(path.read_text()):
        plain = re.sub(r"\]\([^)]*\)", "]", title).lower()
        name = re.sub(r"[^\w -]", "", plain).strip().replace(" ", "-")
        again = found.count(name)
        found += [name, f"{name}-{again}"] if again else [name]
    return frozenset(found)


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(path: Path) -> None:
    lost = [
        f"{target}#{anchor}"
        for target, anchor in ANCHOR.findall(path.read_text())
        if anchor not in anchors((path.parent / target).resolve() if target else path)
    ]
    assert lost == []


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_block_that_is_pasted_into_a_shell_has_a_comment(path: Path) -> None:
    """A shell such as zsh runs the words after a `#` that is pasted."""
    commented = [
        line
        for block in SHELL_BLOCK.findall(path.read_text())
        for line in block.splitlines()
        if SHELL_COMMENT.search(line)
    ]
    assert commented == [], "write these words above the block"


def text_lines(text: str) -> Iterator[str]:
    """The lines of text: without blocks of code, tables, and the targets of links."""
    inside = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside and not line.lstrip().startswith("|"):
            yield re.sub(r"\]\([^)]*\)", "]", line)


@pytest.mark.parametrize(
    "path",
    [path for path in MARKDOWN if path != LISTS_OF_TESTS],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_line_of_text_is_not_wider_than_130_characters(path: Path) -> None:
    assert [line for line in text_lines(path.read_text()) if len(line) > MAX_WIDTH] == []


def test_the_readme_shows_how_to_create_the_first_service_client() -> None:
    text = " ".join((ROOT / "README.md").read_text().replace("\\\n", " ").split())
    assert f"exec identity {' '.join(CREATE_CLIENT_COMMAND)} " in text


def test_the_readme_starts_with_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    first_block = re.search(r"```(?:sh|console|bash)?\n(.*?)```", text, re.DOTALL)
    assert first_block is not None
    commands = [line for line in first_block[1].splitlines() if line and not line.startswith("#")]
    assert commands == ["make run", "make test"]


def test_the_lines_for_a_cluster_name_every_growing_collection() -> None:
    stores = [
        file for name in ("team", "identity") for file in ROOT.glob(f"services/{name}/store/*.py")
    ]
    sources = [*stores, *ROOT.glob("shared/**/*.py")]
    opened = re.compile(r'majority\(database, "(\w+)"\)')
    growing = {name for path in sources for name in opened.findall(path.read_text())} - GLOBAL
    text = (ROOT / "docs" / "operations" / "scaling.md").read_text()
    section = text[text.index("## A sharded database") :]
    to_shard, to_check = section.split("\n4. ")
    assert growing <= set(re.findall(r"\w+", to_shard))
    checked = growing - {"history", "idempotency", "journal", "receipts"}
    assert checked <= set(re.findall(r"\w+", to_check))
