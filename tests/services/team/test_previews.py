"""Previews over HTTP: what they show, to whom, and that they leave nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.team.routes import ROUTES
from services.team.routes.preview_bodies import REAL_ROUTES

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Reply, Team

VIEW = {"account": {"view": "all"}}
STALE = '"AAAAAAAAAAAAAAAAAAAAAA"'


async def ask(
    account: Account,
    change: dict[str, Any],
    *,
    by: Person | None = None,
    query: str = "",
    **headers: str,
) -> Reply:
    path = f"{account.path}/changes/preview{query}"
    return await (by or account.owner).send("POST", path, {"change": change}, **headers)


async def created(account: Account, grants: dict[str, Any], name: str = "Watch") -> str:
    body = {"name": name, "grants": grants}
    answer = await account.owner.send("POST", f"{account.path}/roles", body)
    return str(answer.expect(201)["id"])


async def stored(team: Team) -> dict[str, list[Any]]:
    """Every document of the service's own data; the relay may mark a row as sent at any time."""
    names = sorted(await team.database.list_collection_names())
    own = [name for name in names if name not in {"leases", "elections", "inbox_marks"}]
    marks = {"sent": False}
    return {
        name: [row async for row in team.database[name].find({}, marks).sort("_id")] for name in own
    }


@pytest.mark.rule("B9")
async def test_a_role_edit_shows_what_each_member_gains_and_loses(team: Team) -> None:
    account = await team.account()
    role = await created(
        account, VIEW | {"instance": {"view": "self"}, "endpoint": {"view": "all"}}
    )
    project = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    project_id = project.expect(201)["id"]
    first, second = await account.join(role, "Ada"), await account.join(role, "Bea")
    await account.join("viewer")
    place = f"{account.path}/projects/{project_id}/overrides/{second.user_id}"
    (await account.owner.send("PUT", place, {"grants": {}})).expect(200)
    change = {
        "type": "role_edit",
        "role_id": role,
        "grants": VIEW | {"instance": {"view": "all"}, "cluster": {"view": "all"}},
    }
    before = await stored(team)

    shown = (await ask(account, change)).expect(200)

    assert await stored(team) == before
    ada, bea = shown["items"]
    assert (ada["user_id"], ada["name"], ada["email"]) == (first.user_id, "Ada", first.email)
    assert ada["role"] == {"before": role, "after": role}
    everywhere = {
        "gained": {
            "instance": {"view": {"before": "self", "after": "all"}},
            "cluster": {"view": {"before": None, "after": "all"}},
        },
        "lost": {"endpoint": {"view": {"before": "all", "after": None}}},
    }
    assert (ada["everywhere"], ada["in_projects"]) == (everywhere, [])
    nothing = {"project_ids": [project_id], "gained": {}, "lost": {}}
    assert (bea["everywhere"], bea["in_projects"]) == (everywhere, [nothing])
    assert (shown["members_concerned"], shown["memberships_ending"]) == (2, 0)
    (await account.owner.send("PATCH", f"{account.path}/roles/{role}", change_body(change))).expect(
        200
    )
    again = (await ask(account, change)).expect(200)
    assert (again["items"], again["account_rev"]) == ([], shown["account_rev"] + 1)


def change_body(change: dict[str, Any]) -> dict[str, Any]:
    return {name: change[name] for name in change if name not in {"type", "role_id"}}


@pytest.mark.rule("B9", "Rp5")
async def test_a_removal_shows_the_end_and_the_invitations_that_pass(team: Team) -> None:
    account = await team.account()
    admin = await account.join("admin")
    proof = await account.invite("guest@example.com", "viewer", by=admin)
    shown = (await ask(account, {"type": "member_removal", "user_id": admin.user_id})).expect(200)
    [member] = shown["items"]
    assert member["membership"] == {"before": "member", "after": "none"}
    assert member["role"] == {"before": "admin", "after": None}
    assert shown["memberships_ending"] == 1
    assert shown["invitations"] == [
        {
            "id": proof["token"].partition(".")[0],
            "email": "guest@example.com",
            "effect": "changes",
            "role": {"before": "viewer", "after": "viewer"},
            "inviter_before": admin.user_id,
            "inviter_after": account.owner.user_id,
        }
    ]


