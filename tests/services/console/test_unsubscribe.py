"""The page of the link in a mail's foot, over a stand-in of the API."""

import re

import pytest

from tests.services.console.browsing import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK = "GET /v1/notifications/unsubscribe"
OFF, ON = "POST /v1/notifications/unsubscribe", "POST /v1/notifications/resubscribe"
TOKEN = "usr_" + "1" * 32 + ".acc_" + "2" * 32 + ".role_changed." + "a" * 43
OPENED = {
    "title": "Your role changed",
    "email": "b…@example.com",
    "account_name": "<i>Engines</i>",
    "state": "on",
    "locale": "en",
}


async def opened(browser, api, **fields):
    api.answers |= {LOOK: (200, OPENED | fields), OFF: (204, None), ON: (204, None)}
    assert await browser.open(f"/unsubscribe?token={TOKEN}") == "/unsubscribe"
    await browser.open("/unsubscribe")


@pytest.mark.rule("B12")
async def test_opening_the_page_switches_nothing_off(browser, api):
    for method in ("HEAD", "GET"):
        assert await browser.send(method, f"/unsubscribe?token={TOKEN}") == "/unsubscribe"
    await opened(browser, api)
    for words in ("Your role changed", "b…@example.com", "&lt;i&gt;Engines", "Switch them off"):
        assert words in browser.text
    assert {name for name, *_ in api.asked} == {LOOK}


async def test_one_press_without_a_sign_in_switches_off_and_another_on(browser, api):
    await opened(browser, api)
    assert await browser.press("/unsubscribe", press="off") == "/unsubscribe"
    api.answers[LOOK] = (200, OPENED | {"state": "off"})
    await browser.open("/unsubscribe")
    assert "These e-mails are switched off" in browser.text
    assert await browser.press("/unsubscribe", press="again") == "/unsubscribe"
    asked = [name for name, *_ in api.asked if name != LOOK]
    assert asked == [OFF, ON]
    assert {token for _, _, token in api.asked} == {""}


async def test_mails_off_in_all_accounts_meanwhile_show_the_page_that_says_so(browser, api):
    await opened(browser, api, state="off")
    api.answers |= {LOOK: (200, OPENED | {"state": "off-in-all"})}
    api.answers |= {ON: problem(409, "mails-off-in-all")}
    assert await browser.press("/unsubscribe", press="again") == "/unsubscribe"
    await browser.open("/unsubscribe")
    assert "Switch them on in your preferences" in browser.text


async def test_the_page_speaks_the_language_of_the_reader(browser, api):
    for state, words in (
        ("on", "E-Mails dieser Art abbestellen"),
        ("off", "Diese E-Mails sind abbestellt"),
        ("off-in-all", "für alle Konten"),
    ):
        await opened(browser, api, locale="de", state=state, account_name=None, email=None)
        assert words in browser.text
        assert '<html lang="de">' in browser.text
        assert not re.search(r"\b(Switch|These|Account|them)\b", browser.text)
        assert ("<button" in browser.text) is (state != "off-in-all")


@pytest.mark.parametrize("answer", [problem(410, "unsubscribe-link-invalid"), problem(422, "x")])
@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "This link is not valid"), ("de-AT", "Dieser Link ist nicht gültig")],
)
async def test_a_link_that_is_not_whole_says_so(browser, api, answer, language, title):
    api.answers[LOOK] = answer
    await browser.open(f"/unsubscribe?token={TOKEN[:-1]}")
    await browser.send("GET", "/unsubscribe", headers={"Accept-Language": language})
    assert browser.status == 410
    assert f"<h1>{title}</h1>" in browser.text
    assert ("Copy the whole address" in browser.text) is (language == "en")
