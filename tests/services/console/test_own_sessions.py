"""The page of sessions over a stand-in of the API: what it shows, and what a press ends."""

import pytest

from tests.services.console.browsing import SESSION, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE, LISTED, END_OTHERS = "/security/sessions", "GET /v1/me/sessions", "DELETE /v1/me/sessions"


def session(number: int, *, current: bool = False, place: str | None = None) -> dict[str, object]:
    return {
        "id": f"ses_{number}",
        "current": current,
        "device": "Firefox on <b>Linux",
        "network": f"203.0.113.{number}",
        "place": place,
        "last_used_at": "2026-11-27T05:07:09Z",
    }


async def shown(browser, api, *items) -> None:
    api.answers[LISTED] = (200, {"items": list(items), "next_cursor": None})
    await browser.sign_in()
    await browser.open(PAGE)


@pytest.mark.rule("B1")
async def test_each_session_has_its_device_place_and_last_use(browser, api):
    await shown(browser, api, session(1, place="Vienna"), session(2, current=True))
    assert "Firefox on &lt;b&gt;Linux" in browser.text
    for words in ("Vienna", "203.0.113.2", "05:07</time>"):
        assert words in browser.text
    assert "203.0.113.1" not in browser.text
    assert browser.text.index("This browser") < browser.text.index("ses_1")
    assert "ses_2" not in browser.text  # the session of this browser has no such button


@pytest.mark.parametrize("answer", [(204, None), problem(404, "not-found")], ids=["lives", "gone"])
async def test_one_session_is_ended_by_a_press(browser, api, answer):
    api.answers["DELETE /v1/me/sessions/ses_1"] = answer
    await shown(browser, api, session(1), session(2, current=True))
    assert await browser.press(PAGE, press="end") == f"{PAGE}?done=session-ended"
    assert api.asked_for("DELETE /v1/me/sessions/ses_1") == [None]
    assert SESSION in browser.cookies


@pytest.mark.parametrize(
    ("others", "button"), [(1, "End the other session"), (3, "End 3 sessions")]
)
async def test_all_other_sessions_are_ended_once_they_were_named(browser, api, others, button):
    api.answers[END_OTHERS] = (204, None)
    named = [session(number, place=f"Place {number}") for number in range(1, others + 1)]
    await shown(browser, api, *named, session(9, current=True))
    assert 'value="end-others"' not in browser.text
    await browser.open(f"{PAGE}?ask=end-others")
    assert button in browser.text
    assert browser.text.count("Place ") == others
    assert "203.0.113.9" not in browser.text
    assert await browser.press(PAGE, press="end-others") == f"{PAGE}?done=sessions-ended"
    assert api.asked_for(END_OTHERS) == [None]


async def test_a_user_who_is_signed_in_nowhere_else_has_nothing_to_end(browser, api):
    await shown(browser, api, session(2, current=True))
    assert "You are signed in nowhere else." in browser.text
    assert "End all other sessions" not in browser.text


@pytest.mark.rule("T25")
@pytest.mark.parametrize("press", ["end", "end-others"])
async def test_a_press_without_the_mark_ends_no_session(browser, api, press):
    await shown(browser, api, session(1), session(2, current=True))
    await browser.send("POST", PAGE, data={"press": press, "session_id": "ses_1"})
    assert browser.status == 403
    assert not any(name.startswith("DELETE") for name, *_ in api.asked)


async def test_a_device_is_named_in_the_language_of_the_reader(browser, api):
    api.answers["GET /v1/me"] = (200, api.answers["GET /v1/me"][1] | {"locale": "de"})
    unknown = session(1) | {"device": "Unknown device", "network": "Unknown network"}
    await shown(browser, api, unknown, session(2, current=True))
    for words in ("Unbekanntes Gerät", "Unbekanntes Netz", "Firefox unter &lt;b&gt;Linux"):
        assert words in browser.text