@pytest.mark.rule("B9")
async def test_a_preview_is_refused_as_the_change_and_leaves_no_record(team: Team) -> None:
    account, other = await team.account(), await team.account()
    viewer, foreign = await account.join("viewer"), await other.join("viewer")
    denied = await ask(account, {"type": "member_removal", "user_id": viewer.user_id}, by=viewer)
    assert (denied.status, denied.code) == (403, "permission-missing")
    assert denied.body["permission"] == "member:remove"
    outside = await ask(account, {"type": "leave"}, by=foreign)
    assert (outside.status, outside.code) == (404, "not-found")
    theirs = await ask(account, {"type": "member_removal", "user_id": foreign.user_id})
    assert (theirs.status, theirs.code) == (404, "not-found")
    role = await created(other, VIEW)
    gone = await ask(account, {"type": "role_delete", "role_id": role})
    assert (gone.status, gone.code) == (404, "not-found")
    unknown = {"type": "member_change", "user_id": viewer.user_id, "role": "pilot"}
    refused = await ask(account, unknown)
    assert refused.code == "role-unknown"
    assert [one["pointer"] for one in refused.body["errors"]] == ["/change/role"]
    for change in ({"type": "member_change", "role": "viewer"}, {"type": "fly"}, {}):
        assert (await ask(account, change)).code == "invalid"
    assert await team.rows("request.refused") == []


@pytest.mark.rule("B9", "T1")
async def test_names_are_for_those_who_may_see_members(team: Team) -> None:
    account = await team.account()
    grants = VIEW | {"role": {"view": "all", "manage": "all"}}
    role = await created(account, grants)
    manager, member = await account.join(role, "Mia"), await account.join(role, "Bea")
    change = {"type": "role_edit", "role_id": role, "grants": VIEW}
    shown = (await ask(account, change, by=manager)).expect(200)
    assert {one["user_id"] for one in shown["items"]} == {manager.user_id, member.user_id}
    assert {(one["name"], one["email"]) for one in shown["items"]} == {(None, None)}
    named = (await ask(account, change)).expect(200)
    assert {one["name"] for one in named["items"]} == {"Mia", "Bea"}


@pytest.mark.rule("B9")
async def test_a_preview_is_paged_and_its_cursor_is_of_one_change(team: Team) -> None:
    account = await team.account()
    role = await created(account, VIEW)
    for name in ("Ada", "Bea", "Cem"):
        await account.join(role, name)
    change = {"type": "role_delete", "role_id": role, "replacement": "viewer"}
    first = (await ask(account, change, query="?limit=2")).expect(200)
    assert (len(first["items"]), first["members_concerned"]) == (2, 3)
    query = f"?limit=2&cursor={first['next_cursor']}"
    second = (await ask(account, change, query=query)).expect(200)
    assert (len(second["items"]), second["next_cursor"]) == (1, None)
    assert second["account_rev"] == first["account_rev"]
    other = await ask(account, change | {"replacement": "basic"}, query=query)
    assert other.expect(422)["errors"][0]["pointer"] == "/query/cursor"


@pytest.mark.rule("B9", "B10")
async def test_a_preview_shows_what_a_guardrail_would_refuse(team: Team) -> None:
    account = await team.account()
    admin = await account.join("admin")
    rule = {"type": "minimum_holders", "minimum": 1, "role": "admin"}
    body = {"name": "An admin", "rule": rule}
    made = (await account.owner.send("POST", f"{account.path}/guardrails", body)).expect(201)
    change = {"type": "member_change", "user_id": admin.user_id, "role": "viewer"}
    shown = (await ask(account, change)).expect(200)
    assert [(one["guardrail_id"], one["holders"]) for one in shown["violations"]] == [
        (made["id"], 0)
    ]
    path = f"{account.path}/members/{admin.user_id}"
    refused = await account.owner.send("PATCH", path, {"role": "viewer"})
    assert (refused.status, refused.code) == (409, "guardrail-violated")
    assert (await ask(account, change)).body["items"] == shown["items"]


