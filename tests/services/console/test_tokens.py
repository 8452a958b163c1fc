"""The pages of API tokens, over a stand-in of the API."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from services.console.domain.token_forms import boxes, days, grant_titles, new_token
from tests.services.console.accounts import API, PAGE, USER_ID, describe_account
from tests.services.console.browsing import StandIn, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS, ONE = f"{PAGE}/tokens", f"{API}/api-tokens"
FREE = {"projects": None, "grants": None, "read_only": False}
TOKEN = {
    "id": "tok_1",
    "user_id": USER_ID,
    "name": "CI <b>",
    "status": "active",
    "created_at": "2026-11-01T08:00:00Z",
    "expires_at": "2027-01-30T23:59:59Z",
    "last_used_at": None,
    "revoked_at": None,
    "restriction": FREE,
}
CATALOG: Mapping[str, Any] = {
    "policies": {"words": {"project": "cluster", "projects": "clusters"}},
    "sections": [
        {
            "entries": [
                {
                    "id": "vm",
                    "title": "Machines <i>",
                    "levels": [{"id": "view", "title": "See"}, {"id": "run", "title": "Run"}],
                },
                {"id": "bill", "title": "Bills", "levels": [{"id": "view", "title": "See"}]},
            ]
        }
    ],
}
TABLE: Mapping[str, Mapping[str, Any]] = {
    "vm": {"view": "all", "run": None},
    "bill": {"view": None},
}


@pytest.fixture
def tokens(api: StandIn) -> StandIn:
    """The API of an account whose visitor has tokens."""
    permissions = ("account:view", "api_token:view", "api_token:manage")
    describe_account(api, permissions=permissions)
    held = {"permissions": dict.fromkeys(permissions, "all"), "table": TABLE}
    api.answers |= {
        f"GET {ONE}": (200, {"items": [TOKEN], "next_cursor": None}),
        f"GET {ONE}/tok_1": (200, TOKEN),
        f"GET {API}/me/permissions": (200, held),
        f"GET {API}/catalog": (200, CATALOG),
        f"GET {API}/projects": (200, {"items": [{"id": "prj_1", "name": "A&B"}]}),
        f"GET {API}/members": problem(403, "permission-missing"),
    }
    return api


async def test_a_form_offers_the_levels_that_the_visitor_holds():
    [entry] = boxes(CATALOG, TABLE)
    assert [(level.name, level.title) for level in entry.levels] == [("grant.vm.view", "See")]


@pytest.mark.parametrize(
    ("typed", "restriction"),
    [
        ({}, FREE),
        ({"read_only": "on"}, FREE | {"read_only": True}),
        ({"project.prj_1": "on", "project.prj_2": "on"}, FREE | {"projects": ["prj_1", "prj_2"]}),
        (
            {"grant.vm.view": "on", "grant.vm.run": "on", "grant.bill.view": "on"},
            FREE | {"grants": {"vm": ["view", "run"], "bill": ["view"]}},
        ),
    ],
)
async def test_a_token_is_restricted_by_the_boxes_of_a_kind(typed, restriction):
    assert new_token({"name": "CI", **typed}, "UTC")["restriction"] == restriction


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("2027-01-30", "2027-01-30T22:59:59+00:00"), ("soon", "soon"), ("", "")],
)
async def test_a_token_ends_with_a_day_of_its_maker(typed, sent):
    assert new_token({"expires_at": typed}, "Europe/Berlin")["expires_at"] == sent


async def test_the_days_of_a_form_are_those_of_the_makers_zone():
    now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    found = days(now, "Europe/Berlin")
    assert found == {"first": "2027-01-01", "usual": "2027-04-01", "last": "2028-01-01"}


async def test_a_restriction_is_told_in_the_words_of_the_catalog():
    assert grant_titles(CATALOG, {"vm": ["view", "gone"], "gone": ["view"]}) == [
        "Machines <i>: See, gone",
        "gone: view",
    ]


async def test_the_list_shows_names_as_text_and_no_others_tokens_to_end(browser, tokens):
    await browser.sign_in()
    other = TOKEN | {"id": "tok_2", "user_id": "usr_9", "name": "Other", "status": "revoked"}
    tokens.answers[f"GET {ONE}"] = (200, {"items": [TOKEN, other], "next_cursor": "c+2"})
    await browser.open(TOKENS)
    assert "CI &lt;b&gt;" in browser.text
    assert f'href="{TOKENS}/tok_1/revoke"' in browser.text
    assert f'href="{TOKENS}/tok_2/revoke"' not in browser.text
    assert f'href="{TOKENS}?cursor=c%2B2"' in browser.text


async def test_a_token_is_made_once_and_its_secret_shown_in_one_answer(browser, tokens):
    await browser.sign_in()
    made = TOKEN | {"secret": "rct_secret", "note": None}
    tokens.answers[f"POST {ONE}"] = problem(
        422, "invalid", errors=[{"pointer": "/expires_at", "message": "Must be in the future."}]
    )
    await browser.open(f"{TOKENS}/new")
    assert "Machines &lt;i&gt;" in browser.text
    fields = {"name": "CI & co", "grant.vm.view": "on", "project.prj_1": "on", "read_only": "on"}
    await browser.press(f"{TOKENS}/new", expires_at="2027-01-30", **fields)
    assert (browser.status, "Choose a day in the future." in browser.text) == (422, True)
    for kept in ('value="CI &amp; co"', 'name="grant.vm.view" value="on" checked'):
        assert kept in browser.text
    tokens.answers[f"POST {ONE}"] = (201, made)
    form = browser.text
    await browser.press(f"{TOKENS}/new", expires_at="2027-01-31", **fields)
    assert 'value="rct_secret"' in browser.text
    assert tokens.asked_for(f"POST {ONE}")[-1] == {
        "name": "CI & co",
        "expires_at": "2027-01-31T23:59:59+00:00",
        "restriction": {"projects": ["prj_1"], "grants": {"vm": ["view"]}, "read_only": True},
    }
    tokens.answers[f"POST {ONE}"] = (201, made | {"secret": None, "note": "shown-once"})
    browser.text = form
    await browser.press(f"{TOKENS}/new", expires_at="2027-01-31", **fields)
    assert "was shown once before" in browser.text
    assert len(set(tokens.keys)) == 1
    for path in (TOKENS, f"{TOKENS}/tok_1"):
        await browser.open(path)
        assert "rct_secret" not in browser.text


async def test_a_token_ends_after_a_question(browser, tokens):
    await browser.sign_in()
    tokens.answers[f"DELETE {ONE}/tok_1"] = (204, None)
    await browser.open(f"{TOKENS}/tok_1")
    assert f'href="{TOKENS}/tok_1/revoke"' in browser.text
    await browser.open(f"{TOKENS}/tok_1/revoke")
    assert "This cannot be undone." in browser.text
    assert "It was never used." in browser.text
    assert not tokens.asked_for(f"DELETE {ONE}/tok_1")
    where = await browser.press(f"{TOKENS}/tok_1/revoke")
    assert where == f"{TOKENS}?done=token-revoked"
    assert len(tokens.asked_for(f"DELETE {ONE}/tok_1")) == 1


@pytest.mark.parametrize(
    ("maker", "scope", "ends"),
    [
        ("usr_1", "all", True),
        ("usr_1", "self", True),
        ("usr_9", "all", True),
        ("usr_9", "self", False),
        ("usr_9", None, False),
    ],
)
async def test_a_token_of_others_is_ended_with_the_permission_for_all_alone(
    browser, tokens, maker, scope, ends
):
    held = {"account:view": "all", "api_token:view": "all"}
    held |= {"api_token:manage": scope} if scope else {}
    tokens.answers |= {
        f"GET {ONE}/tok_1": (200, TOKEN | {"user_id": maker}),
        f"GET {API}/me/permissions": (200, {"permissions": held, "table": TABLE}),
    }
    await browser.sign_in()
    await browser.open(f"{TOKENS}/tok_1")
    assert (f'href="{TOKENS}/tok_1/revoke"' in browser.text) is ends


async def test_a_token_of_another_member_is_named_with_its_maker(browser, tokens):
    await browser.sign_in()
    limits = {"projects": ["prj_1", "prj_9"], "grants": {"vm": ["run"]}, "read_only": True}
    tokens.answers |= {
        f"GET {ONE}/tok_1": (200, TOKEN | {"user_id": "usr_9", "restriction": limits}),
        f"GET {API}/members": (200, {"items": [{"user_id": "usr_9", "name": "Bo", "email": "b"}]}),
    }
    await browser.open(f"{TOKENS}/tok_1")
    for shown in ("Only reads", "Clusters: <bdi>A&amp;B</bdi>, <bdi>prj_9</bdi>", ": Run", "Bo"):
        assert shown in browser.text


async def test_the_secret_of_a_token_needs_no_answer_after_it_is_made(browser, tokens):
    await browser.sign_in()
    tokens.answers[f"POST {ONE}"] = (201, TOKEN | {"secret": "rct_secret", "note": None})
    await browser.open(f"{TOKENS}/new")
    tokens.silent_after = f"POST {ONE}"
    await browser.press(f"{TOKENS}/new", name="CI", expires_at="2027-01-30")
    assert tokens.silent
    assert (browser.status, 'value="rct_secret"' in browser.text) == (200, True)


@pytest.mark.parametrize("field", ["once", "state"])
@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "\N{SNOWMAN}", "a" * 2049])
async def test_a_field_that_no_header_may_have_is_a_forged_form(browser, tokens, field, text):
    await browser.sign_in()
    await browser.open(f"{TOKENS}/new")
    await browser.press(f"{TOKENS}/new", name="CI", **{field: text})
    assert (browser.status, "The form was not complete." in browser.text) == (400, True)
    assert tokens.asked_for(f"POST {ONE}") == []
