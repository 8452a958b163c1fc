"""The pages before a sign-in, and of mailed links, in the language of the reader or the browser."""

import html
import re

import pytest

from services.console.pages.texts import FAILURES
from services.console.pages.words import WORDS
from tests.services.console.browsing import ME, OPENED

pytestmark = pytest.mark.asyncio(loop_scope="module")

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
PATHS = (
    *("/sign-in", "/sign-in/company", "/sign-in/passkey", "/sign-up", "/sign-up/sent"),
    *("/forgot-password", "/forgot-password/sent", "/invitations", "/undo-email"),
    *("/verify", "/reset-password", "/remove-factor"),
)
LINKED = frozenset({"/invitations", "/undo-email", "/verify", "/reset-password", "/remove-factor"})
ENGLISH = {
    text.en: name
    for name, text in WORDS.items()
    if text.en != text.de and "{" not in text.en and len(text.en) > 3
}
TAG = re.compile(r"<bdi.*?</bdi>|<[^>]*>")


def english_words(page: str) -> set[str]:
    """The texts of the tables that a page has in English."""
    said = {html.unescape(one).strip() for one in TAG.split(page)}
    return {ENGLISH[text] for text in said & ENGLISH.keys()}


@pytest.mark.parametrize("path", PATHS)
async def test_a_stranger_reads_each_page_in_the_language_of_the_browser(browser, api, path):
    where = f"{path}?token=inv_1.1.a&code=K7" if path in LINKED else path
    await browser.send("GET", where, headers=GERMAN)
    await browser.send("GET", path, headers=GERMAN)
    assert (browser.status, '<html lang="de">' in browser.text) == (200, True)
    assert english_words(browser.text) == set()
    await browser.open(path)
    assert '<html lang="en">' in browser.text


@pytest.mark.parametrize("path", ["/verify", "/reset-password", "/invitations", "/undo-email"])
async def test_a_link_that_is_over_or_missing_says_so_in_german(browser, api, path):
    await browser.send("GET", path, headers=GERMAN)
    assert english_words(browser.text) == set()
    gone = (410, {"code": "link-invalid", "detail": "-"})
    api.answers |= {"POST /v1/links/lookup": gone, "POST /v1/invitations/lookup": gone}
    await browser.send("GET", f"{path}?token=inv_1.1.a&code=K7", headers=GERMAN)
    await browser.send("GET", path, headers=GERMAN)
    assert (browser.status, english_words(browser.text)) == (410, set())


async def test_an_invitation_is_in_the_language_of_the_user_who_is_signed_in(browser, api):
    api.answers["GET /v1/me"] = (200, ME | {"locale": "de", "time_zone": "Europe/Vienna"})
    api.answers["POST /v1/invitations/lookup"] = (
        200,
        OPENED | {"expires_at": "2026-11-26T23:30:00Z"},
    )
    await browser.sign_in()
    await browser.open("/invitations?token=inv_1.1.a&code=K7")
    await browser.open("/invitations")
    assert "lädt Sie in das Team" in browser.text
    assert "27. Nov. 2026" in browser.text


FAILED = [
    ("GET", "/console/nothing", {"Accept": "text/html"}, 404),
    ("POST", "/sign-in", {"Content-Type": "text/plain"}, 415),
    ("POST", "/sign-in", {"Origin": "https://evil.example"}, 403),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), FAILED)
async def test_a_request_that_no_page_takes_is_answered_in_german(
    browser, method, path, headers, status
):
    form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    await browser.send(method, path, headers={**GERMAN, **form, **headers})
    assert (browser.status, '<html lang="de">' in browser.text) == (status, True)
    assert english_words(browser.text) == set()
    assert not any(text.en in html.unescape(browser.text) for text in FAILURES.values())


async def test_a_session_that_has_ended_is_told_in_the_language_of_its_user(browser, api):
    api.answers["GET /v1/me"] = (200, ME | {"locale": "de"})
    await browser.sign_in()
    await browser.open("/console")
    api.answers["POST /v1/session/switch"] = (401, {"code": "token-invalid", "detail": "-"})
    await browser.press("/console", account_id="acc_2")
    assert (browser.status, '<html lang="de">' in browser.text) == (403, True)
    assert english_words(browser.text) == set()
    api.answers["GET /v1/me"] = (401, {"code": "token-invalid", "detail": "-"})
    await browser.open(await browser.open("/console"))
    assert '<html lang="de">' in browser.text
