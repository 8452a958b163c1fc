"""The pages over a stand-in of the API: what a press asks, and what a browser keeps."""

import gzip
import re

import pytest
from aiohttp import ClientSession

from services.console.pages.rendering import STATIC_FILES
from services.console.routes import PAGES
from shared.http.routes import PARAMETER
from tests.services.console.browsing import (
    ACCESS,
    ACCESS_TO_END,
    ANSWERS,
    FORM,
    LINKS,
    ME,
    NOTE,
    SESSION,
    TOKENS,
    Browser,
    problem,
    tokens,
)

ADDRESSES = [PARAMETER.sub("acme", row.path) for row in PAGES]


@pytest.mark.rule("T11")
async def test_each_sign_in_gives_another_session_cookie_with_every_guard(browser):
    seen = set()
    for _ in range(2):
        await browser.sign_in()
        names = {line.partition("=")[0] for line in browser.lines}
        assert names - {NOTE} == {SESSION, TOKENS, FORM}
        for line in browser.lines:
            for guard in ("HttpOnly", "Secure", "Path=/", "SameSite=Lax"):
                assert guard in line.split("; ")
            assert "Domain" not in line
            assert ACCESS not in line
            assert "refresh-1" not in line
        seen |= {browser.cookies[SESSION], browser.cookies[FORM]}
        await browser.open("/sign-out")
        await browser.press("/sign-out")
        assert SESSION not in browser.cookies
    assert len(seen) == 4


@pytest.mark.rule("T25")
@pytest.mark.parametrize("fault", ["no mark", "wrong mark", "mark of another browser", "no cookie"])
async def test_a_press_without_the_mark_of_this_browser_asks_nothing(browser, api, fault):
    await browser.open("/forgot-password")
    mark = re.findall(r'name="form" value="([^"]*)"', browser.text)[0]
    if fault == "mark of another browser":
        browser.cookies.clear()
        await browser.open("/forgot-password")
    sent = {"no mark": {}, "wrong mark": {"form": mark[::-1]}}.get(fault, {"form": mark})
    if fault == "no cookie":
        browser.cookies.clear()
    where = "/forgot-password"
    assert await browser.send("POST", where, data={"email": "a@b.example", **sent}) == ""
    assert browser.status == 403
    assert 'value="a@b.example"' in browser.text  # what was typed stays
    assert api.asked == []


@pytest.mark.rule("T25")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
async def test_a_press_from_another_site_asks_nothing_and_shows_nothing(browser, api, headers):
    await browser.open("/sign-in")
    mark = re.findall(r'name="form" value="([^"]*)"', browser.text)[0]
    fields = {"form": mark, "email": "a@b.example", "password": "pw"}
    await browser.send("POST", "/sign-in", data=fields, headers=headers)
    assert browser.status == 403
    assert "a@b.example" not in browser.text
    assert api.asked == []


async def test_a_second_factor_is_asked_for_and_the_password_is_not_shown(browser, api):
    api.answers["POST /v1/login"] = problem(401, "otp-required")
    await browser.open("/sign-in?to=/invitations")
    await browser.press("/sign-in", email="a@b.example", password="hunter2!")
    assert "Confirm that it is you" in browser.text
    assert "hunter2!" not in browser.text
    api.answers["POST /v1/login"] = problem(401, "wrong-otp")
    await browser.press("/sign-in", otp="000000")
    assert "This code is wrong" in browser.text
    form = browser.text
    api.answers["POST /v1/login"] = (200, tokens())
    assert await browser.press("/sign-in", otp="123456") == "/invitations"
    assert api.asked_for("POST /v1/login")[-1] == {
        "email": "a@b.example",
        "password": "hunter2!",
        "otp": "123456",
    }
    asked = len(api.asked)
    browser.text = form  # the first step belongs to the browser before its sign-in
    await browser.press("/sign-in", otp="123456")
    assert (browser.status, len(api.asked)) == (403, asked)


