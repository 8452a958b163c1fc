"""Every route of an account asks for what its row says, and tells outsiders nothing (T1, Ci12)."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall import CompiledCatalog, load_catalog
from services.team.routes import INTERNAL_ROUTES, ROUTES
from shared.http.access import Admin, Client, Internal, Permission
from shared.http.routes import Route
from shared.ids import new_id
from shared.problems import RefusalKind
from tests.services.team.running import Account, Person, Team

GUARDED = [route for route in ROUTES if isinstance(route.access, Permission)]
BODIES: dict[str, dict[str, Any]] = {
    "changeAccount": {"name": "New"},
    "convertAccount": {"name": "New"},
    "moveToCatalog": {"catalog": "standard"},
    "changeMember": {"role": "basic"},
    "inviteMember": {"email": "a@example.com", "role": "basic"},
    "revertAccount": {"confirm": "Not the name"},
    "createProject": {"name": "New"},
    "renameProject": {"name": "New"},
    "setOverride": {"grants": {}},
    "createRole": {"name": "New", "grants": {"account": {"view": "all"}}},
    "changeRole": {"name": "New"},
    "reassignResources": {
        "from_user_id": "usr_" + "0" * 32,
        "to_user_id": "usr_" + "1" * 32,
    },
    "registerResource": {},
    "provisionMembers": {"members": [{"user_id": "usr_" + "0" * 32}]},
    "registerResources": {"resources": [{"type": "instance", "id": "i-1"}]},
    "offerOwnership": {"user_id": "usr_" + "0" * 32},
    "createGuardrail": {
        "name": "New",
        "rule": {"type": "minimum_holders", "minimum": 1, "role": "admin"},
    },
    "previewChange": {"change": {"type": "leave"}},
    "planPolicy": {"policy": {"version": 1, "projects": []}},
    "applyPolicy": {"policy": {"version": 1, "projects": []}},
}


def path_of(route: Route, account: Account, **ids: str) -> str:
    values = {
        "account_id": account.id,
        "user_id": account.owner.user_id,
        "invitation_id": new_id("inv"),
        "project_id": new_id("prj"),
        "role_id": "basic",
        "guardrail_id": new_id("grd"),
        "revision": "team.x.1.1",
        "type": "instance",
        "rid": "i-1",
    }
    return route.path.format(**(values | ids))


async def ask(person: Person, route: Route, account: Account, **ids: str) -> Any:
    body = BODIES.get(route.operation_id)
    return await person.send(route.method, path_of(route, account, **ids), body)


def test_every_route_says_who_may_call_it() -> None:
    open_to_all = {route.operation_id for route in ROUTES if route not in GUARDED}
    assert open_to_all == {
        "listMyAccounts",
        "listAccounts",
        "createAccount",
        "lookUpInvitation",
        "acceptInvitation",
        "declineInvitation",
        "registerResource",
        "registerResources",
        "deleteResource",
        "provisionMembers",
    }
    assert all("{account_id}" in route.path for route in GUARDED)
    of_clients = [route for route in ROUTES if isinstance(route.access, Client)]
    assert {route.operation_id for route in of_clients} == {
        "registerResource",
        "registerResources",
        "deleteResource",
        "provisionMembers",
    }
    with_bodies = [route for route in (*GUARDED, *of_clients) if route.takes]
    assert {route.operation_id for route in with_bodies} == BODIES.keys()


@pytest.mark.rule("B8")
def test_every_write_that_authz_answers_from_awaits_the_barrier() -> None:
    policy = {route.operation_id for route in ROUTES if route.effective_everywhere}
    assert policy == {
        "changeAccount",
        "convertAccount",
        "moveToCatalog",
        "revertAccount",
        "deleteAccount",
        "restoreAccount",
        "changeMember",
        "suspendMember",
        "resumeMember",
        "removeMember",
        "leaveAccount",
        "acceptInvitation",
        "createProject",
        "deleteProject",
        "setOverride",
        "removeOverride",
        "createRole",
        "changeRole",
        "deleteRole",
        "registerResource",
        "registerResources",
        "deleteResource",
        "reassignResources",
        "createAccount",
        "acceptOwnership",
        "provisionMembers",
        "applyPolicy",
    }


def test_every_permission_exists_in_every_catalog() -> None:
    for name in ("standard", "runpod", "runos", "cloud-iam", "novita"):
        known = CompiledCatalog(load_catalog(name)).permissions
        for route in GUARDED:
            assert isinstance(route.access, Permission)
            assert route.access.name in known, (name, route.operation_id)
            assert route.access.in_project in {None, *known}, (name, route.operation_id)


@pytest.mark.rule("Ci12", "Ci5", "T1")
async def test_outsiders_and_removed_members_find_nothing(team: Team) -> None:
    account = await team.account()
    stranger, removed = await team.person("Stranger"), await account.join("admin")
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    path = f"{account.path}/members/{removed.user_id}"
    (await account.owner.send("DELETE", path)).expect(204)
    before = len(await team.rows())
    for person in (stranger, removed):
        for route in GUARDED:
            answer = await ask(person, route, account, project_id=project["id"])
            assert (answer.status, answer.code) == (404, "not-found"), route.operation_id
    assert len(await team.rows()) == before


async def test_without_a_token_nothing_is_answered(team: Team) -> None:
    account = await team.account()
    for route in GUARDED:
        body = BODIES.get(route.operation_id)
        answer = await team.send(route.method, path_of(route, account), body)
        assert answer.status == 401, route.operation_id


@pytest.mark.rule("Ci12", "Rp13")
@pytest.mark.parametrize("role", ["basic", "billing", "viewer", "developer", "admin"])
async def test_a_denied_member_is_told_the_permission_and_recorded(team: Team, role: str) -> None:
    account = await team.account()
    member = await account.join(role)
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    compiled = CompiledCatalog(load_catalog("standard"))
    held = compiled.held(compiled.roles[role])
    denied = []
    for route in GUARDED:
        assert isinstance(route.access, Permission)
        if held.get(route.access.name) == "all":
            continue
        answer = await ask(member, route, account, project_id=project["id"])
        assert (answer.status, answer.code) == (403, "permission-missing"), route.operation_id
        assert answer.body["permission"] == route.access.name
        if not route.only_previews:
            denied.append(route.operation_id)
    told = await team.rows("request.refused")
    assert [row.data["operation"] for row in told] == denied
    assert {row.outcome for row in told} <= {"denied"}
    assert {row.actor.id for row in told} <= {member.user_id}
    assert {row.actor.name for row in told} <= {role.title()}
    assert [row.after for row in told] == [
        {"operation": row.data["operation"], "permission": row.data["permission"]} for row in told
    ]
    if role == "basic":
        assert "inviteMember" in denied


@pytest.mark.rule("B5", "Rp13")
async def test_a_refused_escalation_is_recorded_with_what_is_missing(team: Team) -> None:
    """The refusal names what is missing."""
    account = await team.account()
    admin, other = await account.join("admin"), await account.join("basic", "Other")
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    place = f"{account.path}/projects/{project['id']}/overrides/{admin.user_id}"
    steer = {"grants": {"project": {"manage": "all"}}}
    (await account.owner.send("PUT", place, steer)).expect(200)
    path = f"{account.path}/members/{other.user_id}"
    answer = await admin.send("PATCH", path, {"role": "developer"})
    assert (answer.status, answer.code) == (403, "grants-exceeded")
    assert "instance:write" in answer.body["missing"]
    lifted = await admin.send("DELETE", place)
    assert (lifted.status, lifted.code) == (403, "grants-exceeded")
    told = await team.rows("request.refused")
    assert [row.reason for row in told] == ["grants-exceeded"] * 2
    assert [row.after for row in told] == [
        {"operation": "changeMember", "missing": answer.body["missing"]},
        {"operation": "removeOverride", "missing": lifted.body["missing"]},
    ]


def test_every_refusal_that_forbids_is_recorded() -> None:
    """The others say what is not possible for any caller."""
    listed = {refusal for route in GUARDED for refusal in route.refuses}
    assert {one.__name__ for one in listed if one.kind is RefusalKind.DENIED or one.forbids} == {
        "AccountNotBound",
        "DemandInPerson",
        "EndExceeded",
        "GrantsExceeded",
        "GuardrailViolated",
        "OwnerCannotLeave",
        "OwnerNotOverridden",
        "OwnerOnly",
        "OwnerProtected",
        "TypeNotBound",
        "TransferOwnerOnly",
    }


@pytest.mark.rule("Rp13", "Ci7", "T2")
async def test_attempts_on_the_owner_are_recorded_with_what_was_tried(team: Team) -> None:
    """A refused write is recorded although its status says conflict."""
    account = await team.account()
    admin = await account.join("admin")
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    owner_id = account.owner.user_id
    member = f"{account.path}/members/{owner_id}"
    override = f"{account.path}/projects/{project['id']}/overrides/{owner_id}"
    answers = [
        await admin.send("PATCH", member, {"role": "basic"}),
        await admin.send("DELETE", member),
        await admin.send("PUT", override, {"grants": {}}),
        await admin.send("POST", f"{account.path}/convert", {"name": "Mine"}),
        await account.owner.send("POST", f"{account.path}/leave"),
    ]
    told = await team.rows("request.refused")
    assert [row.reason for row in told] == [answer.code for answer in answers]
    assert [(row.after, row.resource.type, row.resource.id) for row in told] == [
        ({"operation": "changeMember"}, "member", owner_id),
        ({"operation": "removeMember"}, "member", owner_id),
        ({"operation": "setOverride"}, "override", f"{project['id']}/{owner_id}"),
        ({"operation": "convertAccount"}, "account", account.id),
        ({"operation": "leaveAccount"}, "account", account.id),
    ]
    assert {row.outcome for row in told} == {"denied"}
    assert [row.actor.name for row in told] == ["Admin"] * 4 + ["Owner"]


async def test_a_refused_first_request_of_a_new_user_is_recorded(team: Team) -> None:
    """The account comes to be by it, and then it is a request as any other."""
    ana = team.stranger("Ana")
    assert (await ana.send("POST", f"{ana.path}/leave")).code == "owner-cannot-leave"
    assert [row.reason for row in await team.rows("request.refused")] == ["owner-cannot-leave"]


@pytest.mark.rule("Rp14")
async def test_a_refused_write_names_the_same_resource_as_a_successful_one(team: Team) -> None:
    """The search for a resource finds both."""
    account = await team.account()
    viewer, other = await account.join("viewer"), await account.join("basic", "Other")
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    proof = await account.invite("guest@example.com", "basic")
    inside = f"{account.path}/projects/{project['id']}"
    body = {"name": "Night shift", "grants": {"account": {"view": "all"}}}
    role = (await account.owner.send("POST", f"{account.path}/roles", body)).body
    tries: list[tuple[str, str, Any]] = [
        ("PATCH", account.path, {"name": "New"}),
        ("DELETE", f"{account.path}/invitations/{proof['token'].partition('.')[0]}", None),
        ("PATCH", inside, {"name": "New"}),
        ("PATCH", f"{account.path}/roles/{role['id']}", {"name": "New"}),
        ("PUT", f"{inside}/overrides/{other.user_id}", {"grants": {}}),
        ("DELETE", f"{account.path}/members/{other.user_id}", None),
    ]
    for method, path, body in tries:
        assert (await viewer.send(method, path, body)).status == 403
        assert (await account.owner.send(method, path, body)).status in {200, 204}
    told = [row for row in await team.rows() if row.account_id == account.id][-2 * len(tries) :]
    touched = [(row.resource.type, row.resource.id, row.project_id) for row in told]
    assert touched[::2] == touched[1::2]
    assert {row.action for row in told[::2]} == {"request.refused"}
    assert len(set(touched)) == len(tries)


async def test_ids_of_another_shape_are_not_found(team: Team) -> None:
    account = await team.account()
    bad = ("x", "usr_1", "$ne", "%00", "acc_" + "g" * 32, new_id("acc").upper())
    for route in GUARDED:
        for parameter in route.parameters:
            if parameter in {"role_id", "revision", "type", "rid"}:
                continue
            for value in bad:
                answer = await ask(account.owner, route, account, **{parameter: value})
                assert answer.status == 404, (route.operation_id, parameter, value)


@pytest.mark.rule("T18")
def test_internal_routes_are_for_the_services_that_need_them() -> None:
    callers = {
        route.path: route.access.callers
        for route in INTERNAL_ROUTES
        if isinstance(route.access, Internal)
    }
    assert {route.operation_id for route in INTERNAL_ROUTES if route.access == Admin()} == {
        "publishCatalog",
        "listCatalogs",
        "getPublishedCatalog",
        "moveAccounts",
        "showAccount",
        "suspendAccount",
        "resumeAccount",
    }
    assert len(callers) + 7 == len(INTERNAL_ROUTES)
    assert callers == {
        "/internal/memberships": ("identity",),
        "/internal/personal-accounts": ("identity",),
        "/internal/user-releases": ("identity",),
        "/internal/connections/account": ("identity", "notification", "audit"),
        "/internal/connections/joins": ("identity",),
        "/internal/connections/rule": ("identity",),
        "/internal/past-policy": ("authz",),
        "/internal/past-bearers": ("authz",),
        "/internal/acting-users": ("audit",),
        "/internal/links": ("notification",),
        "/internal/activity": ("authz",),
        "/internal/invitations/lookup": ("identity",),
        "/internal/snapshot": ("authz", "team"),
    }
