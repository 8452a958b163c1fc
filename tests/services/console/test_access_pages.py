"""The pages of roles, projects and access, over a stand-in of the API."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from rolecall import load_catalog
from services.console.domain import places
from services.console.routes import PAGES as ALL_PAGES
from tests.services.console.account_api import (
    CATALOGS,
    a_member,
    a_preview,
    catalog_answer,
    role_answer,
)
from tests.services.console.accounts import API, PAGE, USER_ID, describe_account, member
from tests.services.console.browsing import Browser, StandIn, problem
from tests.services.console.conftest import noted
from tests.services.console.test_settings import OWNED

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLE_ID, PROJECT_ID, MEMBER_ID = "rol_1", "prj_1", "usr_2"
NASTY = "<script>alert(1)</script>"
STANDARD = load_catalog("standard")
CUSTOM = role_answer(
    id=ROLE_ID,
    title=f"Night {NASTY}",
    description="Keeps \u202e things",
    grants={
        "account": {"view": "all"},
        "instance": {"manage": "all", "delete": "self"},
        "storage": {
            "view": [{"scope": "all", "when": [{"path": "resource.id", "equals": "x"}]}],
        },
    },
    built_in=False,
)
PROJECT = {"id": PROJECT_ID, "name": f"Prod {NASTY}", "created_at": "2026-11-01T08:00:00Z"}
REVISION = "team.a.1.1"
PREVIEW = f"POST {API}/changes/preview"
EVERY = (
    *("account:view", "member:view", "member:update", "role:view", "role:manage"),
    *("project:view", "project:create", "project:manage", "project:delete"),
)
OF_LEVELS = tuple(
    f"{entry.id}:{level.id}" for entry in STANDARD.entries.values() for level in entry.levels
)
OVERRIDE = {
    "project_id": PROJECT_ID,
    "user_id": MEMBER_ID,
    "membership_id": "mem_1",
    "grants": {"instance": {"view": "all"}},
    "expires_at": "2027-01-31T12:00:00Z",
    "expired": False,
    "given_by": USER_ID,
    "given_at": "2026-11-01T08:00:00Z",
    "etag": '"o-1"',
}


def cells(role: str, *, source: str = "role") -> dict[str, Any]:
    """The access table of a member who has what the role names."""
    found = STANDARD.role(role)
    assert found is not None
    grants = catalog_answer(STANDARD)["roles"][[one.id for one in STANDARD.roles].index(role)]
    return {
        entry.id: {
            level.id: {
                "scope": grants["grants"].get(entry.id, {}).get(level.id),
                "source": source,
            }
            for level in entry.levels
        }
        for entry in STANDARD.entries.values()
    }


def access_of(**changes: Any) -> dict[str, Any]:
    return {
        "user_id": MEMBER_ID,
        "status": "active",
        "denied": None,
        "owner": False,
        "role": "viewer",
        "role_title": "Viewer",
        "cells": cells("viewer"),
        "items": [
            {
                "project_id": PROJECT_ID,
                "name": PROJECT["name"],
                "override": None,
                "cells": cells("viewer"),
            }
        ],
        "next_cursor": None,
        **changes,
    }


@pytest.fixture
def account(api: StandIn) -> StandIn:
    """A team with a role of its own, a project and a member in it."""
    permissions = (*EVERY, *OF_LEVELS)
    describe_account(api, permissions=permissions, members=(member(2, role="viewer"),))
    one = member(2, role="viewer", role_title="Viewer")
    holds = {"permissions": dict.fromkeys(permissions, "all")}
    api.answers |= {
        f"GET {API}/catalog": (200, catalog_answer(STANDARD, CUSTOM)),
        f"GET {API}/roles/{ROLE_ID}": (200, CUSTOM),
        f"GET {API}/me/permissions": (200, holds),
        f"GET {API}/projects": (200, {"items": [PROJECT], "next_cursor": None}),
        f"GET {API}/projects/{PROJECT_ID}": (200, PROJECT | {"etag": '"p-1"'}),
        f"GET {API}/projects/{PROJECT_ID}/overrides": (200, {"items": [], "next_cursor": None}),
        f"GET {API}/members/{MEMBER_ID}": (200, one),
        f"GET {API}/members/{MEMBER_ID}/access": (200, access_of()),
        f"GET {API}/projects/{PROJECT_ID}/overrides/{MEMBER_ID}": problem(404, "not-found"),
        PREVIEW: (200, a_preview(a_member(2))),
    }
    return api


def choices(text: str) -> dict[str, str]:
    """The chosen value of each level's field of a page."""
    found = {}
    for name, body in re.findall(
        r'<select name="(grant\.[^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL
    ):
        selected = re.search(r'value="([^"]*)" selected', body)
        found[name] = selected[1] if selected else re.findall(r'value="([^"]*)"', body)[0]
    return found