async def test_the_address_of_a_sign_up_is_kept_to_have_the_mail_sent_again(browser, api):
    await browser.open("/sign-up")
    where = await browser.press("/sign-up", name="Ana", email=" ana@example.com ")
    assert where == "/sign-up/sent"
    assert not any("ana@example.com" in line for line in browser.lines)
    await browser.open(where)
    where = await browser.press(where, email="ana@example.com")
    assert where == "/sign-up/sent?done=sent-again"
    assert api.asked_for("POST /v1/email/resend") == [{"email": "ana@example.com"}]
    await browser.open(where)
    assert 'value="ana@example.com"' in browser.text
    assert "was sent again" in browser.text
    await browser.open("/verify?token=sup_1.1.a")
    await browser.open("/verify")
    await browser.press("/verify", password="correct horse battery staple")
    await browser.open("/sign-up/sent")
    assert "ana@example.com" not in browser.text


BROKEN = {"text": "x", "long": "A" * 4000, "an older form": "gAAAAAAAAAAAAAAAAAAAAA==", "é": "é"}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("path", ["/console", "/invitations", "/verify", "/sign-in"])
async def test_a_cookie_that_cannot_be_opened_is_a_new_visitor(browser, path, value):
    browser.cookies |= {SESSION: value, LINKS: value, FORM: value}
    await browser.open(path)
    assert browser.status in {200, 303}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/verify", "Choose a password"),
        ("/reset-password", "Choose a new password"),
        ("/undo-email", "Restore your former address"),
        ("/remove-factor", "Remove the second factor"),
        ("/invitations", "Join a team"),
    ],
)
async def test_opening_a_link_uses_nothing_up_and_hides_it(browser, api, path, words):
    for method in ("HEAD", "GET"):
        where = f"{path}?token=inv_1.1.abc&code=K7QM2XWP"
        assert await browser.send(method, where) == path
    await browser.open(path)
    assert words in browser.text
    looks = {"POST /v1/invitations/lookup", "POST /v1/links/lookup"}
    assert {name for name, *_ in api.asked} <= looks


async def test_a_press_acts_on_the_link_of_its_own_page(browser, api):
    await browser.sign_in()
    await browser.open("/invitations?token=inv_1.1.first&code=A")
    await browser.open("/invitations")
    page = browser.text
    await browser.open("/invitations?token=inv_2.1.second&code=B")
    browser.text = page
    to = await browser.press("/invitations", press="accept")
    assert to == "/console/accounts/acc_1?done=joined"
    [accepted] = api.asked_for("POST /v1/invitations/accept")
    assert accepted == {"token": "inv_1.1.first", "code": "A"}


async def test_a_new_address_is_confirmed_by_its_signed_in_user(browser, api):
    api.answers["POST /v1/me/email/confirm"] = (200, ME)
    where = "/confirm-email"
    assert await browser.open(f"{where}?token=adr_1.1.a") == where
    assert await browser.open(where) == "/sign-in?to=%2Fconfirm-email&done=sign-in"
    await browser.open(f"/sign-in?to={where}")
    assert await browser.press("/sign-in", email="a@b.example", password="pw", to=where) == where
    await browser.open(where)
    assert "ana@<wbr>example.com" in browser.text
    assert api.asked_for("POST /v1/me/email/confirm") == []
    assert await browser.press(where, press="confirm") == "/console?done=address-changed"
    assert api.asked_for("POST /v1/me/email/confirm") == [{"token": "adr_1.1.a"}]
    await browser.open(where)
    assert "needs the link" in browser.text


async def test_another_user_signs_out_and_comes_back_to_a_new_address(browser, api):
    await browser.sign_in()
    where = "/confirm-email"
    await browser.open(f"{where}?token=adr_1.1.a")
    await browser.open(where)
    assert await browser.press(where, press="sign-in") == "/sign-in?to=%2Fconfirm-email"
    assert api.asked_for("POST /v1/logout") == [None]
    assert SESSION not in browser.cookies


async def test_a_change_of_address_is_taken_back_without_a_sign_in(browser, api):
    api.answers["POST /v1/email/undo"] = (204, None)
    await browser.open("/undo-email?token=und_1.1.a")
    await browser.open("/undo-email")
    assert {name for name, *_ in api.asked} == {"POST /v1/links/lookup"}
    assert await browser.press("/undo-email") == "/forgot-password?done=address-restored"
    await browser.open("/forgot-password?done=address-restored")
    assert 'value="ana@example.com"' in browser.text  # one press mails the link
    assert api.asked_for("POST /v1/email/undo") == [{"token": "und_1.1.a"}]
    await browser.open("/forgot-password?done=address-restored")
    assert "choose a new password" in browser.text


