"""What the script of a page does with events and answers, which are given here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import services.console
from tests.e2e.visitors import chromium

SCRIPT = (Path(services.console.__file__).parent / "static" / "live.js").read_text()
STATE = "a-state"
PAUSE = 2_000
"""A page that was open for so long follows what it follows."""
BODY = f"""
<a data-live="/bell" data-word="unread" data-unread="1"><span class="count" hidden>
  <span aria-hidden="true"></span><span class="unseen"></span></span></a>
<p id="newer" hidden>newer</p>
<p id="new-records" hidden data-follow="/records" data-own="usr_1" data-one="one" data-many="# new">
  <span></span></p>
<p id="signed-out" hidden>signed out</p>
<p id="access-over" hidden>access over</p>
<p id="list-changed" hidden data-watch="/state" data-state="{STATE}">changed</p>
"""
BEFORE = """
globalThis.sources = [];
globalThis.EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 1;
  constructor(url) { super(); this.url = url; sources.push(this); }
  close() { this.readyState = 2; }
};
globalThis.said = ["", 503];
globalThis.asked = 0;
globalThis.fetch = async () => {
  asked += 1;
  return { ok: said[1] < 300, status: said[1], text: async () => said[0] };
};
globalThis.last = (url) => sources.filter((one) => one.url === url).at(-1);
globalThis.tell = (url, name, data, id = "") =>
  last(url).dispatchEvent(
    new MessageEvent(name, { data: JSON.stringify(data), lastEventId: id }));
globalThis.seen = () => document.dispatchEvent(new Event("visibilitychange"));
globalThis.breakOff = (url) => {
  last(url).readyState = 2;
  last(url).dispatchEvent(new Event("error"));
  seen();
};
globalThis.settled = async () => { for (let step = 0; step < 20; step += 1) await null; };
"""
"""What follows is told by `tell`; an answer that breaks off is followed again when it is seen."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with the parts that the script knows."""
    page = browser.new_page()
    page.clock.install()
    page.clock.pause_at("2030-01-01")
    page.set_content(BODY)
    for script in (BEFORE, SCRIPT):
        page.add_script_tag(content=script)
    page.clock.run_for(PAUSE)
    yield page
    page.close()


def shown(page: Page, name: str) -> bool:
    return page.locator(f"#{name}").is_visible()


@pytest.mark.parametrize(
    ("url", "reason", "is_final"),
    [
        ("/bell", "token-revoked", True),
        ("/bell", "draining", False),
        ("/bell", "unavailable", False),
        ("/bell", "too-slow", False),
        ("/records", "draining", False),
        ("/records", "unavailable", False),
        ("/records", "too-slow", False),
        ("/records", "set-back", False),
        ("/records", "token-revoked", True),
        ("/records", "permission-missing", True),
    ],
)
def test_a_feed_goes_on_unless_the_reason_of_its_end_is_final(page, url, reason, is_final):
    page.evaluate("args => tell(args[0], 'end', { reason: args[1] })", [url, reason])
    page.evaluate("breakOff", url)
    page.clock.run_for(PAUSE)
    followed = page.evaluate("url => sources.filter((one) => one.url === url).length", url)
    assert followed == (1 if is_final else 2)


def a_record(action: str, actor: str) -> dict[str, Any]:
    return {"action": action, "actor": {"id": actor}}


def test_new_records_are_counted_once_but_for_the_readers_own_searches(page):
    told = []
    for number, record in (
        ("1", a_record("search.performed", "usr_1")),
        ("2", a_record("search.performed", "usr_2")),
        ("2", a_record("search.performed", "usr_2")),
        ("3", a_record("role.changed", "usr_1")),
    ):
        page.evaluate("one => tell('/records', 'record', one[1], one[0])", [number, record])
        told.append(page.locator("#new-records span").text_content())
        assert shown(page, "new-records") is (number != "1")
    assert told == ["", "one", "one", "2 new"]


NOTES = ("list-changed", "signed-out", "access-over")
"""What a page says once its list is another one, or no longer its visitor's."""
OVER = ((204, "signed-out"), (401, "signed-out"), (403, "access-over"), (404, "access-over"))


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        (STATE, 200, ""),
        ("other", 200, "list-changed"),
        *(("", status, told) for status, told in OVER),
        ("", 429, ""),
        ("problem", 503, ""),
    ],
)
def test_a_list_says_that_it_changed_or_is_not_shown_any_more(page, text, status, told):
    page.evaluate(f"said = {json.dumps([text, status])}; seen()")
    page.evaluate("settled")  # behind the answer
    assert [name for name in NOTES if shown(page, name)] == ([told] if told else [])
    before = page.evaluate("asked")
    page.clock.run_for(60_000)
    assert (page.evaluate("asked") == before) is bool(told)


@pytest.mark.parametrize("url", ["/bell", "/records"])
@pytest.mark.parametrize(("status", "told"), [(503, ""), *OVER])
def test_a_feed_that_is_refused_says_why_and_is_not_asked_again(page, url, status, told):
    page.evaluate(f"said = {json.dumps(['', status])}")
    page.evaluate("breakOff", url)
    page.evaluate("settled")
    assert [name for name in NOTES if shown(page, name)] == ([told] if told else [])
    page.clock.run_for(120_000)
    followed = page.evaluate("url => sources.filter((one) => one.url === url).length", url)
    assert followed == (1 if told else 2)


@pytest.mark.parametrize(
    ("reason", "told"), [("token-revoked", "signed-out"), ("permission-missing", "access-over")]
)
def test_a_feed_says_the_final_reason_of_its_end(page, reason, told):
    page.evaluate("reason => tell('/records', 'end', { reason })", reason)
    assert [name for name in NOTES if shown(page, name)] == [told]


def test_the_bell_counts_and_tells_of_more_than_the_page_has(page):
    for unread, text, tells in ((1, "1", False), (0, "0", False), (120, "99+", True)):
        page.evaluate("unread => tell('/bell', 'unread', { unread })", unread)
        assert page.locator("[data-live] [aria-hidden]").text_content() == text
        assert page.locator(".count").evaluate("part => part.hidden") is (unread == 0)
        assert shown(page, "newer") is tells


def test_a_page_that_is_left_gives_its_place_back_at_once(page: Page) -> None:
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    assert page.evaluate("sources.map((one) => one.readyState)") == [2, 2]
    page.clock.run_for(120_000)
    assert page.evaluate("sources.length") == 2
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.clock.run_for(PAUSE)
    assert page.evaluate("sources.map((one) => one.readyState)") == [2, 2, 1, 1]


def test_a_bell_that_was_refused_asks_again_until_it_is_let_in(page: Page) -> None:
    page.evaluate("said = ['', 429]")
    for refused in (1, 2):
        page.evaluate("last('/bell').readyState = 2")
        page.evaluate("last('/bell').dispatchEvent(new Event('error'))")
        page.evaluate("settled()")
        page.clock.run_for(61_000)
        assert page.evaluate("sources.filter((one) => one.url === '/bell').length") == 1 + refused
    page.evaluate("tell('/bell', 'unread', { unread: 4 })")
    assert page.locator(".count").is_visible()
