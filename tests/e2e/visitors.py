"""Visitors of the pages: a browser, its mails, and what a page must never do."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.patience import LONGEST_WAIT_SECONDS
from tests.servers import require_chromium

PASSWORD = "correct-horse-battery-staple"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Otherwise the browser refuses what another site sends here before the pages can.
    "--disable-features=LocalNetworkAccessChecks",
)
LINK = re.compile(r"https?://\S+[?&]token=\S+")
MAX_TABS = 20
FOREIGN = "http://foreign.example/"
PATIENT_MILLISECONDS = 60_000
_NUMBERS = count(1)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, as the system has it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_chromium(), args=list(ARGUMENTS)
        )
        yield browser
        browser.close()


@dataclass(kw_only=True)
class ProductWithMails:
    """The product as a program sees it, with the mails that it sends."""

    url: str
    mail: str

    def link_to(self, address: str, subject: str) -> str:
        """The link of the newest mail to an address whose subject has these words."""
        query = urllib.parse.urlencode({"to": address})

        def arrived() -> str | None:
            mails = self.get(f"{self.mail}/api/messages?{query}")["items"]
            texts = [mail["text"] for mail in mails if subject in mail["subject"].lower()]
            found = LINK.search(texts[0]) if texts else None
            return self.here(found[0]) if found else None

        return until(arrived, what=f"a mail about {subject} to {address}")

    def get(self, url: str, *, token: str = "") -> Any:
        """The JSON at an address, or at a path of the API."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        where = url if "://" in url else self.url + url
        request = urllib.request.Request(where, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def send(
        self, path: str, body: Mapping[str, Any], *, token: str = "", method: str = "POST"
    ) -> Any:
        """Ask the API."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            raise AssertionError(refused.read().decode()) from None
        return json.loads(text) if text else None

    def here(self, link: str) -> str:
        """The link at the address of the gateway under test."""
        parts = urllib.parse.urlsplit(link)
        return f"{self.url}{parts.path}?{parts.query}"

    def new_person(self, name: str = "Ana Diaz") -> "Person":
        """A person whose address is new."""
        return Person(name=name, email=f"person{next(_NUMBERS)}.{time.time_ns()}@example.com")

    def known_person(self, name: str = "Kai Known") -> "Person":
        """A person with an account, signed up by the API."""
        person = self.new_person(name)
        self.send("/v1/signup", {"email": person.email, "name": person.name})
        link = self.link_to(person.email, "verify")
        token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
        answer = self.send("/v1/email/verify", {"token": token, "password": PASSWORD})
        person.token, person.account_id = answer["access_token"], answer["account_id"]
        return person


@dataclass(kw_only=True)
class Site(ProductWithMails):
    """The product as a browser sees it."""

    browser: Browser

    @contextmanager
    def visitor(self, *, javascript: bool = False, **options: Any) -> Iterator["Visitor"]:
        """A browser without cookies; at its end no page may have broken its own policy."""
        with self.browser.new_context(java_script_enabled=javascript, **options) as context:
            context.set_default_timeout(PATIENT_MILLISECONDS)
            visitor = Visitor(site=self, context=context, page=context.new_page())
            yield visitor
            assert visitor.faults == []


@dataclass
class Person:
    """A person with a mailbox; with a token and an account once they have signed up."""

    name: str
    email: str
    token: str = ""
    account_id: str = ""


@dataclass
class Visitor:
    """One browser with one page."""

    site: Site
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._watch(self.page)

    def _watch(self, page: Page) -> None:
        page.on("dialog", lambda dialog: self._fault(f"dialog: {dialog.message}", dialog.dismiss))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", lambda message: self._note(message.text))

    def _fault(self, text: str, then: Callable[[], None]) -> None:
        self.faults.append(text)
        then()

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.faults.append(text)

    def other_tab(self) -> Self:
        """Another page of the same browser."""
        page = self.context.new_page()
        self._watch(page)
        return type(self)(self.site, self.context, page, self.faults)

    def open(self, path: str) -> None:
        """Open a page of the site, or a link."""
        self.page.goto(path if "://" in path else self.site.url + path)

    def resize(self, width: int) -> None:
        """Give the page this width, and wait until it has it."""
        self.page.set_viewport_size({"width": width, "height": 800})

        def has_it() -> str | None:
            return "it has" if self.page.evaluate("innerWidth") == width else None

        until(has_it, what=f"a page of {width} pixels")

    def open_foreign(self, html: str) -> None:
        """Open a page of another site."""

        def answer(route: Route) -> None:
            route.fulfill(body=html, content_type="text/html")

        self.page.route(FOREIGN, answer)
        self.page.goto(FOREIGN)
        self.page.unroute(FOREIGN)

    def fill(self, **fields: str) -> None:
        """Type into fields by their names."""
        for name, text in fields.items():
            self.page.fill(f"[name={name}]", text)

    def press(self, button: str) -> None:
        """Press the button with this text, and wait for the page after it."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()

    def follow(self, link: str) -> None:
        """Follow the link with this text, and wait for its page."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=link).click()

    def sign_out(self) -> None:
        """Press the button of the menu in the head, or of the page."""
        menu = self.page.locator(".menu:not(.switcher) > summary")
        if menu.count():
            menu.click()
        self.press("Sign out")

    def see(self, text: str) -> None:
        """Look at the page until it has a text: on a busy machine a change takes effect later."""

        def seen() -> str | None:
            if text in self.text:
                return text
            self.page.reload()
            return None

        until(seen, what=text)

    def tab_to(self, selector: str) -> None:
        """Press the tabulator key until this element has the focus, which must be visible."""
        here = f"document.activeElement.matches({json.dumps(selector + ':focus-visible')})"
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(here):
                return
        raise AssertionError(f"the keyboard does not reach {selector}")

    def press_key(self, key: str) -> None:
        """Press a key, and wait for the page after it."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def press_and_return(self, button: str) -> None:
        """Press a button that leads to another site, which leads back to a page here."""
        self.press(button)
        self.page.wait_for_function("document.querySelector('meta[http-equiv]') === null")
        self.page.wait_for_load_state()

    @property
    def title(self) -> str:
        """The heading of the page."""
        return (self.page.text_content("h1") or "").strip()

    @property
    def text(self) -> str:
        """The text of the page."""
        return " ".join((self.page.text_content("main") or "").split())

    @property
    def path(self) -> str:
        """The address of the page, from its path on."""
        return self.page.url.removeprefix(self.site.url)

    @property
    def signed_in(self) -> bool:
        """Whether the browser has a session."""
        return bool(self.cookie("__Host-rolecall_session"))

    def cookie(self, name: str) -> str:
        """The value of a cookie, or nothing."""
        values = {one.get("name"): one.get("value") for one in self.context.cookies()}
        return values.get(name) or ""

    def sign_in(self, person: Person, password: str = PASSWORD) -> None:
        """Sign in by the page, which goes on to another one."""
        if not self.path.startswith("/sign-in"):
            self.open("/sign-in")
        self.fill(email=person.email, password=password)
        self.press("Sign in")


def until(
    condition: Callable[[], str | None], *, what: str, within: float = LONGEST_WAIT_SECONDS
) -> str:
    """Wait for a condition that has a value."""
    deadline = time.monotonic() + within
    while (found := condition()) is None:
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.05)
    return found
