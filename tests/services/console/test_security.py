"""The page of second factors over a stand-in of the API: proofs, secrets, and what is sent."""

import re

import aiohttp
import pytest

from tests.services.console.browsing import ACCESS, SESSION, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "/security"
STEP_UP, BEGIN = "POST /v1/me/step-up", "POST /v1/me/mfa/totp"
CONFIRM, REMOVE = "POST /v1/me/mfa/totp/confirm", "DELETE /v1/me/mfa/totp"
NEW_CODES = "POST /v1/me/mfa/recovery-codes"
SECRET = "JBSWY3DPEHPK3PXP"
MADE = (200, {"secret": SECRET, "uri": f"otpauth://totp/R:a?secret={SECRET}", "qr_svg": "<b>"})
CODES = (200, {"recovery_codes": ["AAAA-BBBB-CCCC", "DDDD-EEEE-FFFF"]})
PROVED = (200, {"access_token": "e30.proved.token", "expires_in": 300})
TOO_OLD = problem(401, "step-up-required")
WITH_APP = (
    200,
    {"totp": {"added_at": "2026-11-27T05:00:00Z"}, "passkeys": 0, "recovery_codes_left": 7},
)


async def press_and_keep_headers(browser, press: str, **fields: str) -> str:
    """Press a button, and return what the answer says of its storage."""
    lines: list[str] = []

    async def note(session, context, params) -> None:
        lines.append(params.response.headers["Cache-Control"])

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[trace]
    ) as http:
        before, browser.http = browser.http, http
        await browser.press(PAGE, press=press, **fields)
        browser.http = before
    return lines[0]


@pytest.mark.rule("B1", "T25")
async def test_an_app_is_added_by_its_first_code_and_its_codes_are_kept_nowhere(browser, api):
    api.answers |= {BEGIN: MADE, CONFIRM: problem(401, "wrong-otp")}
    await browser.sign_in()
    await browser.open(PAGE)
    assert await press_and_keep_headers(browser, "begin") == "no-store"
    assert "JBSW Y3DP EHPK 3PXP" in browser.text
    assert '<svg viewBox="' in browser.text
    assert "<b>" not in browser.text  # no markup of the API
    await browser.press(PAGE, press="confirm", otp="000000")
    assert "This code is wrong" in browser.text
    assert "JBSW Y3DP EHPK 3PXP" in browser.text
    assert SESSION in browser.cookies
    api.answers[CONFIRM] = CODES
    assert await press_and_keep_headers(browser, "confirm", otp=" 123456 ") == "no-store"
    assert "AAAA-BBBB-CCCC" in browser.text
    assert api.asked_for(CONFIRM) == [{"otp": "000000"}, {"otp": "123456"}]
    await browser.open(PAGE)
    assert "AAAA-BBBB-CCCC" not in browser.text


@pytest.mark.rule("T25")
async def test_the_secret_of_an_app_is_not_shown_after_another_sign_in(browser, api):
    api.answers |= {BEGIN: MADE, CONFIRM: problem(401, "wrong-otp")}
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="begin")
    [sealed] = re.findall('name="enrolment" value="([^"]*)"', browser.text)
    for own in (True, False):
        await browser.press(PAGE, press="confirm", otp="000000", enrolment=sealed)
        assert ("JBSW Y3DP EHPK 3PXP" in browser.text) is own
        browser.cookies.clear()
        await browser.sign_in()
        await browser.open(PAGE)


@pytest.mark.rule("T25")
@pytest.mark.parametrize("press", ["begin", "confirm", "remove", "codes", "sign-in-again"])
async def test_a_press_without_the_mark_changes_no_second_factor(browser, api, press):
    await browser.sign_in()
    api.asked.clear()
    await browser.send("POST", PAGE, data={"press": press, "otp": "123456", "proof": "yes"})
    assert browser.status == 403
    assert {name.partition(" ")[0] for name, *_ in api.asked} == {"GET"}


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("factors", "field", "wrong"),
    [
        (None, "password", problem(403, "wrong-password")),
        (WITH_APP, "otp", problem(401, "wrong-otp")),
    ],
    ids=["password", "code"],
)
async def test_a_proof_that_is_too_old_is_asked_for_first(browser, api, factors, field, wrong):
    api.answers |= {NEW_CODES: TOO_OLD, STEP_UP: wrong}
    if factors:
        api.answers["GET /v1/me/mfa"] = factors
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="codes")
    assert "Is it you?" in browser.text
    await browser.press(PAGE, press="codes", **{field: "wrong"})
    assert f'id="{field}-fault"' in browser.text
    assert 'value="wrong"' not in browser.text
    assert len(api.asked_for(NEW_CODES)) == 1
    api.answers |= {NEW_CODES: CODES, STEP_UP: PROVED}
    await browser.press(PAGE, press="codes", **{field: "right"})
    assert "DDDD-EEEE-FFFF" in browser.text
    assert api.asked_for(STEP_UP) == [{field: "wrong"}, {field: "right"}]
    sent = [token for name, _, token in api.asked if name == NEW_CODES]
    assert sent == [f"Bearer {ACCESS}", "Bearer e30.proved.token"]


async def test_the_removal_of_an_app_is_asked_twice(browser, api):
    api.answers |= {REMOVE: (204, None), "GET /v1/me/mfa": WITH_APP}
    await browser.sign_in()
    await browser.open(PAGE)
    assert "7 left" in browser.text
    await browser.press(PAGE, press="ask-remove")
    assert "Your password alone signs you in then" in browser.text
    assert api.asked_for(REMOVE) == []
    assert await browser.press(PAGE, press="remove") == f"{PAGE}?done=app-removed"
    assert api.asked_for(REMOVE) == [None]


async def test_who_has_neither_password_nor_factor_signs_in_again(browser, api):
    api.answers |= {BEGIN: TOO_OLD, STEP_UP: problem(409, "sign-in-again")}
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="begin")
    await browser.press(PAGE, press="begin", password="x")
    assert "Sign in again, then go on" in browser.text
    assert await browser.press(PAGE, press="sign-in-again") == "/sign-in?to=%2Fsecurity"
    assert SESSION not in browser.cookies


async def test_an_app_that_waits_no_more_is_said_on_the_page(browser, api):
    api.answers |= {BEGIN: MADE, CONFIRM: problem(409, "enrolment-missing")}
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="begin")
    await browser.press(PAGE, press="confirm", otp="123456")
    assert browser.status == 409
    assert "or the app was added already" in browser.text
    assert SECRET not in browser.text


async def test_passkeys_are_named_as_text(browser, api):
    one = {"id": "a", "name": "<b>Laptop", "added_at": "2026-11-27T05:00:00Z"}
    api.answers["GET /v1/me/passkeys"] = (200, {"items": [one]})
    await browser.sign_in()
    await browser.open(PAGE)
    assert "&lt;b&gt;Laptop" in browser.text


async def test_an_account_that_demands_a_second_factor_leads_to_the_page(browser, api):
    api.answers["POST /v1/session/switch"] = problem(403, "second-factor-required")
    await browser.sign_in()
    await browser.open("/console")
    assert f'href="{PAGE}"' in browser.text
    where = await browser.press("/console", account_id="acc_2")
    assert where == f"{PAGE}?done=second-factor-required"
    await browser.open(where)
    assert "only with a second factor" in browser.text
