"""The page `/docs`: what it shows, and that it loads nothing."""

import base64
import hashlib
import re
from html import escape, unescape
from html.parser import HTMLParser

import pytest

from deploy.gateway.docs import CONTENT_SECURITY_POLICY, STYLE, page
from deploy.gateway.paths import public_routes
from shared.http.access import Permission
from shared.http.openapi_texts import shown_code
from shared.http.routes import Route
from tests.contracts.described import DOCUMENT

ROWS = [route for rows in public_routes().values() for route in rows]
PAGE = page(DOCUMENT)
MAX_PAGE_BYTES = 1_000_000


def part_of(row: Route) -> str:
    """What unfolds below the row of an operation, without markup."""
    start = PAGE.index(f'id="{row.operation_id}"')
    return unescape(re.sub("<[^>]+>", " ", PAGE[start : PAGE.index("</details>", start)]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation_id)
def test_a_route_shows_permission_parameters_examples_and_answers(row: Route) -> None:
    shown = part_of(row)
    assert f'<span class="method {row.method.lower()}">{row.method}</span>' in PAGE
    assert f'<a href="#{row.operation_id}">' in PAGE
    assert f'<span class="what">{escape(row.summary)}</span>' in PAGE
    if isinstance(row.access, Permission):
        assert row.access.name in shown
    for name in row.parameters:
        assert f" {name} " in shown
    assert "curl " in shown
    assert (
        f" {204 if row.gives is None and row.status == 200 and not row.streams else row.status} "
        in shown
    )
    for refusal in row.refuses:
        assert f" {shown_code(refusal, row)} " in re.sub("<[^>]+>", " ", PAGE)


def test_the_index_has_each_group_and_each_route_once() -> None:
    index = PAGE[PAGE.index("<nav") : PAGE.index("</nav>")]
    assert index.count('href="#tag-') == len(DOCUMENT["tags"])
    assert len(re.findall(r'href="#\w+">', index)) == len(ROWS) + 1  # and the schemas


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")


def test_every_link_leads_to_a_place_of_the_page_and_nothing_is_loaded() -> None:
    read = _Links()
    read.feed(PAGE)
    assert len(read.ids) == len(set(read.ids))
    outside = {link for link in read.links if not link.startswith("#")}
    assert outside == {"/openapi.json"}
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    assert not read.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not {name for name in read.attributes if name == "style" or name.startswith("on")}
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert len(PAGE.encode()) < MAX_PAGE_BYTES


def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else() -> None:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"<style>{STYLE}</style>" in PAGE
    assert f"style-src 'sha256-{digest}';" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_texts_of_the_document_cannot_become_markup() -> None:
    [(path, operations)] = [(p, o) for p, o in DOCUMENT["paths"].items() if p == "/v1/me"]
    hostile = "<script>alert(1)</script>`<b>`"
    operation = operations["get"] | {"summary": hostile, "description": hostile}
    shown = page(DOCUMENT | {"paths": {path: {"get": operation}}})
    assert "<script" not in shown
    assert "<b>" not in shown


def test_colours_of_methods_have_a_light_and_a_dark_form() -> None:
    for method in {row.method.lower() for row in ROWS}:
        assert re.search(rf"--{method}: light-dark\(#\w{{6}}, #\w{{6}}\);", STYLE)
        assert f".{method} {{\n  color: var(--{method});" in STYLE
