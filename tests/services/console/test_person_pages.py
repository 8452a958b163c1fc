"""The pages about the visitor, over a stand-in of the API: their frame, language and zone."""

import html
import re

import pytest

from services.console.domain.sections import PERSON_SECTIONS
from services.console.pages.words import WORDS
from tests.services.console.accounts import ME, OTHER, describe_account
from tests.services.console.browsing import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSIONS = {
    "items": [
        {
            "id": f"ses_{number}",
            "current": number == 1,
            "device": "Firefox",
            "network": "203.0.113.1",
            "place": None,
            "last_used_at": "2026-11-26T23:30:00Z",
        }
        for number in (1, 2)
    ],
    "next_cursor": None,
}
PASSKEY = {"id": "pk_1", "name": "K", "added_at": "2026-11-26T23:30:00Z", "used_at": None}
FACTORS = {"totp": {"added_at": PASSKEY["added_at"]}, "passkeys": 1, "recovery_codes_left": 7}
MESSAGE = {
    "id": "m",
    "kind": "role_changed",
    "title": "T",
    "text": "X",
    "created_at": PASSKEY["added_at"],
    "unread": True,
}
IDENTITY = {"id": "idn_1", "label": "L", "email": None, "linked_at": PASSKEY["added_at"]}
TOKEN = {
    "id": "tok_1",
    "account_id": "acc_9",
    "name": "T",
    "status": "active",
    "last_used_at": None,
    "expires_at": PASSKEY["added_at"],
    "revoked_at": None,
    "restriction": {"projects": None, "grants": None, "read_only": False},
}
PATHS = (
    *(section.path for section in PERSON_SECTIONS),
    *("/console/accounts", "/console/new-team", "/console/profile/delete"),
    *("/security/identities", "/security/tokens"),
)
ENGLISH = {
    text.en: name
    for name, text in WORDS.items()
    if text.en != text.de and "{" not in text.en and len(text.en) > 3
}
TAG = re.compile(r"<bdi.*?</bdi>|<[^>]*>")
"""What stands between texts; what people have named is not a text of ours."""


def describe_person(api, **me: str) -> None:
    """Have the stand-in answer what the pages about the visitor ask."""
    describe_account(api)
    api.answers |= {
        "GET /v1/me": (200, ME | me),
        "GET /v1/me/sessions": (200, SESSIONS),
        "GET /v1/me/mfa": (200, FACTORS),
        "GET /v1/me/passkeys": (200, {"items": [PASSKEY]}),
        "GET /v1/me/identities": (200, {"items": [IDENTITY]}),
        "GET /v1/me/api-tokens": (200, {"items": [TOKEN], "next_cursor": "c"}),
        "GET /v1/me/notifications": (200, {"items": [MESSAGE], "next_cursor": "c"}),
    }


@pytest.mark.parametrize("path", PATHS)
async def test_each_page_about_the_visitor_has_the_frame_and_speaks_german(browser, api, path):
    describe_person(api, locale="de", time_zone="Europe/Vienna")
    await browser.sign_in()
    await browser.open(path)
    assert browser.status == 200
    assert '<html lang="de">' in browser.text
    assert '<body class="wide">' in browser.text
    assert 'href="/console/accounts/acc_2"><bdi>Gears &lt;b&gt;</bdi>' in browser.text
    assert all(f'<a href="{section.path}"' in browser.text for section in PERSON_SECTIONS)
    said = {html.unescape(one).strip() for one in TAG.split(browser.text)}
    assert {ENGLISH[text] for text in said & ENGLISH.keys()} == set()


@pytest.mark.parametrize("path", ["/notifications", "/security", "/security/sessions"])
async def test_dates_are_those_of_the_visitors_zone(browser, api, path):
    describe_person(api, time_zone="Europe/Vienna")
    await browser.sign_in()
    await browser.open(path)
    assert "27 Nov 2026" in browser.text
    assert "26 Nov 2026" not in browser.text


async def test_a_page_about_the_visitor_does_without_the_accounts_of_its_head(browser, api):
    describe_person(api)
    api.answers["GET /v1/accounts"] = problem(503, "unavailable")
    await browser.sign_in()
    await browser.open("/security/sessions")
    assert (browser.status, "This browser" in browser.text) == (200, True)
    assert 'href="/console/accounts">' in browser.text


async def test_the_name_of_the_visitor_is_changed(browser, api):
    describe_person(api)
    api.answers["PATCH /v1/me"] = problem(
        422, "invalid", errors=[{"pointer": "/name", "message": "Must not be empty."}]
    )
    await browser.sign_in()
    await browser.open("/console/profile")
    await browser.press("/console/profile", press="rename", name="<b>")
    assert (browser.status, 'id="name-fault"' in browser.text) == (422, True)
    assert 'value="&lt;b&gt;"' in browser.text
    api.answers["PATCH /v1/me"] = (200, ME)
    where = await browser.press("/console/profile", press="rename", name="Eve")
    assert where == "/console/profile?done=renamed"
    assert api.asked_for("PATCH /v1/me")[-1] == {"name": "Eve"}


