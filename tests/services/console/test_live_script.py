"""The script that keeps the pages of signed-in users up to date, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

import services.console
from tests.e2e.visitors import chromium

SCRIPT = (Path(services.console.__file__).parent / "static" / "live.js").read_text()
SITE, LIVE, TAIL = "http://console.localhost", "/notifications/live", "/log/live"
PAUSE = 2_000
PAGE = f"""<!DOCTYPE html><title>A page</title>
<a data-live="{LIVE}" data-word="unread" data-unread="1">
<span class="count"><span aria-hidden="true">1</span><span class="unseen"></span></span></a>
<p id="newer" hidden>Newer</p>
<script src="/live.js"></script>"""
RECORDS = f"""<p id="new-records" hidden data-follow="{TAIL}" data-one="1" data-many="#">
<span></span></p><p id="records-busy" hidden>Busy</p>"""
RECORD = 'id: 1\nevent: record\ndata: {"action":"role.changed","actor":{"id":"usr_1"}}\n\n'


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page whose clock is set by the tests."""
    with chromium() as browser:
        page = browser.new_page()
        page.clock.install()
        page.clock.pause_at("2030-01-01")
        yield page


@pytest.fixture
def asked(page: Page) -> Iterator[list[str]]:
    """What the pages have asked for, besides themselves and the script."""
    paths: list[str] = []

    def give(route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path == "/live.js":
            route.fulfill(body=SCRIPT, content_type="text/javascript")
        elif path in {LIVE, TAIL}:
            paths.append(path)
            told = 'event: unread\ndata: {"unread":2}\n\n'
            route.fulfill(body=told, content_type="text/event-stream")
        else:
            text = PAGE.replace("<script", f"{RECORDS}<script") if path == "/log" else PAGE
            route.fulfill(body=text, content_type="text/html")

    page.route("**/*", give)
    yield paths
    page.unroute("**/*")


@pytest.mark.rule("B12")
def test_a_page_that_is_left_soon_follows_nothing(page: Page, asked: list[str]) -> None:
    """A person opens fourteen pages in a few seconds, and the API allows ten lists at once."""
    for number in range(14):
        page.goto(f"{SITE}/{number}")
        page.clock.run_for(PAUSE - 100)
    assert asked == []
    page.clock.run_for(PAUSE)
    page.wait_for_function("document.querySelector('.count [aria-hidden]').textContent === '2'")
    assert asked == [LIVE]
    assert page.is_visible("#newer")


def test_a_page_of_the_log_follows_its_records_at_once(page: Page, asked: list[str]) -> None:
    with page.expect_request(f"**{TAIL}"):
        page.goto(f"{SITE}/log")
        page.clock.run_for(1)
    assert LIVE not in asked


def test_a_page_of_the_log_says_that_too_many_follow_and_tries_again(page: Page) -> None:
    status = 429

    def give(route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path == TAIL and status != 200:
            route.fulfill(status=status)
        elif path == TAIL:
            route.fulfill(body=RECORD, content_type="text/event-stream")
        elif path == "/live.js":
            route.fulfill(body=SCRIPT, content_type="text/javascript")
        else:
            route.fulfill(
                body=PAGE.replace("<script", f"{RECORDS}<script"), content_type="text/html"
            )

    page.route("**/*", give)
    page.goto(f"{SITE}/log")
    page.clock.run_for(1)
    page.wait_for_selector("#records-busy", state="visible")
    assert page.is_hidden("#new-records")
    status = 200
    page.clock.run_for(61_000)
    page.wait_for_selector("#new-records", state="visible")
    assert page.is_hidden("#records-busy")
    page.unroute("**/*")


def test_a_page_that_is_hidden_gives_its_place_back(page: Page, asked: list[str]) -> None:
    page.goto(f"{SITE}/log")
    page.evaluate("""() => {
      window.closedFeeds = 0;
      const close = EventSource.prototype.close;
      EventSource.prototype.close = function () { window.closedFeeds += 1; close.call(this); };
    }""")
    with page.expect_request(f"**{TAIL}"):
        page.clock.run_for(1)
    page.evaluate("""() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    assert page.evaluate("window.closedFeeds") >= 1