async def press(browser: Browser, path: str, **fields: str) -> str:
    """Press a button of a form with fields that have dots in their names."""
    hidden = dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', browser.text))
    return await browser.send("POST", path, data={**hidden, **fields})


PAGES = (
    "/roles",
    f"/roles/{ROLE_ID}",
    "/roles/viewer",
    "/roles/new",
    "/roles/new?from=viewer",
    f"/roles/{ROLE_ID}/edit",
    f"/roles/{ROLE_ID}/delete",
    "/projects",
    f"/projects/{PROJECT_ID}",
    f"/projects/{PROJECT_ID}/delete",
    f"/projects/{PROJECT_ID}/members/{MEMBER_ID}",
    f"/projects/{PROJECT_ID}/members/{MEMBER_ID}/remove",
    "/access",
    f"/access?member={MEMBER_ID}&permission=instance:delete&project={PROJECT_ID}",
    f"/access/members/{MEMBER_ID}",
)


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize("page", ["/roles/new", f"/roles/{ROLE_ID}/edit"])
async def test_who_may_not_press_a_form_reads_it_before_they_fill_it_in(browser, account, page):
    held = {name: "all" for name in (*EVERY, *OF_LEVELS) if name != "role:manage"}
    account.answers[f"GET {API}/me/permissions"] = (200, {"permissions": held})
    await browser.sign_in()
    await browser.open(PAGE + page)
    assert browser.status == 403
    assert "Your role in this account does not allow this." in browser.text
    assert "<textarea" not in browser.text
    assert 'name="name"' not in browser.text
    assert f'href="{PAGE}"' in browser.text


async def test_each_form_of_an_account_says_what_its_press_needs():
    """Those besides decide it for themselves: by the project, the member or the record."""
    decided = {
        *(f"{places.ACCOUNT}/projects/{{project_id}}/delete", places.LOG_SEARCH_DELETE),
        *(f"{places.ACCOUNT}/{one}" for one in ("delete", "settings/delete")),
    }
    forms = [
        row
        for row in ALL_PAGES
        if row.of_account and row.path.rpartition("/")[2] in {"new", "edit", "delete", "revoke"}
    ]
    assert len(forms) > 8
    assert [row.path for row in forms if not row.needs and row.path not in decided] == []


@pytest.mark.parametrize("locale", ["en", "de"])
async def test_every_page_shows_names_as_text_in_the_language_of_its_reader(
    browser, account, locale
):
    account.answers["GET /v1/me"] = (200, account.answers["GET /v1/me"][1] | {"locale": locale})
    account.answers[f"GET {API}/roles/viewer"] = (
        200,
        catalog_answer(STANDARD)["roles"][-1],
    )
    explained(account, allowed=False)
    await browser.sign_in()
    for page in PAGES:
        await browser.open(PAGE + page)
        assert browser.status == 200, page
        assert NASTY not in browser.text, page
        assert f'<html lang="{locale}">' in browser.text, page
        assert "style=" not in browser.text


@pytest.mark.parametrize("name", CATALOGS)
async def test_the_table_of_roles_has_the_words_of_each_catalog(browser, account, name):
    catalog = CATALOGS[name]
    account.answers[f"GET {API}/catalog"] = (200, catalog_answer(catalog))
    await browser.sign_in()
    await browser.open(f"{PAGE}/roles")
    titles = [
        *(section.title for section in catalog.sections),
        *(entry.title for entry in catalog.entries.values()),
        *(role.title for role in catalog.roles),
    ]
    assert [
        one for one in titles if f"<bdi>{one.replace('&', '&amp;')}</bdi>" not in browser.text
    ] == []
    await browser.open(f"{PAGE}/roles/new")
    fields = {
        f"grant.{entry.id}.{level.id}"
        for entry in catalog.entries.values()
        for level in entry.levels
    }
    assert choices(browser.text).keys() == fields
    await browser.open(f"{PAGE}/projects")
    assert f"<h1>{catalog.policies.words.projects.capitalize()}</h1>" in browser.text


@pytest.mark.rule("Ci12")
async def test_who_may_only_look_at_roles_is_offered_no_change(browser, account):
    holds = {"permissions": dict.fromkeys(("account:view", "role:view"), "all")}
    account.answers[f"GET {API}/me/permissions"] = (200, holds)
    await browser.sign_in()
    for page in ("/roles", f"/roles/{ROLE_ID}"):
        await browser.open(PAGE + page)
        assert "You can look at roles, but not change them" in browser.text
        for word in ("/edit", "/delete", "roles/new"):
            assert f"{word}" not in browser.text, word


