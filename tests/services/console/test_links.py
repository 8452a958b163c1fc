"""The pages of mailed links over a stand-in of the API: what a link shows before it is used."""

import pytest

from tests.services.console.browsing import LINKS, ME, SESSION, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK, LOOK_OWN = "POST /v1/links/lookup", "POST /v1/me/email/lookup"
INVITED = "POST /v1/invitations/lookup"
OVER = problem(410, "link-invalid")
DONE = (200, {"status": "done", "email": "ana@example.com"})
PATHS = (
    "/verify",
    "/reset-password",
    "/confirm-email",
    "/undo-email",
    "/remove-factor",
    "/invitations",
)


@pytest.mark.rule("T9")
@pytest.mark.parametrize("path", PATHS)
async def test_a_link_that_is_over_says_so_before_it_asks_for_anything(browser, api, path):
    """And the same for each reason: 422 is what the API says of what cannot be a token."""
    pages = set()
    for code, answer in enumerate((OVER, problem(410, "invitation-not-valid"), problem(422, "x"))):
        api.answers |= {LOOK: answer, INVITED: answer}
        await browser.open(f"{path}?token=sup_1.1.{code}")
        await browser.open(path)
        assert browser.status == 410
        assert " any more</h1>" in browser.text
        assert "Sign in</a>" in browser.text
        assert 'type="password"' not in browser.text
        pages.add(browser.text)
    assert len(pages) == 1
    assert {name for name, *_ in api.asked} == {INVITED if path == "/invitations" else LOOK}


@pytest.mark.parametrize(
    ("path", "entered", "mailed", "asked"),
    [
        ("/reset-password", "/forgot-password", "/forgot-password", "POST /v1/password/forgot"),
        ("/verify", "/sign-up", "/sign-up", "POST /v1/signup"),
    ],
)
async def test_one_press_mails_a_new_link_to_the_address_that_was_entered(
    browser, api, path, entered, mailed, asked
):
    api.answers |= {LOOK: OVER, "POST /v1/password/forgot": (202, {})}
    await browser.open(entered)
    await browser.press(entered, name="Ana", email="ana@example.com")
    await browser.open(f"{path}?token=usr_1.1.a")
    await browser.open(path)
    assert 'value="ana@example.com"' in browser.text
    where = await browser.press(mailed, name="Ana", email="ana@example.com")
    assert where in {"/forgot-password/sent", "/sign-up/sent"}
    assert [body["email"] for body in api.asked_for(asked)] == ["ana@example.com"] * 2


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/verify", "/sign-in?done=verified"),
        ("/reset-password", "/sign-in?done=password-reset"),
        ("/undo-email", "/forgot-password?done=address-restored"),
        ("/remove-factor", "/forgot-password?done=factor-removed"),
    ],
)
async def test_a_link_that_has_done_its_work_leads_on(browser, api, path, where):
    api.answers[LOOK] = DONE
    await browser.open(f"{path}?token=usr_1.1.a")
    assert await browser.open(path) == where
    await browser.open(path)
    assert "needs the link" in browser.text
    await browser.open(where)
    assert 'role="status"' in browser.text


async def test_a_second_click_of_a_new_address_leads_to_the_user(browser, api):
    await browser.sign_in()
    api.answers[LOOK_OWN] = DONE
    await browser.open("/confirm-email?token=adr_1.1.a")
    assert await browser.open("/confirm-email") == "/console?done=address-changed"
    assert api.asked_for("POST /v1/me/email/confirm") == []


async def test_the_new_address_is_shown_before_it_is_confirmed(browser):
    await browser.sign_in()
    await browser.open("/confirm-email?token=adr_1.1.a")
    await browser.open("/confirm-email")
    assert "ana@<wbr>new.example" in browser.text
    assert "ana@<wbr>example.com" in browser.text


async def test_a_new_address_of_another_user_offers_to_switch(browser, api):
    await browser.sign_in()
    api.answers[LOOK_OWN] = OVER
    await browser.open("/confirm-email?token=adr_1.1.a")
    await browser.open("/confirm-email")
    assert browser.status == 410
    assert "signed in as" in browser.text
    where = await browser.press("/confirm-email", press="sign-in")
    assert where == "/sign-in?to=%2Fconfirm-email"
    assert SESSION not in browser.cookies
    assert LINKS in browser.cookies


@pytest.mark.parametrize("path", ["/verify", "/reset-password", "/undo-email", "/remove-factor"])
async def test_another_user_who_is_signed_in_is_named(browser, api, path):
    api.answers["GET /v1/me"] = (200, ME | {"email": "kai@example.com"})
    await browser.open(f"{path}?token=usr_1.1.a")
    await browser.open(path)
    assert "kai@" not in browser.text
    await browser.sign_in()
    await browser.open(path)
    shown = browser.text.replace("<wbr>", "")
    assert 'You are signed in as <bdi class="strong">kai@example.com' in shown
    assert "ana@example.com" in shown


async def test_a_user_who_resets_the_own_password_is_not_warned(browser):
    await browser.sign_in()
    await browser.open("/reset-password?token=usr_1.1.a")
    await browser.open("/reset-password")
    assert "You are signed in as" not in browser.text


async def test_a_press_on_a_link_that_ended_meanwhile_shows_that_it_is_over(browser, api):
    await browser.open("/verify?token=sup_1.1.a")
    await browser.open("/verify")
    api.answers |= {"POST /v1/email/verify": OVER, LOOK: OVER}
    await browser.press("/verify", password="correct horse battery staple")
    assert (browser.status, "This link does not work any more" in browser.text) == (410, True)


async def test_an_invitation_that_is_over_waits_no_more(browser, api):
    api.answers[INVITED] = problem(410, "invitation-not-valid")
    await browser.sign_in()
    await browser.open("/invitations?token=inv_1.1.a&code=A")
    await browser.open("/console")
    assert "An invitation waits" in browser.text
    await browser.open("/invitations")
    await browser.open("/console")
    assert "An invitation waits" not in browser.text


async def test_a_link_is_not_over_because_the_api_is_away(browser, api):
    api.answers[LOOK] = problem(503, "unavailable")
    await browser.open("/verify?token=sup_1.1.a")
    await browser.open("/verify")
    assert browser.status == 503
    assert "is over" not in browser.text