@pytest.mark.rule("T5")
async def test_a_second_factor_is_taken_back_without_a_sign_in(browser, api):
    api.answers["POST /v1/mfa/take-back"] = (204, None)
    await browser.open("/remove-factor?token=usr_1.1.a")
    await browser.open("/remove-factor")
    assert {name for name, *_ in api.asked} == {"POST /v1/links/lookup"}
    where = "/forgot-password?done=factor-removed"
    assert await browser.press("/remove-factor") == where
    assert api.asked_for("POST /v1/mfa/take-back") == [{"token": "usr_1.1.a"}]
    await browser.open(where)
    assert 'value="ana@example.com"' in browser.text


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("chosen", "sent"),
    [({}, "recent"), ({"end_access": "all"}, "all"), ({"end_access": "no"}, "recent")],
)
async def test_a_reset_says_what_ends_with_the_former_password(browser, api, chosen, sent):
    where = "/reset-password"
    await browser.open(f"{where}?token=usr_1.1.a")
    await browser.open(where)
    assert re.findall(r'value="(\w+)"( checked)?> ', browser.text) == [
        ("recent", " checked"),
        ("all", ""),
        ("none", ""),
    ]
    await browser.press(where, password="quiet-otters", **chosen)
    [body] = api.asked_for("POST /v1/password/reset")
    assert body["end_access"] == sent


async def test_a_reset_counts_what_can_end_and_asks_nothing_without_it(browser, api):
    where, lookup = "/reset-password", "POST /v1/links/lookup"
    await browser.open(f"{where}?token=usr_1.1.a")
    await browser.open(where)
    words = "You have 5.", "last 30 days (3)", "all of them (5)"
    assert [word in browser.text for word in words] == [True] * 3
    api.answers[lookup] = (
        200,
        api.answers[lookup][1] | {"access": dict.fromkeys(ACCESS_TO_END, 0)},
    )
    await browser.open(where)
    assert "end_access" not in browser.text
    await browser.press(where, password="quiet-otters")
    assert api.asked_for("POST /v1/password/reset")[0]["end_access"] == "recent"


async def test_a_choice_stays_when_the_password_is_refused(browser, api):
    api.answers["POST /v1/password/reset"] = problem(
        422, "invalid", errors=[{"pointer": "/password", "message": "Too short."}]
    )
    where = "/reset-password"
    await browser.open(f"{where}?token=usr_1.1.a")
    await browser.open(where)
    await browser.press(where, password="x", end_access="none")
    assert 'value="none" checked>' in browser.text


async def test_two_tabs_that_refresh_at_once_send_the_same_token(browser, api):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    first = dict(browser.cookies)
    await browser.open("/console")
    assert browser.status == 200
    other = Browser(browser.http, browser.url, first)
    await other.open("/console")
    assert other.status == 200
    sent = [body["refresh_token"] for body in api.asked_for("POST /v1/token/refresh")]
    assert sent == ["refresh-1", "refresh-1"]


ENDED = [
    {"GET /v1/me": problem(401, "token-invalid")},
    {"POST /v1/token/refresh": problem(401, "refresh-token-invalid")},
]


@pytest.mark.parametrize("answers", ENDED)
async def test_a_session_that_has_ended_leads_to_sign_in_and_back(browser, api, answers):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    api.answers |= answers
    where = await browser.open("/console")
    assert where.startswith("/sign-in?to=%2Fconsole&done=expired&ended=")
    assert await browser.open(where) == ""
    assert "Your session has ended" in browser.text
    assert "Sign out" not in browser.text
    api.answers = dict(ANSWERS)
    assert await browser.press("/sign-in", email="a@b.example", password="pw") == "/console"
    await browser.open("/console")
    assert browser.status == 200


# Answers to two tabs arrive in any order. Each test has a tab whose answer arrives last.