async def test_twelve_roles_are_compared_at_once_and_all_are_listed(browser, account):
    own = [
        role_answer(id=f"rol_{n}", title=f"Own {n}", description="", grants={}, built_in=False)
        for n in range(50)
    ]
    account.answers[f"GET {API}/catalog"] = (200, catalog_answer(STANDARD, *own))
    names = [role.title for role in STANDARD.roles] + [role["name"] for role in own]
    await browser.sign_in()
    where, found = f"{PAGE}/roles", []
    while where:
        await browser.open(where)
        listed, _, compared = browser.text.partition('<h2 id="compared">')
        assert [one for one in names if f"<bdi>{one}</bdi>" not in listed] == []
        head = compared.partition("</thead>")[0]
        shown = re.findall(r"<bdi>([^<]*)</bdi>", head)
        assert len(shown) <= 12
        found += shown
        links = re.findall(r'href="([^"]*cursor=[^"]*#compared)"', compared)
        where = links[0].partition("#")[0] if links else ""
    assert found == names
    assert f'href="{PAGE}/roles#compared"' in browser.text
    await browser.open(f"{PAGE}/roles?cursor=rol_gone")
    assert 'data-label="Own 0"' in browser.text


async def test_a_catalog_without_own_roles_offers_none(browser, account):
    catalog = catalog_answer(STANDARD)
    catalog["policies"]["features"]["custom_roles"] = False
    account.answers[f"GET {API}/catalog"] = (200, catalog)
    await browser.sign_in()
    await browser.open(f"{PAGE}/roles")
    assert "Accounts of this kind have the built-in roles only." in browser.text
    assert "roles/new" not in browser.text


@pytest.mark.rule("Ci8")
async def test_a_role_is_made_from_the_choices_and_once(browser, account):
    await browser.sign_in()
    account.answers[f"POST {API}/roles"] = (201, CUSTOM)
    await browser.open(f"{PAGE}/roles/new")
    assert {name: one for name, one in choices(browser.text).items() if one} == {
        "grant.account.view": "all"
    }
    fields = {"name": "Ops", "description": "d", "grant.account.view": "all"}
    done = await press(browser, f"{PAGE}/roles/new", **fields, **{"grant.instance.delete": "self"})
    assert done == f"{PAGE}/roles/{ROLE_ID}?done=role-made"
    [body] = account.asked_for(f"POST {API}/roles")
    grants = {"account": {"view": "all"}, "instance": {"delete": "self"}}
    assert body == {"name": "Ops", "description": "d", "grants": grants}
    assert account.keys[-1]


@pytest.mark.rule("B5")
async def test_what_the_visitor_does_not_hold_cannot_be_chosen(browser, account):
    holds = dict.fromkeys((*EVERY, *OF_LEVELS), "all") | {"instance:delete": "self"}
    del holds["instance:write"]
    account.answers[f"GET {API}/me/permissions"] = (200, {"permissions": holds})
    await browser.sign_in()
    await browser.open(f"{PAGE}/roles/new")
    selects = dict(
        re.findall(
            r'<select name="grant\.instance\.(\w+)"[^>]*>(.*?)</select>', browser.text, re.DOTALL
        )
    )
    shut = {
        name: re.findall(r'value="(\w*)"[^>]* disabled', text) for name, text in selects.items()
    }
    assert shut["write"] == ["self", "all"]
    assert shut["delete"] == ["all"]
    assert shut["manage"] == []


@pytest.mark.rule("B9")
async def test_a_role_is_changed_after_a_preview_for_the_state_that_was_shown(browser, account):
    await browser.sign_in()
    where = f"{PAGE}/roles/{ROLE_ID}/edit"
    account.answers[f"PATCH {API}/roles/{ROLE_ID}"] = (200, CUSTOM)
    await browser.open(where)
    shown = choices(browser.text)
    assert shown["grant.storage.view"] == "when"
    typed = {**shown, "name": "Night", "description": "", "grant.instance.delete": "all"}
    await press(browser, where, **typed, press="preview")
    assert "Nothing is saved yet." in browser.text
    assert "Person 2" in browser.text
    assert account.asked_for(f"PATCH {API}/roles/{ROLE_ID}") == []
    account.revisions[f"PATCH {API}/roles/{ROLE_ID}"] = REVISION
    done = await press(browser, where, press="save")
    assert done == f"{PAGE}/roles/{ROLE_ID}?done=role-edited&revision={REVISION}"
    [previewed], [saved] = (
        account.asked_for(PREVIEW),
        account.asked_for(f"PATCH {API}/roles/{ROLE_ID}"),
    )
    assert previewed["change"] == {"type": "role_edit", "role_id": ROLE_ID, **saved}
    assert saved["grants"] == CUSTOM["grants"] | {"instance": {"manage": "all", "delete": "all"}}
    assert account.conditions == ['"rol_1-1"', '"rol_1-1"']
    assert account.previewed[-1] == (f"PATCH {API}/roles/{ROLE_ID}", '"seen1"')


