"""What was typed into a form whose session has ended, over a stand-in of the API."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import pytest

from rolecall.client.jwk import decode
from services.console.domain.sealing import Sealer
from services.console.routes import PAGES
from shared.http.routes import PARAMETER
from tests.services.console.accounts import API, EVERYTHING, PAGE, describe_account, member
from tests.services.console.browsing import CONNECTIONS, FORM, problem, tokens
from tests.services.console.conftest import KEY
from tests.services.console.test_settings import HOOK, OWNED, TYPES

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW_TEAM = "/console/new-team"
SEALER = Sealer([decode(KEY)])
TYPED = "Gears <b>"
SHOWN = 'value="Gears &lt;b&gt;"'
LOGIN = "POST /v1/login"
MADE = "POST /v1/accounts"
OVER = problem(401, "token-invalid")
ASKS = "What you entered is kept"
GONE = "What you entered before could not be kept"


def end_session(api):
    """Have the API know no session; return what it answered before."""
    before = api.answers
    api.answers = defaultdict(
        lambda: OVER, {LOGIN: before[LOGIN], CONNECTIONS: before[CONNECTIONS]}
    )
    return before


async def press_after_the_end(browser, api, path=NEW_TEAM, **typed):
    """Type into the form of a page, and press its button when the session has ended."""
    describe_account(api)
    await browser.sign_in()
    await browser.open(path)
    before = end_session(api)
    await browser.press(path, **(typed or {"name": TYPED}))
    assert (browser.status, ASKS in browser.text) == (403, True)
    return before


async def test_a_form_whose_session_has_ended_comes_back_after_the_sign_in(browser, api):
    api.answers = await press_after_the_end(browser, api)
    assert "Gears" not in browser.text
    assert await browser.press(NEW_TEAM, email="a@b.example", password="pw") == ""
    assert (browser.status, SHOWN in browser.text) == (200, True)
    assert "Nothing was changed yet" in browser.text
    assert api.asked_for(MADE) == []
    api.answers[MADE] = (201, {"id": "acc_9"})
    assert await browser.press(NEW_TEAM, name=TYPED) == (
        "/console/accounts/acc_9/members?done=team-created"
    )
    assert len(set(api.keys)) == 1  # it is the same request


async def test_a_wrong_password_and_a_second_factor_lose_no_text(browser, api):
    before = await press_after_the_end(browser, api)
    for code, words, sent in (
        ("wrong-credentials", "The e-mail address or the password is wrong.", {"email": "a@b.c"}),
        ("otp-required", "You are signing in as a@b.c.", {"email": "a@b.c", "password": "pw"}),
        ("wrong-otp", "This code is wrong", {"otp": "000000"}),
    ):
        api.answers[LOGIN] = problem(401, code)
        await browser.press(NEW_TEAM, **sent)
        assert words in browser.text
    api.answers = before
    await browser.press(NEW_TEAM, otp="123456")
    assert SHOWN in browser.text
    assert api.asked_for(LOGIN)[-1] == {
        "email": "a@b.c",
        "password": "pw",
        "otp": "123456",
    }


async def test_a_sign_in_in_another_tab_gives_the_text_back_here(browser, api):
    before = await press_after_the_end(browser, api)
    tab = browser.tab()
    tab.text, page = browser.text, browser.text
    await tab.press(NEW_TEAM)
    assert ASKS in tab.text  # not signed in yet
    api.answers = before
    await browser.open("/forgot-password")
    await browser.press("/sign-in", email="a@b.example", password="pw", to="")
    browser.text = page
    await browser.press(NEW_TEAM)
    assert (browser.status, SHOWN in browser.text) == (200, True)


@pytest.mark.rule("T25")
async def test_another_person_who_signs_in_does_not_get_the_text(browser, api):
    api.answers = await press_after_the_end(browser, api)
    api.answers[LOGIN] = (200, tokens(user_id="usr_other"))
    assert await browser.press(NEW_TEAM, email="o@b.example", password="pw") == NEW_TEAM
    assert "Gears" not in browser.text
    await browser.open(NEW_TEAM)
    assert SHOWN not in browser.text


@pytest.mark.rule("T25")
async def test_a_form_of_a_former_user_shows_its_text_to_no_other_user(browser, api):
    describe_account(api)
    await browser.sign_in()
    await browser.open(NEW_TEAM)
    page = browser.text
    for user_id, shown in (("usr_other", False), ("usr_1", True)):
        api.answers[LOGIN] = (200, tokens(user_id=user_id))
        await browser.open("/sign-out")
        await browser.press("/sign-out")
        await browser.sign_in()
        browser.text = page
        await browser.press(NEW_TEAM, name=TYPED)
        assert (browser.status, SHOWN in browser.text) == (403, shown)
    assert api.asked_for(MADE) == []


async def test_a_form_after_a_sign_out_is_kept_for_its_own_user(browser, api):
    describe_account(api)
    await browser.sign_in()
    await browser.open(NEW_TEAM)
    page = browser.text
    await browser.open("/sign-out")
    await browser.press("/sign-out")
    browser.text = page
    await browser.press(NEW_TEAM, name=TYPED)
    assert ASKS in browser.text
    await browser.press(NEW_TEAM, email="a@b.example", password="pw")
    assert SHOWN in browser.text


@pytest.mark.rule("T25")
async def test_a_sign_in_on_a_page_needs_the_mark_of_its_browser(browser, api):
    await press_after_the_end(browser, api)
    kept = re.findall(r'name="kept" value="([^"]*)"', browser.text)[0]
    asked = len(api.asked_for(LOGIN))
    sent = {"kept": kept, "email": "evil@b.example", "password": "pw"}
    for form in ({}, {"form": "forged.mark"}):
        await browser.send("POST", NEW_TEAM, data=sent | form)
        assert (browser.status, ASKS in browser.text) == (403, True)
    browser.cookies.pop(FORM)
    await browser.press(NEW_TEAM, email="evil@b.example", password="pw")
    assert len(api.asked_for(LOGIN)) == asked


@pytest.mark.rule("T25")
@pytest.mark.parametrize("fault", ["of another page", "forged", "empty", "too old", "none"])
async def test_what_is_not_the_form_of_the_page_is_not_shown(browser, api, fault):
    describe_account(api)
    await browser.sign_in()
    typed, reader = {"name": TYPED}, SEALER.mark("form-reader", "usr_1")
    sealed = {"path": NEW_TEAM, "reader": reader, "typed": typed, "secrets": []}
    made = datetime.now(UTC) - timedelta(seconds=3_610 if fault == "too old" else 0)
    kept = SEALER.seal("kept", sealed, now=made)
    path = "/console/profile" if fault == "of another page" else NEW_TEAM
    text = {"forged": kept[::-1], "empty": ""}.get(fault, kept)
    assert await browser.send("POST", path, data={"kept": text}) == ""
    assert (SHOWN in browser.text, GONE in browser.text) == (fault == "none", fault != "none")


@pytest.mark.parametrize("fault", ["too large", "too old"])
async def test_text_that_is_gone_is_said_to_be_and_its_user_signs_in(browser, api, fault):
    name = "x" * 30_000 if fault == "too large" else TYPED
    describe_account(api)
    await browser.sign_in()
    await browser.open(NEW_TEAM)
    before = end_session(api)
    await browser.press(NEW_TEAM, name=name)
    assert (browser.status, ASKS in browser.text) == (403, fault == "too old")
    if fault == "too old":
        [kept] = set(re.findall(r'name="kept" value="([^"]*)"', browser.text))
        browser.text = browser.text.replace(kept, resealed(kept, age=3_610))
    for code, words in (("wrong-credentials", "is wrong"), ("otp-required", "You are signing in")):
        api.answers[LOGIN] = problem(401, code)
        await browser.press(NEW_TEAM, email="a@b.example", password="pw")
        assert words in browser.text
        assert "could not be kept" in browser.text
    api.answers = before
    assert await browser.press(NEW_TEAM, otp="123456") == ""
    assert (browser.status, GONE in browser.text) == (200, True)
    assert api.asked_for(MADE) == []


def resealed(kept: str, *, age: int) -> str:
    """A kept form that is `age` seconds old."""
    now = datetime.now(UTC)
    content = SEALER.open("kept", kept, now=now, seconds=3_600, longest=30_000)
    return SEALER.seal("kept", content, now=now - timedelta(seconds=age))


async def test_no_secret_is_kept(browser, api):
    path = f"{PAGE}/settings/streams/new"
    fields = {"name": "Lake", "url": "https://log.example/", "secret": "hunter2-hunter2"}
    before = await press_after_the_end(browser, api, path, **fields)
    api.answers = before
    await browser.press(path, email="a@b.example", password="pw")
    assert "https://log.example/" in browser.text
    assert "hunter2" not in browser.text


@pytest.mark.parametrize("secret", ["hunter2!", ""])
async def test_a_secret_that_was_typed_is_asked_for_again(browser, api, secret):
    path = f"{PAGE}/settings/sign-in/new"
    before = await press_after_the_end(
        browser, api, path, press="create", label="Acme", client_secret=secret
    )
    assert ("Secrets are not kept." in browser.text) == bool(secret)
    api.answers = before
    await browser.press(path, email="a@b.example", password="pw")
    assert 'value="Acme"' in browser.text
    assert ("Enter it again" in browser.text) == bool(secret)


SECRETS = (
    (f"{PAGE}/settings/sign-in/new", "client_secret"),
    (f"{PAGE}/settings/streams/new", "secret"),
    ("/console/profile", "current"),
    ("/console/profile", "new"),
)


@pytest.mark.parametrize(("path", "secret"), SECRETS)
async def test_a_form_of_before_a_sign_in_shows_no_secret_again(browser, api, path, secret):
    describe_account(api)
    await browser.sign_in()
    await browser.open(path)
    typed = {"name": TYPED, "label": TYPED, secret: "hunter2!"}
    await browser.press(path, form="of-before", press="create", **typed)
    assert (browser.status, SHOWN in browser.text) == (403, True)
    assert "hunter2!" not in browser.text


STATES = (
    (f"{PAGE}/members/usr_2", f"{API}/members/usr_2", {"expires_at": "2026-12-24"}),
    (f"{PAGE}/projects/prj_1", f"{API}/projects/prj_1", {"name": TYPED}),
    (f"{PAGE}/settings", API, {"name": TYPED}),
    (f"{PAGE}/settings/webhooks/whk_1", f"{API}/webhooks/whk_1", {"description": TYPED}),
)


@pytest.mark.parametrize(("path", "subject", "typed"), STATES, ids=[one[0] for one in STATES])
async def test_a_kept_form_overwrites_nothing_that_has_changed_meanwhile(
    browser, api, path, subject, typed
):
    describe_subjects(api)
    await browser.sign_in()
    await browser.open(path)
    before = end_session(api)
    await browser.press(path, press="change", **typed)
    assert ASKS in browser.text
    status, found = before[f"GET {subject}"]
    before |= {f"GET {subject}": (status, found | {"etag": '"s2"'})}
    before |= {f"PATCH {subject}": problem(412, "precondition-failed")}
    api.answers = before
    await browser.press(path, email="a@b.example", password="pw")
    [text] = typed.values()
    shown = f'value="{escape(text)}"'
    assert (shown in browser.text, 'name="state" value="s1"' in browser.text) == (True, True)
    await browser.press(path, press="change", **typed)
    assert set(api.conditions) == {'"s1"'}
    assert (browser.status, shown in browser.text) == (412, True)
    assert "Someone has changed this meanwhile" in browser.text
    assert 'name="state" value="s2"' in browser.text


def describe_subjects(api):
    """What the pages of `STATES` ask, each in the state s1."""
    account, state = OWNED | {"etag": '"s1"'}, {"etag": '"s1"'}
    permissions = (*EVERYTHING, "account:update", "webhook:manage", "project:manage")
    describe_account(api, permissions=permissions, account=account)
    nothing: tuple[int, dict[str, Any]] = (200, {"items": [], "next_cursor": None})
    api.answers |= {
        f"GET {API}/members/usr_2": (200, member(2) | state),
        f"GET {API}/members/usr_2/access": nothing,
        f"GET {API}/projects/prj_1": (200, {"id": "prj_1", "name": "Prod"} | state),
        f"GET {API}/projects/prj_1/overrides": nothing,
        f"GET {API}/webhooks/whk_1": (200, {**HOOK, **state}),
        f"GET {API}/webhooks/whk_1/deliveries": nothing,
        "GET /v1/webhook-event-types": (200, {"items": [{"type": one} for one in TYPES]}),
    }


FORMS = sorted(
    {
        PARAMETER.sub("x1", row.path)
        for row in PAGES
        if row.submit and row.path.startswith("/console") and not row.when_over
    }
    | {"/security", "/security/passkeys", "/security/sessions", "/notifications/settings"}
    | {"/security/identities", "/security/tokens"}
)


@pytest.mark.parametrize("path", FORMS)
async def test_the_form_of_each_page_is_kept_when_its_session_has_ended(browser, api, path):
    describe_account(api)
    await browser.sign_in()
    await browser.open(NEW_TEAM)  # each form of a browser has the same mark
    end_session(api)
    await browser.press(path, press="save", name=TYPED)
    assert (browser.status, ASKS in browser.text) == (403, True)
