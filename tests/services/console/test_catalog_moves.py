"""The page that moves an account to another catalog, over a stand-in of the API."""

import re
from typing import Any

import pytest

from services.console.domain.permission_tables import read_table
from tests.services.console.account_api import CATALOGS, a_member, a_preview, catalog_answer, scopes
from tests.services.console.accounts import ACCOUNT, API, PAGE, describe_account
from tests.services.console.browsing import StandIn, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

TARGET = catalog_answer(CATALOGS["novita"])
NEWER = catalog_answer(CATALOGS["standard"]) | {"id": "standard@2", "title": "Standard <b>"}
OWN = {"id": "rol_1", "title": "Night <b>", "grants": {}, "built_in": False}
MOVE, LIST, PREVIEW = f"POST {API}/catalog", f"GET {API}/catalogs", f"POST {API}/changes/preview"
CATALOG = f"{PAGE}/settings/catalog"
WHERE = f"{CATALOG}?catalog={TARGET['id'].replace('@', '%40')}"
NEEDED = [
    {"pointer": "/change/mapping/roles/developer", "message": "Say which. Used by: members (2)."},
    {"pointer": "/change/mapping/levels/instance:view", "message": "Say which."},
    {"pointer": "/change/mapping/overrides", "message": "The new catalog has no overrides."},
]
LEVEL = read_table(TARGET).sections[0].entries[0]
TEXT, NAME = f"{LEVEL.title}: {LEVEL.levels[0].title}", f"{LEVEL.id}:{LEVEL.levels[0].id}"
ANSWERS = {"role.developer": "basic", "level.instance:view": TEXT, "overrides": "end"}
OWNED = ACCOUNT | {
    "owner": True,
    "require_second_factor": False,
}
MAPPING = {
    "roles": {"developer": "basic"},
    "levels": {"instance:view": NAME},
    "overrides": "end",
}


@pytest.fixture
def account(api: StandIn) -> StandIn:
    describe_account(api, account=OWNED)
    gained = {LEVEL.id: {LEVEL.levels[0].id: scopes(None, "all")}}
    everywhere = {"gained": gained, "lost": {"instance": {"view": scopes("all", None)}}}
    role = {"before": "developer", "after": "basic"}
    preview = a_preview(a_member(2, everywhere=everywhere, role=role), etag='"s1"')
    api.answers |= {
        LIST: (200, {"items": [NEWER, TARGET], "next_cursor": None}),
        PREVIEW: (200, preview | {"resource_types_lost": ["gear<b>"]}),
        MOVE: (200, {}),
        f"GET {API}/projects": (200, {"items": [], "next_cursor": None}),
    }
    return api


async def open_choice(browser: Any, *, where: str = WHERE) -> None:
    await browser.sign_in()
    await browser.open(where)


def needs(account: StandIn, *errors: dict[str, str]) -> None:
    account.answers[PREVIEW] = problem(409, "mapping-needed", errors=list(errors))


async def test_the_owner_finds_the_catalogs_from_the_settings(browser, account):
    await open_choice(browser, where=f"{PAGE}/settings")
    assert f'href="{CATALOG}"' in browser.text
    await browser.open(CATALOG)
    assert "Standard &lt;b&gt;" in browser.text
    assert "A newer version of yours" in browser.text
    assert f'href="{WHERE}"' in browser.text
    account.answers[LIST] = (200, {"items": [], "next_cursor": None})
    await browser.open(CATALOG)
    assert "There is no other set" in browser.text


async def test_a_member_who_is_not_the_owner_finds_no_catalogs(browser, account):
    describe_account(account, account=OWNED | {"owner": False})
    account.answers[LIST] = problem(403, "owner-only")
    await open_choice(browser, where=f"{PAGE}/settings")
    assert CATALOG not in browser.text
    await browser.open(CATALOG)
    assert (browser.status, "Only the owner" in browser.text) == (403, True)