async def test_pages_say_since_when_a_change_is_effective(browser, account):
    receipt = {"effective": True, "effective_at": "2026-11-27T12:00:01.250Z"}
    account.answers[f"GET {API}/revisions/{REVISION}"] = (200, receipt)
    await browser.sign_in()
    for page in ("/roles", f"/roles/{ROLE_ID}", "/projects", HERE.removeprefix(PAGE)):
        done = {"done": "role-edited", "revision": REVISION}
        browser.receive(noted(f"{PAGE}{page}", done))
        await browser.open(f"{PAGE}{page}?{urlencode(done)}")
        assert "Effective everywhere since 27 Nov 2026" in browser.text, page


async def test_a_preview_leads_back_to_what_was_chosen(browser, account):
    await browser.sign_in()
    where = f"{PAGE}/roles/{ROLE_ID}/edit"
    await browser.open(where)
    typed = choices(browser.text) | {"grant.vpc.write": "self"}
    await press(browser, where, **typed, name="Other", description="", press="preview")
    await press(browser, where, press="again")
    assert choices(browser.text)["grant.vpc.write"] == "self"
    assert 'value="Other"' in browser.text


async def test_a_role_that_was_changed_meanwhile_keeps_what_was_typed(browser, account):
    await browser.sign_in()
    where = f"{PAGE}/roles/{ROLE_ID}/edit"
    await browser.open(where)
    typed = choices(browser.text) | {"grant.vpc.write": "all"}
    account.answers[PREVIEW] = problem(412, "precondition-failed")
    account.answers[f"GET {API}/roles/{ROLE_ID}"] = (200, CUSTOM | {"etag": '"rol_1-2"'})
    await press(browser, where, **typed, name="Mine", description="", press="preview")
    assert browser.status == 412
    assert "Someone has changed this meanwhile" in browser.text
    assert choices(browser.text)["grant.vpc.write"] == "all"
    assert 'name="state" value="rol_1-2"' in browser.text


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        ("/grants", "Every role needs “Account: View”."),
        ("/grants/vpc/view", "These choices do not fit each other."),
        ("/name", "Too long."),
    ],
)
async def test_a_fault_of_a_role_stands_where_it_is(browser, account, pointer, words):
    await browser.sign_in()
    faults = [{"pointer": pointer, "message": "Too long."}]
    account.answers[f"POST {API}/roles"] = problem(422, "invalid", errors=faults)
    await browser.open(f"{PAGE}/roles/new")
    await press(browser, f"{PAGE}/roles/new", name="Ops", description="", press="make")
    assert browser.status == 422
    assert words in browser.text
    before = f"/change{pointer}"
    faults[0]["pointer"] = before
    account.answers[PREVIEW] = problem(422, "invalid", errors=faults)
    await browser.open(f"{PAGE}/roles/{ROLE_ID}/edit")
    await press(
        browser, f"{PAGE}/roles/{ROLE_ID}/edit", name="Ops", description="", press="preview"
    )
    assert words in browser.text


async def test_a_change_that_a_rule_of_the_account_forbids_cannot_be_saved(browser, account):
    await browser.sign_in()
    account.answers[PREVIEW] = (200, a_preview(a_member(2), violations=[{"guardrail": "x"}]))
    where = f"{PAGE}/roles/{ROLE_ID}/edit"
    await browser.open(where)
    await press(browser, where, name="Night", description="", press="preview")
    assert "A rule of the account does not allow this change" in browser.text
    assert 'value="save"' not in browser.text


@pytest.mark.parametrize(
    "page",
    [
        f"/roles/{ROLE_ID}/delete?replacement=viewer",
        f"/projects/{PROJECT_ID}/delete",
        f"/projects/{PROJECT_ID}/members/{MEMBER_ID}/remove",
        f"/members/{MEMBER_ID}/role?role=operator",
        f"/members/{MEMBER_ID}/suspend",
        f"/members/{MEMBER_ID}/resume",
        f"/members/{MEMBER_ID}/remove",
        "/leave",
    ],
)
async def test_no_page_has_a_button_for_what_a_rule_of_the_account_forbids(browser, account, page):
    account.answers[f"GET {AT_API}"] = (200, OVERRIDE)
    await browser.sign_in()
    for violations in ([], [{"guardrail": "Two admins"}]):
        account.answers[PREVIEW] = (200, a_preview(a_member(2), violations=violations))
        await browser.open(PAGE + page)
        forms = re.findall(r'<form method="post">.*?</form>', browser.text, re.DOTALL)
        assert forms[-1].count("<button") == (not violations)
        assert ("Two admins" in browser.text) == bool(violations)


