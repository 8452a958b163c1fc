"""The frame of an account's pages, over a stand-in of the API."""

import pytest

from services.console.domain.sections import SECTIONS
from tests.services.console.accounts import (
    ACCOUNT,
    API,
    EVERYTHING,
    OTHER,
    PAGE,
    describe_account,
    member,
)
from tests.services.console.browsing import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_address_names_the_account_and_the_head_names_the_others(browser, api):
    describe_account(api, members=(member(2),))
    await browser.sign_in()
    await browser.open(f"{PAGE}/members")
    assert browser.status == 200
    assert f'href="{PAGE}" aria-current="true"' in browser.text
    assert 'href="/console/accounts/acc_2"><bdi>Gears &lt;b&gt;</bdi>' in browser.text
    assert "POST /v1/session/switch" not in {name for name, *_ in api.asked}


async def test_a_visitor_with_many_accounts_can_search_them(browser, api):
    describe_account(api)
    api.answers["GET /v1/accounts"] = (200, {"items": [ACCOUNT], "next_cursor": "c1"})
    await browser.sign_in()
    await browser.open(f"{PAGE}/members")
    assert 'action="/console/accounts" role="search"' in browser.text
    api.answers["GET /v1/accounts"] = (200, {"items": [ACCOUNT, OTHER], "next_cursor": None})
    await browser.open("/console/accounts?q=gEARS")
    found = browser.text.partition("<main")[2]
    assert ("acc_2" in found, "acc_1" in found) == (True, False)
    await browser.open("/console/accounts?q=%3Cb%3Enone")
    assert "No account of yours has this name." in browser.text


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize("one", SECTIONS, ids=lambda one: one.id)
async def test_a_section_is_shown_to_those_who_may_see_it(browser, api, one):
    for permissions, shown in ((EVERYTHING, True), (("account:view",), not one.permission)):
        given = (*permissions, one.permission) if permissions == EVERYTHING else permissions
        describe_account(api, permissions=given)
        browser.cookies.clear()
        await browser.sign_in()
        await browser.open(f"{PAGE}/members")
        navigation = browser.text.partition('class="sections"')[2].partition("</nav>")[0]
        assert (f'href="{PAGE}/{one.id}"' in navigation) is shown


async def test_an_account_opens_at_the_first_section_that_is_seen(browser, api):
    describe_account(api)
    await browser.sign_in()
    assert await browser.open(PAGE) == f"{PAGE}/members"
    assert await browser.open(f"{PAGE}?done=joined") == f"{PAGE}/members"
    await browser.open("/invitations?token=inv_1.1.first&code=A")
    await browser.open("/invitations")
    assert await browser.press("/invitations", press="accept") == f"{PAGE}?done=joined"
    assert await browser.open(f"{PAGE}?done=joined") == f"{PAGE}/members?done=joined"
    await browser.open(f"{PAGE}/members?done=joined")
    assert "You have joined this account." in browser.text
    describe_account(api, permissions=("account:view",))
    assert await browser.open(PAGE) == ""
    assert "Your role here" in browser.text


@pytest.mark.parametrize(
    ("told", "locale", "words"),
    [
        ("", "en", "If you were removed or suspended, ask"),
        ("role_changed removed suspended", "de", "Wurden Sie entfernt oder gesperrt"),
        ("resumed suspended", "en", "If you were removed or suspended, ask"),
        ("role_changed suspended", "en", "membership of this account is suspended. Your role"),
        ("suspended resumed", "de", "Mitgliedschaft in diesem Konto ist gesperrt"),
    ],
)
async def test_a_page_without_its_member_says_why_as_they_were_told(
    browser, api, told, locale, words
):
    describe_account(api, locale=locale)
    await browser.sign_in()
    api.answers["GET /v1/me/notifications"] = (
        200,
        {"items": [{"kind": kind} for kind in told.split()], "next_cursor": None},
    )
    api.answers |= dict.fromkeys(
        [f"GET {API}", f"GET {API}/me/permissions", f"GET {API}/members"], problem(404, "not-found")
    )
    api.answers["GET /v1/accounts"] = (200, {"items": [OTHER], "next_cursor": None})
    await browser.open(f"{PAGE}/members")
    assert (browser.status, words in browser.text) == (404, True)
    assert "Analytical" not in browser.text
    asked = dict(api.queries)["GET /v1/me/notifications"]
    assert asked["account"] == "acc_1"