async def as_another_user(browser: Browser) -> None:
    """Sign in over a session that lives, from a form that was open before."""
    await browser.open("/forgot-password")
    fields = {"email": "o@example.com", "password": "pw", "to": ""}
    assert await browser.press("/sign-in", **fields) == "/console"


@pytest.mark.rule("T11")
@pytest.mark.parametrize("answers", ENDED)
async def test_a_late_refusal_of_the_former_session_leaves_the_new_one(browser, api, answers):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    late = browser.tab()
    api.answers["POST /v1/login"] = ANSWERS["POST /v1/login"]
    await as_another_user(browser)
    api.answers |= answers
    where = await late.open("/console")
    browser.receive(late.set_cookies)
    api.answers = dict(ANSWERS)
    assert await browser.open(where) == "/console"  # the tab goes on as the new user
    await browser.open("/console")
    assert browser.status == 200


@pytest.mark.rule("T11")
async def test_late_tokens_of_the_former_session_leave_the_new_one(browser, api):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    late = browser.tab()
    await late.open("/console")
    api.answers["POST /v1/login"] = (200, tokens(refresh="of-the-new-user", access="e30.new.x"))
    await as_another_user(browser)
    browser.receive(late.set_cookies)
    api.asked.clear()
    api.answers["POST /v1/token/refresh"] = (200, tokens(refresh="newer", access="e30.newer.x"))
    await browser.open("/console")
    [refresh, *others] = api.asked
    assert refresh == ("POST /v1/token/refresh", {"refresh_token": "of-the-new-user"}, "")
    assert {token for *_, token in others} == {"Bearer e30.newer.x"}


@pytest.mark.rule("T11")
async def test_late_tokens_of_a_session_do_not_undo_its_end(browser, api):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    late = browser.tab()
    await late.open("/console")
    await browser.open("/sign-out")
    await browser.press("/sign-out")
    browser.receive(late.set_cookies)
    api.asked.clear()
    assert await browser.open("/console") == "/sign-in?to=%2Fconsole&done=sign-in"
    await browser.open("/sign-in")
    assert "Sign out" not in browser.text
    assert api.asked == []


async def test_no_page_that_is_opened_sets_the_cookie_of_the_session(browser, api):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    for path in ADDRESSES:
        await browser.open(path)
        assert browser.set_cookies.keys() <= {TOKENS}
        await browser.open(f"{path}?token=inv_1.1.abc&code=K7QM2XWP")
        assert browser.set_cookies.keys() <= {TOKENS, LINKS}


@pytest.mark.rule("T11")
@pytest.mark.parametrize("status", [429, 503])
async def test_a_sign_in_is_dropped_while_the_former_session_lives(browser, api, status):
    await browser.sign_in()
    former = browser.cookies[SESSION]
    api.answers["POST /v1/logout"] = problem(status, "busy")
    await browser.open("/forgot-password")
    where = await browser.press("/sign-in", email="o@example.com", password="pw", to="")
    assert where == "/sign-in?not-signed-in"
    assert browser.cookies[SESSION] == former
    assert len(api.asked_for("POST /v1/logout")) == 2  # of the former one, and of the new one
    assert await browser.open(where) == ""
    assert "You were not signed in" in browser.text
    api.answers["POST /v1/logout"] = ANSWERS["POST /v1/logout"]
    assert await browser.press("/sign-in", email="o@example.com", password="pw") == "/console"
    assert browser.cookies[SESSION] != former


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_session_that_the_api_does_not_end_keeps_no_one_out(browser, api, status):
    await browser.sign_in()
    api.answers["POST /v1/logout"] = problem(status, "anything")
    await as_another_user(browser)


async def test_an_api_that_is_away_ends_no_session_and_loses_no_text(browser, api):
    api.answers["POST /v1/login"] = problem(503, "unavailable")
    await browser.open("/sign-in")
    await browser.press("/sign-in", email="a@b.example", password="pw")
    assert browser.status == 503
    assert 'value="a@b.example"' in browser.text
    api.answers["POST /v1/login"] = ANSWERS["POST /v1/login"]
    await browser.press("/sign-in", email="a@b.example", password="pw")
    api.answers["GET /v1/me"] = api.answers["POST /v1/logout"] = problem(503, "unavailable")
    await browser.open("/console")
    assert browser.status == 503
    await browser.open("/sign-out")
    assert await browser.press("/sign-out") == ""  # it is not true yet
    assert SESSION in browser.cookies