async def test_a_role_in_use_is_deleted_with_the_one_in_its_place(browser, account):
    await browser.sign_in()
    account.answers |= {
        PREVIEW: problem(409, "role-in-use", members=2, invitations=1, holders=["Ben <b>", "Cleo"]),
        f"DELETE {API}/roles/{ROLE_ID}": (204, None),
    }
    where = f"{PAGE}/roles/{ROLE_ID}/delete"
    await browser.open(where)
    assert "Members who have this role: 2. Open invitations: 1." in browser.text
    assert "Ben &lt;b&gt;, Cleo" in browser.text
    assert "Delete the role" not in browser.text
    account.answers[PREVIEW] = (200, a_preview(a_member(2)))
    await browser.open(f"{where}?replacement=viewer")
    assert "get Viewer instead" in browser.text
    assert await press(browser, where) == f"{PAGE}/roles?done=role-deleted"
    assert (f"DELETE {API}/roles/{ROLE_ID}", {"replacement": "viewer"}) in account.queries
    assert account.conditions == ['"rol_1-1"']
    assert account.previewed == [(f"DELETE {API}/roles/{ROLE_ID}", '"seen1"')]


# --- projects


async def test_projects_are_made_renamed_and_deleted(browser, account):
    await browser.sign_in()
    account.answers |= {
        f"POST {API}/projects": (201, PROJECT),
        f"PATCH {API}/projects/{PROJECT_ID}": (200, PROJECT),
        f"DELETE {API}/projects/{PROJECT_ID}": (204, None),
    }
    await browser.open(f"{PAGE}/projects")
    here = f"{PAGE}/projects/{PROJECT_ID}"
    assert await press(browser, f"{PAGE}/projects", name="New") == f"{here}?done=project-made"
    assert account.keys[-1]
    await browser.open(here)
    assert await press(browser, here, name="Other") == f"{here}?done=project-renamed"
    assert account.asked_for(f"PATCH {API}/projects/{PROJECT_ID}") == [{"name": "Other"}]
    await browser.open(f"{here}/delete")
    assert "Person 2" in browser.text
    assert await press(browser, f"{here}/delete") == f"{PAGE}/projects?done=project-deleted"
    assert account.conditions == ['"p-1"', '"p-1"']
    assert account.previewed == [(f"DELETE {API}/projects/{PROJECT_ID}", '"seen1"')]


async def test_a_project_with_resources_is_not_offered_for_deletion(browser, account):
    await browser.sign_in()
    account.answers[PREVIEW] = problem(409, "project-has-resources", count=7, project="project")
    await browser.open(f"{PAGE}/projects/{PROJECT_ID}/delete")
    assert "still has 7 resources" in browser.text
    assert '<button class="danger"' not in browser.text


async def test_a_project_shows_what_each_member_may_do_in_it(browser, account):
    account.answers[f"GET {API}/members"] = (
        200,
        {
            "items": [
                member(2, role="viewer", role_title="Viewer"),
                member(3, role="viewer", role_title="Viewer"),
                member(4, role="owner", role_title="Owner", owner=True),
            ],
            "next_cursor": "c1",
        },
    )
    account.answers[f"GET {API}/projects/{PROJECT_ID}/overrides"] = (
        200,
        {
            "items": [OVERRIDE, OVERRIDE | {"user_id": "usr_3", "expired": True}],
            "next_cursor": None,
        },
    )
    await browser.sign_in()
    await browser.open(f"{PAGE}/projects/{PROJECT_ID}")
    rows = re.findall(r"<tr>.*?</tr>", browser.text, re.DOTALL)[1:]
    assert "own permissions here" in rows[0]
    assert "View: <bdi>Instances</bdi></span> · <span" in rows[0]
    assert "nothing: 22 of 23 permissions" in rows[0]
    assert "ended 31 Jan 2027" in rows[1]
    assert "View: 21 of 23 permissions" in rows[1]
    assert "owner" in rows[2]
    assert f"{PAGE}/access?member=usr_3&amp;project={PROJECT_ID}" in rows[1]
    assert "cursor=c1" in browser.text


@pytest.mark.parametrize(
    "page",
    [f"/projects/{PROJECT_ID}", f"/members/{MEMBER_ID}/remove", "/settings/ownership"],
)
async def test_active_members_alone_are_offered(browser, account, page):
    account.answers[f"GET {API}"] = (200, OWNED)
    await browser.sign_in()
    await browser.open(f"{PAGE}{page}?q=m&cursor=c1")
    assert browser.status == 200
    asked = [query for name, query in account.queries if name == f"GET {API}/members"]
    assert [query.get("status") for query in asked] == ["active"]


