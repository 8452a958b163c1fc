"""The page of passkeys over a stand-in of the API: what is sent, and what a form cannot name."""

import json

import aiohttp
import pytest

from tests.services.console.browsing import Browser, problem
from tests.services.console.conftest import console_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "/security/passkeys"
LISTED, BEGIN, ADD = "GET /v1/me/passkeys", "POST /v1/me/passkey-challenges", "POST /v1/me/passkeys"
NAMES, REMOVE = "PATCH /v1/me/passkeys/pk_1", "DELETE /v1/me/passkeys/pk_1"
ONE = {"id": "pk_1", "name": "<b>Laptop", "added_at": "2026-11-27T05:00:00Z", "used_at": None}
LIST = (200, {"items": [ONE]})
MADE = {"id": "a", "rawId": "a", "type": "public-key", "response": {"attestationObject": "o"}}
OPTIONS = {"challenge": "c", "user": {"id": "u", "name": '"><script>alert(1)</script>'}}
TOO_OLD = problem(401, "step-up-required")
PROVED = (200, {"access_token": "e30.proved.token", "expires_in": 300})


async def begun(browser: Browser, api) -> None:
    """The page that has the browser make a passkey."""
    api.answers |= {BEGIN: (200, {"challenge": "sealed", "options": OPTIONS}), LISTED: LIST}
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="begin")


@pytest.mark.rule("B1")
@pytest.mark.parametrize("codes", [[], ["AAAA-BBBB-CCCC"]], ids=["another", "the first"])
async def test_what_the_browser_made_is_added_under_a_name(browser, api, codes):
    await begun(browser, api)
    assert "alert(1)</script>" not in browser.text
    assert "Passkeys need JavaScript." in browser.text
    api.answers[ADD] = (200, {**ONE, "recovery_codes": codes})
    where = await browser.press(PAGE, name=" Phone ", credential=json.dumps(MADE))
    assert api.asked_for(ADD) == [{"challenge": "sealed", "credential": MADE, "name": "Phone"}]
    assert where == ("" if codes else f"{PAGE}?done=passkey-added")
    assert all(code in browser.text for code in codes)


@pytest.mark.parametrize("text", ["", "{", "é", "[" * 4000])
async def test_what_the_browser_did_not_make_adds_nothing(browser, api, text):
    await begun(browser, api)
    await browser.press(PAGE, name="Phone", credential=text)
    assert (browser.status, "No passkey was made" in browser.text) == (403, True)
    assert api.asked_for(ADD) == []


async def test_a_proof_that_became_too_old_leads_to_a_new_beginning(browser, api):
    await begun(browser, api)
    api.answers |= {ADD: TOO_OLD, "POST /v1/me/step-up": PROVED}
    await browser.press(PAGE, name="Phone", credential=json.dumps(MADE))
    assert 'name="press" value="begin">Go on' in browser.text
    await browser.press(PAGE, press="begin", password="right")
    assert "data-makes" in browser.text
    assert len(api.asked_for(BEGIN)) == 2


async def test_a_passkey_is_renamed_and_a_wrong_name_is_told(browser, api):
    api.answers |= {LISTED: LIST, NAMES: (200, ONE)}
    await browser.sign_in()
    await browser.open(PAGE)
    assert "&lt;b&gt;Laptop" in browser.text
    where = await browser.press(PAGE, press="rename", name="Phone")
    assert where == f"{PAGE}?done=passkey-renamed"
    assert api.asked_for(NAMES) == [{"name": "Phone"}]
    errors = [{"pointer": "/name", "message": "Must have visible characters."}]
    api.answers[NAMES] = problem(422, "invalid", errors=errors)
    await browser.open(PAGE)
    await browser.press(PAGE, press="rename", name=" ")
    assert (browser.status, "Must have visible characters." in browser.text) == (422, True)


async def test_the_removal_is_asked_twice_and_keeps_its_passkey_in_a_proof(browser, api):
    api.answers |= {LISTED: LIST, REMOVE: TOO_OLD, "POST /v1/me/step-up": PROVED}
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="ask-remove")
    assert "It is your only second factor." in browser.text
    assert api.asked_for(REMOVE) == []
    await browser.press(PAGE, press="remove")
    assert "Is it you?" in browser.text
    api.answers[REMOVE] = (204, None)
    where = await browser.press(PAGE, press="remove", password="right")
    assert where == f"{PAGE}?done=passkey-removed"
    assert len(api.asked_for(REMOVE)) == 2


async def test_another_session_goes_on_with_the_passkeys(browser, api):
    api.answers |= {BEGIN: TOO_OLD}
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="begin")
    where = await browser.press(PAGE, press="sign-in-again")
    assert where == "/sign-in?to=%2Fsecurity%2Fpasskeys"


@pytest.mark.rule("T1")
@pytest.mark.parametrize("text", ["..", "../../me", "pk_1/../..", "", "a?b", "é"])
@pytest.mark.parametrize(
    ("page", "press", "field"),
    [
        (PAGE, "remove", "passkey_id"),
        ("/security/sessions", "end", "session_id"),
        ("/security/identities", "unlink", "identity_id"),
        ("/security/tokens", "revoke", "token_id"),
    ],
)
async def test_the_id_of_a_form_leads_to_no_other_route(browser, api, page, press, field, text):
    """Two dots would make `DELETE /v1/me` of it, which deletes the user."""
    gone = problem(404, "not-found")
    kinds = ("passkeys", "sessions", "identities", "api-tokens")
    api.answers |= {f"DELETE /v1/me/{kind}/-": gone for kind in kinds}
    api.answers |= {
        f"GET /v1/me/{kind}": (200, {"items": [], "next_cursor": None}) for kind in kinds
    }
    await browser.sign_in()
    await browser.open(page)
    await browser.press(page, press=press, **{field: text})
    [asked] = [name for name, *_ in api.asked if name.startswith("DELETE")]
    assert asked in {f"DELETE /v1/me/{kind}/-" for kind in kinds}


async def test_where_browsers_make_no_passkeys_none_is_offered():
    async with (
        console_at("http://127.0.0.1:8080") as (api, url),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        browser = Browser(http, url)
        await browser.sign_in()
        await browser.open(PAGE)
        assert "Browsers make no passkeys at this address." in browser.text
        await browser.press(PAGE, press="begin")
        assert api.asked_for(BEGIN) == []
