"""Sign-in with a passkey over a stand-in of the API: what the page has, and what it sends."""

import json

import aiohttp
import pytest

from tests.services.console.browsing import SESSION, Browser, problem
from tests.services.console.conftest import console_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "/sign-in/passkey"
BEGIN, FINISH = "POST /v1/login/passkey/begin", "POST /v1/login/passkey/finish"
CREDENTIAL = {"id": "a", "rawId": "a", "type": "public-key", "response": {"signature": "s"}}


@pytest.mark.rule("B1")
async def test_what_a_passkey_signed_is_sent_with_its_challenge(browser, api):
    options = {"rpId": "x", "challenge": '"><script>alert(1)</script>'}
    api.answers[BEGIN] = (200, {"challenge": "sealed", "options": options})
    await browser.open(f"{PAGE}?to=/invitations")
    assert "alert(1)</script>" not in browser.text
    assert " data-begins" in browser.text
    assert await browser.press(PAGE, credential=json.dumps(CREDENTIAL)) == "/invitations"
    assert api.asked_for(FINISH) == [{"challenge": "sealed", "credential": CREDENTIAL}]
    assert SESSION in browser.cookies


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (problem(401, "passkey-refused"), "This passkey is not known here"),
        (problem(410, "passkey-challenge-over"), "This took too long"),
        (problem(503, "unavailable"), "does not answer"),
    ],
)
async def test_a_passkey_that_is_refused_is_asked_for_by_a_press(browser, api, refusal, words):
    api.answers[FINISH] = refusal
    await browser.open(PAGE)
    assert await browser.press(PAGE, credential=json.dumps(CREDENTIAL)) == ""
    assert words in browser.text
    assert " data-begins" not in browser.text  # else it would ask again and again
    assert len(api.asked_for(BEGIN)) == 2
    assert SESSION not in browser.cookies


@pytest.mark.parametrize("text", ["", "{", "é", "[" * 4000])
async def test_what_no_passkey_signed_asks_nothing(browser, api, text):
    await browser.open(PAGE)
    await browser.press(PAGE, credential=text)
    assert browser.status == 403
    assert "No passkey was used" in browser.text
    assert api.asked_for(FINISH) == []


async def test_the_way_with_a_passkey_stands_beside_each_password_form(browser, api):
    await browser.open("/sign-in?to=/invitations")
    assert f'href="{PAGE}?to=/invitations"' in browser.text
    api.answers["POST /v1/login"] = problem(401, "otp-required")
    await browser.press("/sign-in", email="a@b.example", password="hunter2!")
    assert f'href="{PAGE}?to=/invitations"' in browser.text


async def test_where_browsers_use_no_passkeys_the_pages_offer_none():
    async with (
        console_at("http://127.0.0.1:8080") as (api, url),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        browser = Browser(http, url)
        await browser.open("/sign-in")
        assert (browser.status, "passkey" in browser.text.lower()) == (200, False)
        api.answers["POST /v1/login"] = problem(401, "otp-required")
        await browser.press("/sign-in", email="a@b.example", password="hunter2!")
        assert "recovery code" in browser.text
        assert "passkey" not in browser.text.lower()
        assert await browser.open(f"{PAGE}?to=/invitations") == "/sign-in?to=%2Finvitations"
        assert api.asked_for(BEGIN) == []