# --- one member inside a project

HERE = f"{PAGE}/projects/{PROJECT_ID}/members/{MEMBER_ID}"
AT_API = f"{API}/projects/{PROJECT_ID}/overrides/{MEMBER_ID}"


@pytest.mark.rule("Ci9")
async def test_a_member_gets_other_permissions_in_one_project_after_a_preview(browser, account):
    await browser.sign_in()
    account.answers[f"PUT {AT_API}"] = (200, OVERRIDE)
    await browser.open(HERE)
    shown = choices(browser.text)
    assert set(shown.values()) == {"role"}
    assert not any(name.startswith("grant.member.") for name in shown)  # of the whole account
    typed = shown | {"grant.instance.delete": "all", "expires_at": "2027-03-01"}
    await press(browser, HERE, **typed, press="preview")
    assert "Nothing is saved yet." in browser.text
    done = await press(browser, HERE, press="save")
    assert done == f"{HERE}?done=override-set"
    [saved], [previewed] = account.asked_for(f"PUT {AT_API}"), account.asked_for(PREVIEW)
    ids = {"type": "override_set", "project_id": PROJECT_ID, "user_id": MEMBER_ID}
    assert previewed["change"] == {**ids, **saved}
    assert saved["grants"]["instance"] == {"view": "all", "delete": "all"}
    assert saved["grants"]["vpc"] == {"view": "all"}
    assert "member" not in saved["grants"]
    assert saved["expires_at"] == "2027-03-01T23:59:59+00:00"
    assert account.conditions == ["none *"]
    assert account.previewed == [(f"PUT {AT_API}", '"seen1"')]


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize(
    ("permission", "own", "chosen"),
    [
        ("instance:delete", "all", "all"),
        ("instance:delete", "self", "role"),
        ("instance:delete", None, "role"),
        ("member:invite", "all", "role"),
        ("rocket:launch", "all", "role"),
    ],
)
async def test_a_denial_leads_to_a_form_with_what_the_visitor_may_give(
    browser, account, permission, own, chosen
):
    held = dict.fromkeys((*EVERY, "member:invite"), "all") | {"instance:delete": own}
    given = {name: scope for name, scope in held.items() if scope}
    account.answers[f"GET {API}/me/permissions"] = (200, {"permissions": given})
    await browser.sign_in()
    await browser.open(f"{HERE}?give={quote(permission)}")
    shown = choices(browser.text)
    assert shown.pop("grant.instance.delete") == chosen
    assert set(shown.values()) == {"role"}
    said = "“Instances: Delete” is set to “Allow” below. Nothing is changed yet."
    assert (said in browser.text) is (chosen == "all")


async def test_a_members_page_leads_to_their_permissions_in_each_project(browser, account):
    await browser.sign_in()
    await browser.open(f"{PAGE}/members/{MEMBER_ID}")
    assert f'href="{HERE}"' in browser.text
    assert "as in the role" in browser.text
    ended = {**OVERRIDE, "expired": True}
    for override, words in ((OVERRIDE, "own permissions here"), (ended, "as in the role")):
        item = access_of()["items"][0] | {"override": override}
        account.answers[f"GET {API}/members/{MEMBER_ID}/access"] = (200, access_of(items=[item]))
        await browser.open(f"{PAGE}/members/{MEMBER_ID}")
        assert words in browser.text


async def test_permissions_that_another_tab_has_given_are_not_replaced_unseen(browser, account):
    await browser.sign_in()
    await browser.open(HERE)
    account.answers[f"PUT {AT_API}"] = problem(412, "precondition-failed")
    account.answers[f"GET {AT_API}"] = (200, OVERRIDE)
    await press(browser, HERE, **{"grant.instance.delete": "all"}, press="save")
    assert browser.status == 412
    assert 'name="state" value="o-1"' in browser.text
    assert choices(browser.text)["grant.instance.delete"] == "all"


