"""The scripts of forms and menus: what was typed is kept, and an open menu closes."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page

import services.console
from services.console.domain import places
from services.console.routes.outcomes import SECRET_FIELDS
from tests.e2e.visitors import chromium

pytestmark = pytest.mark.usefixtures("unmeasured")

STATIC = Path(services.console.__file__).parent / "static"
SCRIPT = (STATIC / "typed.js").read_text()
READER = "mark.ana"
SIGN_OUT = places.SIGN_OUT


def written(content: str, said: str = "") -> str:
    """A page of the console with this content."""
    return (
        f'<!DOCTYPE html><title>A page</title><main id="content"{said}>{content}</main>'
        '<script src="/typed.js"></script>'
    )


def form_of(reader: str, fields: str) -> str:
    """A form that is shown to a reader."""
    return (
        '<form method="post" autocomplete="off">'
        f'<input type="hidden" name="form" value="{reader}">{fields}'
        '<button name="press" value="preview">Next</button>'
        '<button name="press" value="save">Save</button></form>'
    )


EDIT = (
    '<input name="name" value="Before"><input name="password" type="password">'
    '<select name="level"><option value="">None</option><option value="all">All</option></select>'
    '<input type="checkbox" name="mail" value="yes"><input type="hidden" name="state" value="s2">'
    '<input type="hidden" name="seen" value="SEEN">'
)


class Site(ThreadingHTTPServer):
    """A form with a preview, as the console answers; it counts the presses."""

    browser: Browser
    page: Page
    reader, presses = READER, 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def type_and_press(self) -> None:
        """Fill in the form, and have its changes shown."""
        self.page.goto(f"{self.url}/edit")
        self.page.fill("[name=name]", "After")
        self.page.fill("[name=password]", "hidden")
        self.page.select_option("[name=level]", "all")
        self.page.check("[name=mail]")
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Next").click()

    def values(self) -> tuple[str, str, bool, str, str]:
        """What the form holds."""
        page = self.page
        return (
            page.input_value("[name=name]"),
            page.input_value("[name=level]"),
            page.is_checked("[name=mail]"),
            page.input_value("[name=password]"),
            page.input_value("[name=state]"),
        )


class Answers(BaseHTTPRequestHandler):
    """A preview is the answer to its press itself, and a change leads to another page."""

    server: Site

    def do_GET(self) -> None:
        """Give the form, the script or another page."""
        if self.path == "/typed.js":
            self._give(SCRIPT, "text/javascript")
        elif self.path == "/edit":
            self._give(
                written(
                    form_of(self.server.reader, EDIT.replace("SEEN", f"p{self.server.presses}"))
                )
            )
        elif self.path == SIGN_OUT:
            leave = form_of(self.server.reader, "").replace("<form", f'<form action="{SIGN_OUT}"')
            self._give(written(leave))
        else:
            self._give(written("<p>Other</p>", " data-done" if self.path == "/done" else ""))

    def do_POST(self) -> None:
        """Take a press."""
        self.server.presses += 1
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        typed = {name: one[0] for name, one in parse_qs(body).items()}
        if typed["press"] == "save":
            self.send_response(303)
            self.send_header("Location", "/done")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{text}">'
            for name, text in {**typed, "state": "s1"}.items()
            if name not in {"press", "form", "password"}
        )
        self._give(written(form_of(self.server.reader, kept), " data-pressed"))

    def _give(self, text: str, media: str = "text/html") -> None:
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


FRESH, TYPED = ("Before", "", False, "", "s2"), ("After", "all", True, "", "s1")


@pytest.fixture(scope="module")
def server(unmeasured: None) -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Answers) as site, chromium() as browser:
        site.browser = browser
        Thread(target=site.serve_forever).start()
        yield site
        site.shutdown()


@pytest.fixture
def site(server: Site) -> Iterator[Site]:
    """The site in a new browser."""
    server.reader, server.presses = READER, 0
    with server.browser.new_context() as context:
        server.page = context.new_page()
        yield server


def test_a_preview_is_loaded_anew_without_a_press_and_keeps_what_was_typed(site: Site) -> None:
    site.type_and_press()
    site.page.reload()
    assert (site.presses, site.values()) == (1, TYPED)


def test_going_back_from_a_preview_keeps_what_was_typed(site: Site) -> None:
    site.type_and_press()
    site.page.go_back()
    assert (site.presses, site.values()) == (1, TYPED)


def test_going_back_from_a_later_page_sends_nothing_again(site: Site) -> None:
    site.type_and_press()
    site.page.goto(f"{site.url}/other")
    site.page.go_back()
    assert (site.presses, site.values()) == (1, TYPED)


def test_a_form_that_has_done_its_work_is_fresh_when_a_person_goes_back(site: Site) -> None:
    site.type_and_press()
    with site.page.expect_navigation():
        site.page.get_by_role("button", name="Save").click()
    assert site.page.url == f"{site.url}/done"
    for _ in range(2):
        site.page.go_back()
        assert (site.presses, site.values()) == (2, FRESH)


def test_text_that_was_typed_before_a_link_is_there_again(site: Site) -> None:
    site.page.goto(f"{site.url}/edit")
    site.page.fill("[name=name]", "After")
    site.page.press("[name=name]", "Tab")
    site.page.goto(f"{site.url}/other")
    site.page.go_back()
    assert site.values()[0] == "After"


@pytest.mark.rule("T25")
def test_another_reader_gets_nothing_of_what_was_typed(site: Site) -> None:
    site.type_and_press()
    site.reader = "mark.bea"
    site.page.reload()
    assert site.values() == FRESH


@pytest.mark.rule("T11")
def test_no_secret_is_kept_in_the_tab(site: Site) -> None:
    assert all(f'"{name}"' in SCRIPT for name in SECRET_FIELDS)
    site.type_and_press()
    kept = site.page.evaluate("JSON.stringify({...sessionStorage})")
    assert "After" in kept
    assert "hidden" not in kept
    assert READER not in kept


@pytest.mark.rule("T11")
def test_nothing_that_was_typed_is_in_the_tab_after_a_sign_out(site: Site) -> None:
    site.type_and_press()
    site.page.goto(site.url + SIGN_OUT)
    assert "After" in site.page.evaluate("JSON.stringify({...sessionStorage})")
    site.page.click("button[value=save]")
    site.page.wait_for_url("**/done")
    assert "After" not in site.page.evaluate("JSON.stringify({...sessionStorage})")


MENU = """<h1>A page</h1>
<details class="menu"><summary>Ana</summary><a href="/x">Profile</a></details>
<details class="more"><summary>More</summary><p>Text</p></details>"""


def test_an_open_menu_closes_by_escape_and_by_a_click_elsewhere(site: Site) -> None:
    page = site.page
    page.set_content(MENU)
    page.add_script_tag(content=(STATIC / "menus.js").read_text())
    menu, more = page.locator(".menu"), page.locator(".more")
    more.locator("summary").click()
    menu.locator("summary").click()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert page.evaluate("document.activeElement.textContent") == "Ana"
    menu.locator("summary").click()
    assert menu.get_attribute("open") == ""
    page.locator("h1").click()
    assert (menu.get_attribute("open"), more.get_attribute("open")) == (None, "")


def test_a_form_is_told_the_time_zone_of_its_browser(site: Site) -> None:
    with site.browser.new_context(timezone_id="Europe/Vienna") as context:
        page = context.new_page()
        page.set_content('<input type="hidden" name="browser_zone">')
        page.add_script_tag(content=(STATIC / "zone.js").read_text())
        assert page.input_value("[name=browser_zone]") == "Europe/Vienna"
