"""What a page says of the press before it: only a press says it, never a link alone."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.services.console.accounts import describe_account
from tests.services.console.browsing import SESSION, Browser
from tests.services.console.conftest import noted

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "/console/accounts/acc_1/members"
SAID = {"done": "team-created"}
WORDS = "The team was created."


async def says(browser: Browser, **said: str) -> bool:
    """Whether the page tells of a change."""
    await browser.open(f"{PAGE}?{urlencode(said or SAID)}")
    assert browser.status == 200
    return 'class="note" role="status">' in browser.text


@pytest.mark.rule("T25")
async def test_a_link_alone_says_nothing_of_a_change(browser, api):
    describe_account(api)
    api.answers["POST /v1/accounts"] = (201, {"id": "acc_1"})
    await browser.sign_in()
    assert not await says(browser)
    await browser.open("/console/new-team")
    to = await browser.press("/console/new-team", name="Gears")
    assert to == f"{PAGE}?done=team-created"
    for _ in range(2):  # and again when the page is loaded anew
        await browser.open(to)
        assert WORDS in browser.text
    assert not await says(browser, done="removed")
    assert not await says(browser, revision="team.a.1.1", **SAID)
    browser.receive(noted("/console/accounts/acc_2/members", SAID))
    assert not await says(browser)


@pytest.mark.rule("T25")
async def test_a_note_of_a_press_is_over_soon_and_with_its_session(browser, api):
    describe_account(api)
    await browser.sign_in()
    for minutes, is_said in ((9, True), (11, False)):
        browser.receive(noted(PAGE, SAID, before=timedelta(minutes=minutes)))
        assert await says(browser) is is_said, minutes
    browser.receive(noted(PAGE, SAID))
    del browser.cookies[SESSION]
    await browser.sign_in()
    assert not await says(browser)