async def test_an_end_that_is_not_changed_stays_to_the_second(browser, account):
    await browser.sign_in()
    account.answers |= {f"GET {AT_API}": (200, OVERRIDE), f"PUT {AT_API}": (200, OVERRIDE)}
    await browser.open(HERE)
    assert 'value="2027-01-31"' in browser.text
    typed = choices(browser.text) | {"expires_at": "2027-01-31"}
    await press(browser, HERE, **typed, press="save")
    [saved] = account.asked_for(f"PUT {AT_API}")
    assert saved == {"grants": OVERRIDE["grants"], "expires_at": OVERRIDE["expires_at"]}
    assert account.conditions == ['"o-1"']


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (
            {"grant.instance.write": "all", "grant.instance.delete": "deny"},
            "“Read/Write” brings “Delete” along.",
        ),
        ({"expires_at": "tomorrow"}, "This is not a date."),
    ],
)
async def test_choices_that_contradict_each_other_ask_nothing(browser, account, typed, words):
    await browser.sign_in()
    await browser.open(HERE)
    await press(browser, HERE, **typed, press="save")
    assert (browser.status, words in browser.text) == (422, True)
    assert account.asked_for(f"PUT {AT_API}") == []


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize(
    ("access", "lacking", "words"),
    [
        (access_of(owner=True), None, "The owner cannot have other permissions here."),
        (access_of(), "member:update", "You can look at this, but not change it"),
        (access_of(), "project:manage", "You can look at this, but not change it"),
        (access_of(role="rol_hidden"), None, "You can look at this, but not change it"),
    ],
)
async def test_choices_are_offered_to_those_who_may_make_them(
    browser, account, access, lacking, words
):
    holds = dict.fromkeys({*EVERY, *OF_LEVELS} - {lacking}, "all")
    account.answers |= {
        f"GET {API}/me/permissions": (200, {"permissions": holds}),
        f"GET {API}/members/{MEMBER_ID}/access": (200, access),
    }
    await browser.sign_in()
    await browser.open(HERE)
    assert words in browser.text
    assert choices(browser.text) == {}


async def test_the_role_counts_again_after_a_confirmation(browser, account):
    await browser.sign_in()
    account.answers |= {f"GET {AT_API}": (200, OVERRIDE), f"DELETE {AT_API}": (204, None)}
    await browser.open(f"{HERE}/remove")
    assert "counts again what the role Viewer gives" in browser.text
    assert await press(browser, f"{HERE}/remove") == f"{HERE}?done=override-removed"
    assert account.conditions == ['"o-1"']
    assert account.previewed == [(f"DELETE {AT_API}", '"seen1"')]


async def test_a_member_who_is_refused_everything_is_shown_with_the_reason(browser, account):
    denied = access_of(denied="membership-suspended", status="suspended")
    account.answers[f"GET {API}/members/{MEMBER_ID}/access"] = (200, denied)
    await browser.sign_in()
    for page in (HERE, f"{PAGE}/access/members/{MEMBER_ID}"):
        await browser.open(page)
        assert "The membership of Member 2 is suspended." in browser.text


# --- who may do what

EXPLAIN, WHO_CAN = "POST /v1/authz/explain", "POST /v1/authz/who-can"


def explained(api: StandIn, *, allowed: bool, **context: Any) -> None:
    """Have the stand-in explain a decision about the member."""
    reason = "allowed" if allowed else "permission-missing"
    would = {
        "text": "…",
        "roles": ["admin", "developer"],
        "override": {"project_id": PROJECT_ID, "grants": {"instance": {"delete": "all"}}},
    }
    could = {
        "items": [{"user_id": "usr_3", "roles": ["admin"], "override": True}],
        "count": 4,
        "complete": False,
    }
    steps = [
        {"id": "account", "result": "holds", "text": "The account is active."},
        {"id": "grants", "result": "does-not-hold", "text": "No instance:delete. Over."},
        *({"id": one, "result": "not-reached", "text": "This was not looked at."} for one in "ab"),
    ]
    api.answers |= {
        EXPLAIN: (
            200,
            {
                "decision": allowed,
                "context": {"reason": reason, "role": "viewer", "override": None, **context},
                "steps": steps,
                "would_allow": None if allowed else would,
                "could_grant": None if allowed else could,
            },
        ),
        WHO_CAN: (
            200,
            {
                "account_id": "acc_1",
                "items": [
                    {
                        "user_id": "usr_3",
                        "role": "admin",
                        "role_title": "Admin",
                        "override": None,
                        "limited_to": "self",
                    }
                ],
                "next_cursor": None,
                "revision": "r",
            },
        ),
        f"GET {API}/members/usr_3": (200, member(3, name="Grace")),
    }


ASKED = f"{PAGE}/access?member={MEMBER_ID}&permission=instance:delete&project={PROJECT_ID}"