async def test_an_account_that_allows_nothing_says_why(browser, api):
    describe_account(api)
    api.answers[f"GET {API}"] = problem(403, "account-suspended")
    await browser.sign_in()
    await browser.open(f"{PAGE}/members")
    assert (browser.status, "has suspended this account" in browser.text) == (403, True)


@pytest.mark.parametrize("path", ["/v1/me", API, f"{API}/me/permissions", f"{API}/members"])
async def test_a_page_is_not_shown_without_what_the_api_does_not_answer(browser, api, path):
    describe_account(api)
    await browser.sign_in()
    api.answers[f"GET {path}"] = problem(503, "unavailable")
    await browser.open(f"{PAGE}/members")
    assert browser.status == 503


@pytest.mark.parametrize("status", [404, 422])
async def test_an_old_address_of_a_list_leads_to_the_whole_list(browser, api, status):
    describe_account(api)
    api.answers[f"GET {API}/members"] = problem(status, "not-found" if status == 404 else "invalid")
    way = f'<a href="{PAGE}/members">Show this page from its beginning</a>'
    await browser.sign_in()
    for query, offered in (("?cursor=old&status=invited", True), ("", False)):
        await browser.open(f"{PAGE}/members{query}")
        assert (browser.status, way in browser.text) == (status, offered)
        assert "Reload the page" not in browser.text


async def test_a_sign_in_leads_back_to_the_page_with_its_search(browser, api):
    describe_account(api)
    where = await browser.open(f"{PAGE}/members?q=a%20b&done=removed")
    await browser.open(where)
    to = await browser.press("/sign-in", email="a@b.example", password="pw")
    assert to == f"{PAGE}/members?q=a%20b"


async def test_a_team_is_created_once_and_a_refusal_keeps_its_name(browser, api):
    describe_account(api)
    api.answers["POST /v1/accounts"] = problem(409, "account-limit", limit=20)
    await browser.sign_in()
    await browser.open("/console/new-team")
    await browser.press("/console/new-team", name="Gears & Co")
    assert "You own 20 accounts" in browser.text
    assert 'value="Gears &amp; Co"' in browser.text
    api.answers["POST /v1/accounts"] = (201, OTHER)
    where = await browser.press("/console/new-team", name="Gears & Co")
    assert where == "/console/accounts/acc_2/members?done=team-created"
    assert len(set(api.keys)) == 1  # the same form is the same request


async def test_a_new_team_has_the_catalog_that_its_owner_chooses(browser, api):
    describe_account(api)
    own = OTHER | {"owner": True}
    others = [{"name": "standard", "title": "Newer"}, {"name": "shop", "title": "Shop <b>"}]
    api.answers |= {
        "GET /v1/accounts": (200, {"items": [own], "next_cursor": None}),
        "GET /v1/accounts/acc_2/catalogs": (200, {"items": others}),
        "POST /v1/accounts": (201, OTHER),
    }
    await browser.sign_in()
    await browser.open("/console/new-team")
    for option in (">The usual ones<", 'standard">Standard<', 'shop">Shop &lt;b&gt;<'):
        assert option in browser.text
    await browser.press("/console/new-team", name="Gears", catalog="shop")
    await browser.open("/console/new-team")
    await browser.press("/console/new-team", name="Gears", catalog="")
    assert api.asked_for("POST /v1/accounts") == [
        {"name": "Gears", "catalog": "shop"},
        {"name": "Gears"},
    ]


@pytest.mark.parametrize("step", ["%2E%2E", "a%2Fb", "a.b", "a%20b"])
@pytest.mark.parametrize("page", ["members", "members/live", "log/live", "log/export/file"])
async def test_what_cannot_be_an_id_is_asked_of_no_one(browser, api, step, page):
    await browser.sign_in()
    asked = len(api.asked)
    await browser.open(f"/console/accounts/{step}/{page}")
    assert (browser.status, len(api.asked)) == (404, asked)