async def test_a_refresh_without_an_answer_ends_no_session(browser, api):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    await browser.sign_in()
    for code, status in (("unavailable", 503), ("too-many-requests", 429)):
        api.answers["POST /v1/token/refresh"] = problem(status, code)
        await browser.open("/console")
        assert browser.status == status
        assert SESSION in browser.cookies
    api.answers["POST /v1/token/refresh"] = ANSWERS["POST /v1/token/refresh"]
    await browser.open("/console")
    assert browser.status == 200


@pytest.mark.parametrize(
    ("zone", "kept"),
    [("Europe/Vienna", [{"time_zone": "Europe/Vienna"}]), ("UTC", []), ("Moon/Base", []), ("", [])],
)
async def test_a_new_person_has_the_time_zone_of_their_browser(browser, api, zone, kept):
    await browser.open("/verify?token=sup_1.1.a")
    await browser.open("/verify")
    await browser.press("/verify", password="correct horse", browser_zone=zone)
    assert api.asked_for("PATCH /v1/me") == kept
    assert SESSION in browser.cookies


async def test_the_fault_of_a_field_stands_at_the_field(browser, api):
    fault = {"pointer": "/password", "message": "A password must have <10> characters."}
    api.answers["POST /v1/email/verify"] = problem(422, "invalid", errors=[fault])
    await browser.open("/verify?token=sup_1.1.a")
    await browser.open("/verify")
    await browser.press("/verify", name="Ana", password="hunter2!")
    assert '<p class="fault" id="password-fault">A password must have &lt;10&gt;' in browser.text
    assert 'value="Ana"' in browser.text
    assert "hunter2!" not in browser.text


BODIES = {
    "JSON": ({"json": {"email": "x"}}, 415),
    "too large": ({"data": {"email": "x" * 50_000}}, 413),
    "not UTF-8": (
        {"data": b"email=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        400,
    ),
    "many fields": ({"data": {f"f{number}": "x" for number in range(30)}}, 400),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
async def test_what_no_form_of_ours_sends_is_refused(browser, api, body, status):
    await browser.send("POST", "/sign-in", **body)
    assert browser.status == status
    assert "<html" in browser.text
    assert api.asked == []


@pytest.mark.rule("T24", "T25")
async def test_every_page_forbids_foreign_scripts_frames_and_referrers(browser):
    for path in ADDRESSES:
        scripted = path == "/sign-in/passkey"
        async with browser.http.get(browser.url + path, allow_redirects=False) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert ("; script-src 'self'; " in policy) is scripted
            assert ("script-src" in policy) is scripted
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            text = await answer.text()
            assert text.count("<script") == text.count('<script src="/console/static/') == scripted


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("gzip ; q=0.8", True),
        ("", False),
        ("br, gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("x-gzip2", False),
    ],
)
async def test_files_are_packed_for_those_that_take_it(browser, accepted, packed):
    file = STATIC_FILES["console.css"]
    async with ClientSession(auto_decompress=False) as plain:
        asked = {"Accept-Encoding": accepted}
        async with plain.get(browser.url + file.url, headers=asked) as answer:
            body = await answer.read()
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed
    assert (gzip.decompress(body) if packed else body) == file.body
    assert (len(body) < len(file.body) / 2) is packed


async def test_an_unknown_address_is_a_page_for_browsers_alone(browser):
    for_people = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    await browser.send("GET", "/no/such/page?token=SECRET", headers=for_people)
    assert (browser.status, "There is no such page" in browser.text) == (404, True)
    assert 'href="/console"' in browser.text
    assert "SECRET" not in browser.text
    for accept in ("*/*", "application/json, text/html"):
        await browser.send("GET", "/no/such/page", headers={"Accept": accept})
        assert (browser.status, '"code"' in browser.text) == (404, True)