async def test_a_denial_says_why_what_would_allow_it_and_who_could_give_it(browser, account):
    explained(account, allowed=False)
    await browser.sign_in()
    await browser.open(ASKED)
    assert (
        "Member 2 has the role Viewer, which does not include “Instances: Delete”." in browser.text
    )
    assert "One of the roles Admin, Developer" in browser.text
    assert f'href="{PAGE}/members/{MEMBER_ID}"' in browser.text
    assert f'href="{HERE}?give=instance%3Adelete"' in browser.text
    assert '<bdi class="strong">Grace</bdi>' in browser.text
    assert "and 3 more" in browser.text
    assert "No “Instances: Delete”. Over." in browser.text
    assert browser.text.count("not looked at") == 1
    assert "own resources" in browser.text
    [check] = account.asked_for(EXPLAIN)
    assert check == {
        "subject": {"type": "user", "id": MEMBER_ID},
        "action": {"name": "delete"},
        "resource": {
            "type": "instance",
            "id": "-",
            "properties": {"account_id": "acc_1", "project_id": PROJECT_ID},
        },
    }
    [everyone] = account.asked_for(WHO_CAN)
    assert everyone == {
        "account_id": "acc_1",
        "permission": "instance:delete",
        "project_id": PROJECT_ID,
    }


async def test_an_allow_by_own_permissions_names_their_place(browser, account):
    explained(account, allowed=True, override=PROJECT_ID)
    await browser.sign_in()
    await browser.open(f"{ASKED}&resource=i-1&owner={MEMBER_ID}")
    assert "has own permissions in Prod &lt;script" in browser.text
    assert "What would allow it" not in browser.text
    [check] = account.asked_for(EXPLAIN)
    assert check["resource"]["id"] == "i-1"
    assert check["resource"]["properties"]["owner_id"] == MEMBER_ID
    [everyone] = account.asked_for(WHO_CAN)  # about the same resource
    assert everyone == {
        "account_id": "acc_1",
        "permission": "instance:delete",
        "project_id": PROJECT_ID,
        "resource_id": "i-1",
        "owner_id": MEMBER_ID,
    }


async def test_a_visitor_who_sees_no_members_asks_about_themselves_alone(browser, account):
    holds = {"permissions": {"account:view": "all"}}
    account.answers[f"GET {API}/me/permissions"] = (200, holds)
    explained(account, allowed=False)
    await browser.sign_in()
    await browser.open(f"{PAGE}/access?member={USER_ID}&permission=instance:delete")
    assert "You see your own access only" in browser.text
    assert "Ana has the role Viewer" in browser.text
    assert account.asked_for(WHO_CAN) == []
    assert f"GET {API}/members" not in {name for name, *_ in account.asked}


async def test_a_resource_that_is_known_otherwise_lists_no_one(browser, account):
    explained(account, allowed=False)
    account.answers[WHO_CAN] = problem(422, "invalid")
    await browser.sign_in()
    await browser.open(f"{ASKED}&resource=i-1")
    assert browser.status == 200
    assert "so no one is listed" in browser.text


async def test_a_member_of_an_address_leads_to_no_other_route(browser, account):
    explained(account, allowed=False)
    account.answers[f"GET {API}/members/-"] = problem(404, "not-found")
    await browser.sign_in()
    await browser.open(f"{PAGE}/access?member=..%2Fprojects&permission=instance:delete")
    assert browser.status == 200
    assert f"GET {API}/members/-" in [name for name, *_ in account.asked]


async def test_an_unknown_permission_is_not_asked_about(browser, account):
    await browser.sign_in()
    await browser.open(f"{PAGE}/access?member={MEMBER_ID}&permission=rocket:launch")
    assert browser.status == 200
    assert account.asked_for(EXPLAIN) == []


async def test_one_member_is_shown_everywhere_and_where_it_differs(browser, account):
    override = {"expires_at": None, "expired": False}
    items = [
        access_of()["items"][0],
        {
            "project_id": "prj_2",
            "name": "Staging",
            "override": override,
            "cells": cells("developer", source="override"),
        },
        {
            "project_id": "prj_3",
            "name": "Test",
            "override": override,
            "cells": cells("viewer", source="override"),
        },
    ]
    account.answers[f"GET {API}/members/{MEMBER_ID}/access"] = (200, access_of(items=items))
    await browser.sign_in()
    await browser.open(f"{PAGE}/access/members/{MEMBER_ID}")
    assert browser.text.count('<table class="matrix">') == 2
    assert "As everywhere: the role Viewer counts." in browser.text
    assert "Listed is what differs." in browser.text
    assert "They give the same as everywhere." in browser.text
    for question, asked in (
        ("?why=instance:delete", f"{MEMBER_ID}&permission=instance%3Adelete"),
        (
            "?why=instance:delete&amp;project=prj_2",
            f"{MEMBER_ID}&project=prj_2&permission=instance%3Adelete",
        ),
    ):
        assert f'href="{question}" aria-label="Instances: Delete. Why?"' in browser.text
        where = await browser.tab().open(f"{PAGE}/access/members/{MEMBER_ID}{unescape(question)}")
        assert where == f"{PAGE}/access?member={asked}"
    assert "own permissions here" in browser.text