@pytest.mark.rule("B9")
async def test_a_preview_compares_the_state_that_the_change_compares(team: Team) -> None:
    """And its answer has the tag with which the change is made for that state alone."""
    account = await team.account()
    owner, member = account.owner, await account.join("viewer")
    path = f"{account.path}/members/{member.user_id}"
    change = {"type": "member_change", "user_id": member.user_id, "role": "basic"}
    tag = (await owner.get(path))["etag"]

    assert (await ask(account, change)).expect(200)["etag"] == tag
    assert (await ask(account, change, If_Match=tag)).expect(200)["etag"] == tag
    for sent, expected in ({STALE: 412, f"W/{tag}": 412, "abc": 422}).items():
        answer = await ask(account, change, If_Match=sent)
        assert answer.status == expected
        assert (await owner.send("PATCH", path, {"role": "basic"}, If_Match=sent)).body[
            "code"
        ] == answer.code
    (await owner.send("PATCH", path, {"role": "basic"}, If_Match=tag)).expect(200)
    stale = await ask(account, change | {"role": "developer"}, If_Match=tag)
    assert (stale.status, stale.code) == (412, "precondition-failed")
    hidden = await ask(account, change, by=member, If_Match=STALE)
    assert (hidden.status, hidden.code) == (403, "permission-missing")


@pytest.mark.rule("B9")
async def test_what_a_change_creates_has_no_tag_before(team: Team) -> None:
    account = await team.account()
    owner, member = account.owner, await account.join("viewer")
    body = {"name": "prod"}
    project = (await owner.send("POST", f"{account.path}/projects", body)).expect(201)
    place = {"project_id": project["id"], "user_id": member.user_id}
    change = {"type": "override_set", **place, "grants": {}}
    assert (await ask(account, change, If_None_Match="*")).expect(200)["etag"] is None
    assert (await ask(account, change, If_Match="*")).status == 412
    path = f"{account.path}/projects/{place['project_id']}/overrides/{place['user_id']}"
    there = (await owner.send("PUT", path, {"grants": {}}, If_None_Match="*")).expect(200)
    assert (await ask(account, change, If_None_Match="*")).status == 412
    shown = (await ask(account, {"type": "override_removal", **place})).expect(200)
    assert shown["etag"] == there["etag"]
    without = (await ask(account, {"type": "leave"}, by=member, If_Match=STALE)).expect(200)
    assert without["etag"] is None


def test_each_change_takes_the_fields_of_its_own_route() -> None:
    """Its body or query as it is, and the ids of its path."""
    known = {id(row.handler) for row in ROUTES}
    for body, row in REAL_ROUTES.items():
        taken = row.takes or row.query
        fields = set() if taken is None else set(taken.model_fields)
        assert taken is None or issubclass(body, taken)
        assert set(body.model_fields) == fields | {"type"} | {*row.parameters} - {"account_id"}
        assert id(row.handler) in known


def test_the_document_says_where_a_precondition_does_not_count() -> None:
    for body, row in REAL_ROUTES.items():
        told = "`If-Match` does not count" in (body.__doc__ or "")
        assert told is (row.represent is None), row.operation_id


# --- consent


async def saved(team: Team) -> dict[str, list[Any]]:
    """What is stored, without the receipts: what happened before becomes effective any time."""
    return {name: rows for name, rows in (await stored(team)).items() if name != "receipts"}


async def peopled(account: Account) -> dict[str, str]:
    """A role of one member, a project, and the addresses that the changes below name."""
    role = await created(account, VIEW | {"instance": {"view": "all"}})
    project = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    member = await account.join(role, "Ada")
    await account.join("viewer", "Bea")
    return {
        "role": role,
        "project": project.expect(201)["id"],
        "member": member.user_id,
        "other": account.people["Bea"].user_id,
    }


