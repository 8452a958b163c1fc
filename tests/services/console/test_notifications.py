"""The pages of notifications and preferences, over a stand-in of the API."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from services.console.domain.mail_choices import Choice, Exceptions, changed, choices
from services.console.domain.moments import day_of, shown_moment
from tests.services.console.accounts import OTHER
from tests.services.console.browsing import ME, UNREAD, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST, READ = "GET /v1/me/notifications", "POST /v1/me/notifications/read"
SHOW, SAVE = "GET /v1/me/notification-preferences", "PUT /v1/me/notification-preferences"
ACCOUNT = "acc_" + "1" * 32
ACME = f"GET /v1/accounts/{ACCOUNT}"


def a_message(number, *, unread=True, title="Your role is now <b>Viewer</b>"):
    return {
        "id": f"msg_{number}",
        "title": title,
        "text": "First.\n\nSecond.",
        "created_at": "2026-03-01T12:00:00Z",
        "unread": unread,
    }


ROLES = {
    "group": "membership",
    "title": "Your role",
    "reason": None,
    "kinds": [
        {"kind": "role_changed", "title": "Your role changed"},
        {"kind": "added", "title": "You were added"},
    ],
}
ALWAYS = {
    "group": "sign_in",
    "title": "Security",
    "reason": "So that you notice.",
    "kinds": [{"kind": "password_changed", "title": None}],
}
GROUPS: Sequence[Mapping[str, Any]] = [ROLES, ALWAYS]


def off(**kinds):
    names = {"all": None, "here": ACCOUNT, "there": "acc_x"}
    return [{"account_id": names[name], "kinds": list(each)} for name, each in kinds.items()]


@pytest.mark.parametrize(
    ("stored", "account", "choice", "can_switch_on"),
    [
        (off(), None, Choice.ON, False),
        (off(all=["role_changed"]), None, Choice.PARTLY, True),
        (off(all=["role_changed", "added"]), None, Choice.OFF, True),
        (off(here=["role_changed", "added"]), None, Choice.ON, True),
        (off(here=["role_changed", "added"]), ACCOUNT, Choice.OFF, True),
        (off(there=["role_changed", "added"]), ACCOUNT, Choice.ON, False),
        (off(all=["role_changed"], here=["added"]), ACCOUNT, Choice.OFF, True),
        (off(all=["role_changed"]), ACCOUNT, Choice.PARTLY, False),
        (off(all=["role_changed", "added"]), ACCOUNT, Choice.OFF_IN_ALL, False),
    ],
)
async def test_a_group_is_on_off_or_partly_off(stored, account, choice, can_switch_on):
    [found] = choices(GROUPS, stored, account)
    assert (found.choice, found.can_switch_on) == (choice, can_switch_on)


@pytest.mark.parametrize(
    ("stored", "account", "names", "exceptions"),
    [
        (off(), None, {}, None),
        (off(here=["role_changed"]), None, {ACCOUNT: "Acme"}, Exceptions(names=["Acme"], others=0)),
        (
            off(here=["added"], there=["added"]),
            None,
            {ACCOUNT: "A"},
            Exceptions(names=["A"], others=1),
        ),
        (off(here=["role_changed"]), ACCOUNT, {ACCOUNT: "Acme"}, None),
        (off(all=["added"], here=["added"]), None, {}, None),
        (off(all=["added"], here=["role_changed"]), None, {}, Exceptions(names=[], others=1)),
        (off(here=["other"]), None, {}, None),
    ],
)
async def test_all_accounts_name_those_in_which_a_group_is_off(stored, account, names, exceptions):
    [found] = choices(GROUPS, stored, account, names=names)
    assert found.exceptions == exceptions


async def test_at_most_three_accounts_are_named_and_the_others_counted():
    stored = [{"account_id": f"acc_{n}", "kinds": ["added"]} for n in range(5)]
    names = {f"acc_{n}": f"Team {n}" for n in range(5)}
    [found] = choices(GROUPS, stored, None, names=names)
    assert found.exceptions == Exceptions(names=["Team 0", "Team 1", "Team 2"], others=2)


@pytest.mark.parametrize(
    ("stored", "account", "on", "after"),
    [
        (off(), ACCOUNT, False, off(here=["a", "b"])),
        (off(here=["a", "c"]), ACCOUNT, False, off(here=["a", "b", "c"])),
        (off(here=["a", "c"], all=["a"]), ACCOUNT, True, off(here=["c"], all=["a"])),
        (off(here=["a"], there=["a"]), ACCOUNT, True, off(there=["a"])),
        (off(all=["a"], here=["b"], there=["d"]), None, True, off(there=["d"])),
        (off(there=["d"]), None, False, off(all=["a", "b"], there=["d"])),
    ],
)
async def test_a_press_changes_its_group_and_leaves_the_rest(stored, account, on, after):
    found = changed(stored, account, ["a", "b"], on=on)
    order = str
    assert sorted(found, key=order) == sorted(after, key=order)


@pytest.mark.parametrize(
    ("locale", "zone", "shown"),
    [
        ("en", "UTC", "1 Mar 2026, 12:00"),
        ("de", "Europe/Berlin", "1. März 2026, 13:00"),
        ("en", "../etc/passwd", "1 Mar 2026, 12:00"),
    ],
)
async def test_a_moment_is_shown_in_the_zone_of_its_reader(locale, zone, shown):
    assert shown_moment("2026-03-01T12:00:00Z", locale=locale, time_zone=zone) == shown


@pytest.mark.parametrize(
    ("moment", "zone", "shown", "day"),
    [
        ("9999-12-31T23:59:59Z", "Pacific/Kiritimati", "31 Dec 9999, 23:59", "9999-12-31"),
        ("9999-12-31T23:59:59Z", "Etc/GMT+12", "31 Dec 9999, 11:59", "9999-12-31"),
        ("0001-01-01T00:00:00Z", "Etc/GMT+12", "1 Jan 1, 00:00", "0001-01-01"),
        ("0001-01-01T00:00:00Z", "Etc/GMT-14", "1 Jan 1, 14:00", "0001-01-01"),
    ],
)
async def test_a_moment_at_an_end_of_the_calendar_is_shown(moment, zone, shown, day):
    assert shown_moment(moment, locale="en", time_zone=zone) == shown
    assert day_of(moment, time_zone=zone) == day


async def test_the_list_shows_marks_and_pages(browser, api):
    await browser.sign_in()
    items = [a_message(2), a_message(1, unread=False)]
    api.answers |= {LIST: (200, {"items": items, "next_cursor": "next+1"}), READ: (200, {})}
    await browser.open("/notifications")
    assert "Your role is now &lt;b&gt;Viewer" in browser.text
    assert "<p><bdi>Second.</bdi></p>" in browser.text
    assert 'href="/notifications?cursor=next%2B1"' in browser.text
    assert await browser.press("/notifications", press="read", id="msg_2") == "/notifications"
    await browser.open("/notifications")
    assert await browser.press("/notifications", press="read-all", id="msg_2") == "/notifications"
    assert api.asked_for(READ) == [{"ids": ["msg_2"]}, {"up_to": "msg_2"}]
    api.answers[READ] = problem(422, "invalid")  # it has ended meanwhile: the list shows the others
    await browser.open("/notifications")
    assert await browser.press("/notifications", press="read", id="msg_2") == "/notifications"
    await browser.open("/notifications?cursor=next%2B1")
    assert "Mark all as read" not in browser.text  # it would mark newer ones that are not shown


async def test_the_head_of_a_page_has_the_number_of_unread_ones(browser, api):
    await browser.sign_in()
    for unread, shown in ((0, False), (3, True)):
        api.answers[UNREAD] = (200, {"unread": unread})
        await browser.open("/console")
        assert f"{unread} unread" in browser.text
        assert ('class="count" hidden' not in browser.text) is shown
    api.answers[UNREAD] = problem(503, "unavailable")
    await browser.open("/console")
    assert browser.status == 200
    assert 'Notifications</span> <span class="count" hidden>' in browser.text


async def test_a_page_does_not_wait_for_a_number_that_comes_late(browser, api):
    await browser.sign_in()
    api.late[UNREAD] = asyncio.Event()
    try:
        await browser.open("/console")
    finally:
        api.late.pop(UNREAD).set()
    assert browser.status == 200
    assert 'Notifications</span> <span class="count" hidden>' in browser.text


async def test_a_group_of_mails_is_switched_off_in_one_account(browser, api):
    await browser.sign_in()
    stored = {"groups": GROUPS, "off": off(there=["added"]), "etag": '"s1"'}
    api.answers |= {
        SHOW: (200, stored),
        SAVE: (200, stored),
        ACME: (200, {"id": ACCOUNT, "name": "Acme"}),
    }
    where = f"/notifications/settings?account={ACCOUNT}"
    await browser.open(where)
    assert "So that you notice." in browser.text
    assert await browser.press("/notifications/settings", press="off") == where
    [body] = api.asked_for(SAVE)
    chosen = {one["account_id"]: one["kinds"] for one in body["off"]}
    assert chosen == {ACCOUNT: ["added", "role_changed"], "acc_x": ["added"]}
    assert api.conditions == ['"s1"']


async def test_a_press_on_a_page_of_before_changes_nothing_and_is_offered_again(browser, api):
    """Another tab has chosen meanwhile: its choice stays, and the page shows it."""
    await browser.sign_in()
    stored = {"groups": GROUPS, "off": [], "etag": '"s1"'}
    api.answers |= {SHOW: (200, stored), SAVE: problem(412, "precondition-failed")}
    await browser.open("/notifications/settings")
    api.answers[SHOW] = (200, {**stored, "off": off(all=["added"]), "etag": '"s2"'})
    await browser.press("/notifications/settings", press="off")
    assert browser.status == 412
    assert "Your choices have changed meanwhile" in browser.text
    assert "Off: You were added" in browser.text
    assert re.search('value="off" [^>]*autofocus>Switch off<', browser.text)
    api.answers[SAVE] = (200, stored)
    await browser.press("/notifications/settings", press="off")
    assert api.conditions == ['"s1"', '"s2"']


async def test_a_form_that_names_no_state_changes_nothing_unseen(browser, api):
    await browser.sign_in()
    api.answers |= {SHOW: (200, {"groups": GROUPS, "off": [], "etag": '"s1"'}), SAVE: (200, {})}
    await browser.open("/notifications/settings")
    for state in ("", 'x" , *', "*"):
        await browser.press("/notifications/settings", press="off", state=state)
    assert set(api.conditions) == {'"-"'}


async def test_accounts_come_page_by_page_and_a_choice_keeps_its_page(browser, api):
    await browser.sign_in()
    accounts = [OTHER | {"id": f"acc_{n}", "name": f"Team {n}"} for n in range(2)]
    api.answers |= {
        SHOW: (200, {"groups": GROUPS, "off": off(here=["added"]), "etag": '"s1"'}),
        SAVE: (200, {}),
        "GET /v1/accounts": (200, {"items": accounts, "next_cursor": "next+1"}),
        ACME: (200, {"id": ACCOUNT, "name": "<i>Acme"}),
    }
    await browser.open("/notifications/settings")
    assert 'href="/notifications/settings?cursor=next%2B1">More accounts' in browser.text
    assert "All or partly off in one account" in browser.text
    await browser.open(f"/notifications/settings?cursor=next%2B1&account={ACCOUNT}")
    assert ("GET /v1/accounts", {"limit": "100", "cursor": "next+1"}) in api.queries
    assert 'aria-current="page"><bdi>&lt;i&gt;Acme' in browser.text
    assert "The first accounts" in browser.text
    where = f"/notifications/settings?account={ACCOUNT}&cursor=next%2B1"
    assert await browser.press("/notifications/settings", press="on") == where


async def test_the_titles_are_asked_in_the_language_of_the_page(browser, api):
    """Notification learns of a new language a moment later than identity."""
    await browser.sign_in()
    api.answers["GET /v1/me"] = (200, ME | {"locale": "de"})
    await browser.open("/notifications/settings")
    assert (SHOW, {"locale": "de"}) in api.queries
    assert "Immer ein" not in browser.text  # there are no groups
    assert '<html lang="de">' in browser.text


async def test_a_fault_is_told_in_the_language_of_the_page(browser, api):
    await browser.sign_in()
    stored = {"groups": GROUPS, "off": [], "etag": '"s1"'}
    api.answers |= {
        "GET /v1/me": (200, ME | {"locale": "de"}),
        SHOW: (200, stored),
        SAVE: problem(412, "precondition-failed"),
    }
    await browser.open("/notifications/settings")
    await browser.press("/notifications/settings", press="off")
    assert "Ihre Auswahl hat sich inzwischen geändert" in browser.text
    assert "<title>Fehler:" in browser.text


@pytest.mark.rule("B12")
async def test_no_press_switches_off_what_always_comes(browser, api):
    await browser.sign_in()
    api.answers[SHOW] = (200, {"groups": GROUPS, "off": [], "etag": '"s1"'})
    await browser.open("/notifications/settings")
    await browser.press("/notifications/settings", press="off", group="sign_in")
    assert api.asked_for(SAVE) == []


async def test_language_and_time_zone_are_saved(browser, api):
    await browser.sign_in()
    api.answers["PATCH /v1/me"] = (200, ME)
    where = "/notifications/settings"
    await browser.open(where)
    chosen = {"locale": "de", "time_zone": "Europe/Berlin"}
    to = await browser.press(where, press="person", **chosen)
    assert to == f"{where}?done=language-saved"
    await browser.open(to)
    assert "Your language and time zone are saved." in browser.text
    assert api.asked_for("PATCH /v1/me") == [chosen]
    api.answers["GET /v1/me"] = (200, ME | chosen)
    await browser.open(where)
    assert "Sprache und Zeitzone" in browser.text
    assert "<option selected>Europe/Berlin</option>" in browser.text
    await browser.open("/notifications")
    assert '<html lang="de">' in browser.text
