"""The page of identities over a stand-in of the API: what links one, and what unlinks it."""

import html
from urllib.parse import urlencode

import pytest

from tests.services.console.browsing import (
    ACCESS,
    CONNECTIONS,
    ISSUER,
    SESSION,
    Browser,
    StandIn,
    problem,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE, CALLBACK = "/security/identities", "/sign-in/callback/acme"
LISTED, BEGIN, LINK = (
    "GET /v1/me/identities",
    "POST /v1/me/identity-links",
    "POST /v1/me/identities",
)
UNLINK = "DELETE /v1/me/identities/idn_1"
THERE = "https://issuer.example/authorize?state=s1&scope=openid"
BEGUN = {"authorization_url": THERE, "binding": "sealed-binding", "expires_in": 600}
ANSWERED = {"state": "s1", "code": "c1", "iss": "https://issuer.example"}
ONE = {
    "id": "idn_1",
    "issuer": "https://issuer.example",
    "connection": "acme",
    "label": "Acme <b>",
    "email": "ana@acme.example",
    "linked_at": "2026-11-26T23:30:00Z",
}
TOO_OLD = problem(401, "step-up-required")
PROVED = (200, {"access_token": "e30.proved.token", "expires_in": 300})


@pytest.fixture
def with_issuer(api: StandIn) -> StandIn:
    api.answers |= {
        CONNECTIONS: (200, {"items": [{"id": "acme", "label": "Acme <b>"}]}),
        LISTED: (200, {"items": [ONE]}),
        BEGIN: (200, BEGUN),
        LINK: (200, ONE),
        "POST /v1/me/step-up": PROVED,
    }
    return api


async def begin(browser: Browser) -> None:
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="link", connection="acme")


def arrival(**changes: str) -> str:
    """The address at which the browser comes back."""
    query = {name: text for name, text in (ANSWERED | changes).items() if text}
    return f"{CALLBACK}?{urlencode(query)}"


@pytest.mark.rule("B16")
async def test_an_issuer_is_linked_to_the_user_who_is_signed_in(browser, with_issuer):
    await begin(browser)
    assert with_issuer.asked_for(BEGIN) == [{"connection": "acme"}]
    assert f'content="0;url={html.escape(THERE)}"' in browser.text
    assert "sealed-binding" not in browser.text + "".join(browser.lines)
    session = browser.cookies[SESSION]
    assert await browser.open(arrival()) == f"{PAGE}?done=identity-linked"
    [(_, body, authorization)] = [one for one in with_issuer.asked if one[0] == LINK]
    address = f"https://rolecall.example{CALLBACK}"
    assert body == ANSWERED | {"binding": "sealed-binding", "redirect_uri": address}
    assert authorization == f"Bearer {ACCESS}"
    assert (browser.cookies[SESSION], ISSUER in browser.cookies) == (session, False)
    assert not any(name.startswith("POST /v1/login/oidc") for name, *_ in with_issuer.asked)


@pytest.mark.rule("B16")
async def test_the_beginning_of_a_link_needs_a_fresh_proof(browser, with_issuer):
    with_issuer.answers[BEGIN] = TOO_OLD
    await begin(browser)
    assert "Is it you?" in browser.text
    with_issuer.answers[BEGIN] = (200, BEGUN)
    await browser.press(PAGE, press="link", password="right")
    assert with_issuer.asked_for(BEGIN)[-1] == {"connection": "acme"}
    assert html.escape(THERE) in browser.text


FAILURES = [
    ({"code": "", "error": "access_denied"}, None, "You did not allow the sign-in"),
    ({"state": ""}, None, "did not sign you in"),
    ({}, problem(409, "identity-taken"), "sign-in of another person"),
    ({}, problem(409, "too-many-identities"), "as many services as one can link"),
    ({}, problem(410, "sso-sign-in-over"), "Begin it again"),
    ({}, problem(503, "issuer-unavailable"), "does not answer"),
]


@pytest.mark.parametrize(("changes", "refusal", "words"), FAILURES)
async def test_a_link_that_fails_is_explained_beside_the_list(
    browser, with_issuer, changes, refusal, words
):
    if refusal is not None:
        with_issuer.answers[LINK] = refusal
    await begin(browser)
    await browser.open(arrival(**changes))
    assert browser.status == (403 if refusal is None else refusal[0])
    assert words in browser.text
    assert "Acme &lt;b&gt;" in browser.text
    assert f'action="{PAGE}"' in browser.text
    assert SESSION in browser.cookies


async def test_an_answer_after_the_end_of_the_session_asks_for_a_sign_in(browser, with_issuer):
    await begin(browser)
    with_issuer.answers[LINK] = problem(401, "token-invalid")
    assert (await browser.open(arrival())).startswith("/sign-in?")


@pytest.mark.rule("B16")
async def test_an_identity_is_unlinked_after_a_question_and_a_proof(browser, with_issuer):
    with_issuer.answers[UNLINK] = TOO_OLD
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="ask-unlink", identity_id="idn_1")
    assert "your other sessions end" in browser.text
    assert with_issuer.asked_for(UNLINK) == []
    await browser.press(PAGE, press="unlink")
    assert "Is it you?" in browser.text
    with_issuer.answers[UNLINK] = (204, None)
    where = await browser.press(PAGE, press="unlink", password="right")
    assert where == f"{PAGE}?done=identity-unlinked"
    assert len(with_issuer.asked_for(UNLINK)) == 2


async def test_the_last_way_to_sign_in_stays_and_a_gone_one_is_told_as_unlinked(
    browser, with_issuer
):
    with_issuer.answers[UNLINK] = problem(409, "last-sign-in")
    await browser.sign_in()
    await browser.open(PAGE)
    await browser.press(PAGE, press="unlink", identity_id="idn_1")
    assert (browser.status, "your only way to sign in" in browser.text) == (409, True)
    with_issuer.answers[UNLINK] = problem(404, "not-found")
    where = await browser.press(PAGE, press="unlink", identity_id="idn_1")
    assert where == f"{PAGE}?done=identity-unlinked"


async def test_that_there_is_nothing_to_link_or_unlink_is_said(browser, api):
    api.answers[LISTED] = (200, {"items": []})
    await browser.sign_in()
    await browser.open(PAGE)
    assert "No other service is linked." in browser.text
    assert "offers no other service" in browser.text
    assert await browser.press(PAGE, press="ask-unlink", identity_id="idn_9") == PAGE