EDIT = {"grants": VIEW | {"instance": {"view": "self"}}}
CHANGES: dict[str, tuple[str, str, dict[str, Any] | None, dict[str, Any]]] = {
    "role_delete": ("DELETE", "roles/{role}?replacement=viewer", None, {"replacement": "viewer"}),
    "role_edit": ("PATCH", "roles/{role}", EDIT, EDIT),
    "project_delete": ("DELETE", "projects/{project}", None, {}),
    "revert": ("POST", "revert", {"confirm": "Engines"}, {"confirm": "Engines"}),
    "member_resumption": ("POST", "members/{member}/resume", None, {}),
    "member_suspension": ("POST", "members/{member}/suspend", None, {}),
    "member_removal": ("DELETE", "members/{member}", None, {}),
}
"""A change by its kind: how it is made, and what its preview is asked for."""
BETWEEN: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "role_delete": ("PATCH", "members/{other}", {"role": "{role}"}),
    "role_edit": ("PATCH", "members/{other}", {"role": "{role}"}),
    "project_delete": ("PUT", "projects/{project}/overrides/{member}", {"grants": {}}),
    "revert": ("POST", "invitations", {"email": "late@example.com", "role": "viewer"}),
    "member_resumption": ("PATCH", "members/{member}", {"role": "admin"}),
    "member_suspension": ("PUT", "projects/{project}/overrides/{member}", {"grants": {}}),
    "member_removal": ("PATCH", "members/{member}", {"role": "admin"}),
}
"""What happens between the preview and the press, and would be done to unseen."""


@pytest.mark.rule("B9")
@pytest.mark.parametrize("kind", CHANGES)
async def test_a_change_does_what_its_preview_has_said_or_nothing(team: Team, kind: str) -> None:
    account = await team.account()
    ids = await peopled(account)
    owner = account.owner
    if kind == "member_resumption":
        (await owner.send("POST", f"{account.path}/members/{ids['member']}/suspend")).expect(200)
    named = {
        "role_delete": {"role_id": ids["role"]},
        "role_edit": {"role_id": ids["role"]},
        "project_delete": {"project_id": ids["project"]},
    }.get(kind, {"user_id": ids["member"]} if kind.startswith("member") else {})
    method, path, body, more = CHANGES[kind]
    change = {"type": kind, **named, **more}

    async def make(tag: str) -> Reply:
        place = f"{account.path}/{path.format_map(ids)}".rstrip("/")
        return await owner.send(method, place, body, If_Preview_Match=tag)

    first = (await ask(account, change)).expect(200)["preview_tag"]
    assert (await ask(account, change)).expect(200)["preview_tag"] == first
    between, where, sent = BETWEEN[kind]
    sent = sent and {
        name: text.format_map(ids) if isinstance(text, str) else text for name, text in sent.items()
    }
    happened = await owner.send(between, f"{account.path}/{where.format_map(ids)}", sent)
    assert happened.status < 300
    before = await saved(team)

    refused = await make(first)

    assert (refused.status, refused.code) == (412, "precondition-failed")
    assert await saved(team) == before
    second = (await ask(account, change)).expect(200)["preview_tag"]
    assert second != first
    assert (await make(second)).status < 300


async def test_a_repeated_change_is_answered_as_done_with_its_old_preview(team: Team) -> None:
    account = await team.account()
    ids = await peopled(account)
    change = {"type": "member_suspension", "user_id": ids["member"]}
    tag = (await ask(account, change)).expect(200)["preview_tag"]
    place = f"{account.path}/members/{ids['member']}/suspend"
    for _ in range(2):
        (await account.owner.send("POST", place, If_Preview_Match=tag)).expect(200)
    malformed = await account.owner.send("POST", place, If_Preview_Match="bare")
    assert (malformed.status, malformed.code) == (422, "invalid")


def test_each_change_with_a_preview_takes_its_tag() -> None:
    rows = {row.operation_id for row in ROUTES if row.has_preview}
    assert rows == {row.operation_id for row in REAL_ROUTES.values()}