STEP_UP = "POST /v1/me/step-up"
PROVED = (200, {"access_token": "e30.proved.token", "expires_in": 300})
TOO_OLD = problem(401, "step-up-required")


@pytest.mark.rule("B1")
async def test_a_new_address_needs_a_fresh_proof_and_keeps_what_was_typed(browser, api):
    describe_person(api)
    api.answers |= {"POST /v1/me/email": TOO_OLD, STEP_UP: PROVED}
    await browser.sign_in()
    await browser.open("/console/profile")
    await browser.press("/console/profile", press="address", email="new@example.com")
    assert "Is it you?" in browser.text
    api.answers["POST /v1/me/email"] = (202, {})
    where = await browser.press("/console/profile", press="address", otp="123456")
    assert where == "/console/profile?done=address-asked"
    assert api.asked_for("POST /v1/me/email")[-1] == {"email": "new@example.com"}


async def test_a_password_is_changed_and_never_shown_again(browser, api):
    describe_person(api)
    api.answers["POST /v1/me/password"] = problem(403, "wrong-password")
    await browser.sign_in()
    await browser.open("/console/profile")
    sent = {"current": "hunter2!", "new": "correct horse"}
    await browser.press("/console/profile", press="password", **sent)
    assert 'id="current-fault"' in browser.text
    assert not any(text in browser.text for text in sent.values())
    api.answers["POST /v1/me/password"] = (204, None)
    where = await browser.press("/console/profile", press="password", **sent)
    assert where == "/console/profile?done=password-changed"
    assert api.asked_for("POST /v1/me/password") == [sent, sent]


@pytest.mark.rule("B1")
async def test_the_visitors_data_are_a_file_after_a_proof(browser, api):
    describe_person(api)
    api.answers |= {"GET /v1/me/export": TOO_OLD, STEP_UP: PROVED}
    await browser.sign_in()
    await browser.open("/console/profile")
    await browser.press("/console/profile", press="export")
    assert "Is it you?" in browser.text
    api.answers["GET /v1/me/export"] = (200, {"email": "ana@example.com"})
    await browser.press("/console/profile", press="export", otp="123456")
    assert (browser.status, browser.text) == (200, '{"email": "ana@example.com"}')


@pytest.mark.rule("B1", "T25")
async def test_the_visitor_is_deleted_after_typing_their_address_and_a_proof(browser, api):
    describe_person(api)
    wrong = {"pointer": "/query/confirm", "message": "Must be your own e-mail address."}
    api.answers |= {"DELETE /v1/me": problem(422, "invalid", errors=[wrong]), STEP_UP: PROVED}
    page = "/console/profile/delete"
    await browser.sign_in()
    await browser.send("POST", page, data={"press": "delete", "confirm": "ana@example.com"})
    assert (browser.status, api.asked_for("DELETE /v1/me")) == (403, [])
    await browser.open(page)
    await browser.press(page, press="delete", confirm="x")
    assert 'id="confirm-fault"' in browser.text
    api.answers["DELETE /v1/me"] = TOO_OLD
    await browser.press(page, press="delete", confirm="ana@example.com")
    assert "Is it you?" in browser.text
    api.answers["DELETE /v1/me"] = (204, None)
    where = await browser.press(page, press="delete", otp="123456")
    assert where == "/sign-in?done=person-deleted"
    assert ("DELETE /v1/me", {"confirm": "ana@example.com"}) in api.queries
    assert not any("session" in name for name in browser.cookies)


async def test_a_deleted_visitor_is_signed_out_and_a_second_press_says_so(browser, api):
    describe_person(api)
    page = "/console/profile/delete"
    await browser.sign_in()
    await browser.open(page)
    second = browser.tab()
    second.text = browser.text
    api.answers |= {"DELETE /v1/me": (204, None), "POST /v1/logout": problem(503, "unavailable")}
    where = await browser.press(page, press="delete", confirm="ana@example.com")
    assert where == "/sign-in?done=person-deleted"
    assert not any("session" in name for name in browser.cookies)
    api.answers["GET /v1/me"] = problem(401, "token-invalid")
    where = await second.press(page, press="delete", confirm="ana@example.com")
    assert where.startswith("/sign-in?")
    assert "done=deleted-or-expired" in where
    browser.receive(second.set_cookies)
    await browser.open(where)
    assert "you were deleted" in browser.text


async def test_the_account_of_a_page_that_is_gone_leaves_the_visitors_own_frame(browser, api):
    describe_person(api)
    api.answers |= {
        "GET /v1/accounts/acc_1": problem(404, "not-found"),
        "GET /v1/accounts": (200, {"items": [OTHER], "next_cursor": None}),
    }
    await browser.sign_in()
    await browser.open("/console/accounts/acc_1/members")
    assert (browser.status, "You have no access" in browser.text) == (404, True)
    assert 'href="/console/accounts/acc_2">' in browser.text