async def test_what_has_no_counterpart_is_asked_and_becomes_the_mapping(browser, account):
    before = account.answers[PREVIEW]
    needs(account, *NEEDED)
    await open_choice(browser)
    assert (browser.status, 'role="alert"' in browser.text) == (200, False)
    assert "Developer becomes" in browser.text
    assert "null" not in browser.text
    assert "Used by" not in browser.text
    await browser.press(WHERE, press="preview", **ANSWERS)
    assert browser.status == 409
    assert "This does not fit there" in browser.text
    assert f'value="{TEXT}"' in browser.text
    account.answers[PREVIEW] = before
    await browser.press(WHERE, press="preview", **ANSWERS)
    change = {"type": "catalog_move", "catalog": TARGET["id"], "mapping": MAPPING}
    assert account.asked_for(PREVIEW)[-1] == {"change": change}
    hidden = re.findall(r'type="hidden" name="([\w.:]+)" value="([^"]*)"', browser.text)
    assert ANSWERS.items() <= dict(hidden).items()
    assert account.asked_for(MOVE) == []


async def test_the_preview_says_what_each_member_gains_and_loses_in_words(browser, account):
    await open_choice(browser)
    text = re.sub(r"<[^>]*>", " ", browser.text)
    for words in (LEVEL.title, LEVEL.levels[0].title, "Person 2", "gear&lt;b&gt;"):
        assert words in text
    assert "Developer" in text
    assert "Instances" in text


async def test_the_account_is_moved_after_its_name_was_typed(browser, account):
    account.revisions[MOVE] = "team.0.1.7"
    await open_choice(browser)
    await browser.press(WHERE, press="move", confirm="Engines", **ANSWERS)
    assert (browser.status, "not the name of the account" in browser.text) == (422, True)
    assert account.asked_for(MOVE) == []
    assert 'name="state" value="s1"' in browser.text
    where = await browser.press(WHERE, press="move", confirm=ACCOUNT["name"], state="s1", **ANSWERS)
    assert where == f"{PAGE}/members?done=catalog-moved&revision=team.0.1.7"
    assert account.asked_for(MOVE) == [{"catalog": TARGET["id"], "mapping": MAPPING}]
    assert len(account.keys) == 1
    assert account.conditions == ['"s1"']


@pytest.mark.parametrize("code", ["catalog-too-small", "guardrails-of-this-catalog"])
async def test_what_stands_against_a_move_is_said_and_nothing_is_offered(browser, account, code):
    account.answers[PREVIEW] = problem(409, code, limit=5, present=7, names=["Quorum <b>"])
    await open_choice(browser)
    assert browser.status == 409
    assert 'role="alert"' in browser.text
    assert 'name="press" value="move"' not in browser.text


async def test_a_guardrail_that_would_be_violated_leaves_no_button(browser, account):
    violation = {"guardrail": "Two admins"}
    status, preview = account.answers[PREVIEW]
    account.answers[PREVIEW] = (status, preview | {"violations": [violation]})
    await open_choice(browser)
    assert "Two admins" in browser.text
    assert 'value="move"' not in browser.text


async def test_a_move_that_is_refused_keeps_the_answers(browser, account):
    account.answers[MOVE] = problem(403, "grants-exceeded")
    await open_choice(browser)
    await browser.press(WHERE, press="move", confirm=ACCOUNT["name"], **ANSWERS)
    assert browser.status == 403
    assert f'name="level.instance:view" value="{TEXT}"' in browser.text
    await browser.press(WHERE, press="again", **ANSWERS)
    assert f'value="{TEXT}"' in browser.text
    assert 'option value="basic" selected' in browser.text


async def test_a_catalog_that_is_not_offered_any_more_is_not_moved_to(browser, account):
    await open_choice(browser)
    account.answers[LIST] = (200, {"items": [NEWER], "next_cursor": None})
    await browser.press(WHERE, press="move", confirm=ACCOUNT["name"])
    assert (browser.status, "not offered any more" in browser.text) == (409, True)
    assert account.asked_for(MOVE) == []


@pytest.mark.rule("T25")
async def test_a_press_without_the_mark_moves_nothing(browser, account):
    await open_choice(browser)
    await browser.send("POST", WHERE, data={"press": "move", "confirm": ACCOUNT["name"]})
    assert (browser.status, account.asked_for(MOVE)) == (403, [])
