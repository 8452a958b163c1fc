"""Sign-in with an issuer over a stand-in of the API: the way there, and each answer."""

import html
from urllib.parse import urlencode

import pytest

from tests.services.console.browsing import (
    CONNECTIONS,
    ISSUER,
    SESSION,
    Browser,
    StandIn,
    problem,
    tokens,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEGIN, FINISH = "POST /v1/login/oidc/begin", "POST /v1/login/oidc/finish"
CONTINUE = "POST /v1/login/oidc/continue"
THERE = "https://issuer.example/authorize?state=s1&scope=openid+email"
BEGUN = {"authorization_url": THERE, "binding": "sealed-binding", "expires_in": 600}
CALLBACK = "/sign-in/callback/acme"
ANSWERED = {"state": "s1", "code": "c1", "iss": "https://issuer.example"}


@pytest.fixture
def with_issuer(api: StandIn) -> StandIn:
    api.answers |= {
        CONNECTIONS: (200, {"items": [{"id": "acme", "label": "Acme <b>"}]}),
        BEGIN: (200, BEGUN),
        FINISH: (200, tokens()),
    }
    return api


async def begin(browser: Browser, *, to: str = "/console") -> None:
    await browser.open(f"/sign-in?to={to}")
    await browser.press("/sign-in/company", connection="acme")


def arrival(**changes: str) -> str:
    """The address at which the browser comes back."""
    query = {name: text for name, text in (ANSWERED | changes).items() if text}
    return f"{CALLBACK}?{urlencode(query)}"


@pytest.mark.rule("B16")
async def test_a_button_of_the_sign_in_page_leads_to_the_issuer_and_back(browser, with_issuer):
    await browser.open("/sign-in?to=/invitations")
    assert "Continue with <bdi>Acme &lt;b&gt;</bdi>" in browser.text
    await browser.press("/sign-in/company", connection="acme")
    assert with_issuer.asked_for(BEGIN) == [{"connection": "acme"}]
    assert f'content="0;url={html.escape(THERE)}"' in browser.text
    assert "sealed-binding" not in browser.text + "".join(browser.lines)
    assert await browser.open(arrival()) == "/invitations"
    assert with_issuer.asked_for(FINISH) == [
        ANSWERED
        | {"binding": "sealed-binding", "redirect_uri": f"https://rolecall.example{CALLBACK}"}
    ]
    assert SESSION in browser.cookies
    assert ISSUER not in browser.cookies


@pytest.mark.rule("B16")
async def test_the_domain_of_an_address_leads_to_the_issuer(browser, with_issuer):
    await browser.open("/sign-in/company?to=/confirm-email")
    await browser.press("/sign-in/company", email=" ana@acme.example ")
    assert with_issuer.asked_for(BEGIN) == [{"email": "ana@acme.example"}]
    assert await browser.open(arrival(iss="")) == "/confirm-email"
    [finished] = with_issuer.asked_for(FINISH)
    assert "iss" not in finished


async def test_an_address_without_a_company_is_told_so_and_stays(browser, with_issuer):
    with_issuer.answers[BEGIN] = problem(404, "no-connection")
    await browser.open("/sign-in/company")
    await browser.press("/sign-in/company", email="ana@example.com")
    assert browser.status == 404
    assert "This address has no sign-in with a company" in browser.text
    assert 'value="ana@example.com"' in browser.text


@pytest.mark.rule("T25")
@pytest.mark.rule("B16")
async def test_a_code_is_asked_for_after_the_issuer_and_continues(browser, with_issuer):
    with_issuer.answers[FINISH] = problem(401, "otp-required", continuation="sealed-person")
    with_issuer.answers[CONTINUE] = problem(401, "wrong-otp")
    await begin(browser, to="/invitations")
    await browser.open(arrival())
    assert "Confirm that it is you" in browser.text
    assert "This code is wrong" not in browser.text
    assert (SESSION in browser.cookies, ISSUER in browser.cookies) == (False, False)
    await browser.press("/sign-in", otp="000000")
    assert "This code is wrong" in browser.text
    with_issuer.answers[CONTINUE] = (200, tokens())
    assert await browser.press("/sign-in", otp="123456") == "/invitations"
    assert with_issuer.asked_for(CONTINUE)[-1] == {
        "continuation": "sealed-person",
        "otp": "123456",
    }
    assert SESSION in browser.cookies


async def test_a_code_that_comes_too_late_begins_again(browser, with_issuer):
    with_issuer.answers[FINISH] = problem(401, "otp-required", continuation="sealed-person")
    with_issuer.answers[CONTINUE] = problem(410, "sso-sign-in-over")
    await begin(browser)
    await browser.open(arrival())
    await browser.press("/sign-in", otp="123456")
    assert browser.status == 410
    assert "Sign in" in browser.text
    assert SESSION not in browser.cookies


async def test_an_answer_that_this_browser_did_not_ask_for_asks_nothing(browser, with_issuer):
    await browser.open(arrival())
    assert browser.status == 410
    assert "Begin it again" in browser.text
    assert with_issuer.asked == []
    await begin(browser)
    await browser.open(arrival())
    assert await browser.open(arrival()) == ""  # it has no use but the first
    assert len(with_issuer.asked_for(FINISH)) == 1


async def test_a_head_request_does_not_use_an_answer_up(browser, with_issuer):
    await begin(browser)
    await browser.send("HEAD", arrival())
    assert browser.status == 405
    assert with_issuer.asked_for(FINISH) == []
    assert await browser.open(arrival()) == "/console"


FAILURES = [
    ({"code": "", "error": "access_denied"}, None, "You did not allow the sign-in"),
    ({"code": "", "error": "<b>", "error_description": "Call +1"}, None, "did not sign you in"),
    ({"state": ""}, None, "did not sign you in"),
    ({}, problem(410, "sso-sign-in-over"), "Begin it again"),
    ({}, problem(403, "issuer-answer-invalid"), "did not sign you in"),
    ({}, problem(403, "identity-not-linked"), "does not belong to a user"),
    ({}, problem(403, "user-disabled"), "has disabled your sign-in"),
    ({}, problem(503, "issuer-unavailable"), "does not answer"),
    ({}, problem(429, "too-many-requests"), "Too many attempts"),
]


@pytest.mark.parametrize(("changes", "refusal", "words"), FAILURES)
async def test_a_sign_in_that_fails_is_explained(browser, with_issuer, changes, refusal, words):
    if refusal is not None:
        with_issuer.answers[FINISH] = refusal
    await begin(browser)
    await browser.open(arrival(**changes))
    assert browser.status == (403 if refusal is None else refusal[0])
    assert words in browser.text
    assert "Call +1" not in browser.text  # a stranger can write this text
    assert "Continue with" in browser.text
    assert SESSION not in browser.cookies


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/sign-out", ""])
async def test_no_form_leads_elsewhere_after_the_issuer(browser, with_issuer, to):
    await browser.open("/sign-in")
    await browser.press("/sign-in/company", connection="acme", to=to)
    assert await browser.open(arrival()) == "/console"


async def test_loading_the_answer_again_goes_on_as_the_signed_in_user(browser, with_issuer):
    await begin(browser)
    begun = browser.cookies[ISSUER]
    await browser.open(arrival())
    with_issuer.answers[FINISH] = problem(410, "sso-sign-in-over")
    browser.cookies[ISSUER] = begun
    assert await browser.open(arrival()) == "/console"


async def test_the_password_form_is_there_while_the_api_names_no_issuer(browser, api):
    api.answers[CONNECTIONS] = problem(503, "unavailable")
    await browser.open("/sign-in")
    assert browser.status == 200
    assert "Password" in browser.text
