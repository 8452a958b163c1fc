"""Guardrails: what a rule binds, what it never keeps from being mended, and who manages it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.team.domain.guardrail_violations import GuardrailViolated
from services.team.routes import ROUTES
from tests.services.team.running import running

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Reply, Team

TWO_ADMINS = {"type": "minimum_holders", "minimum": 2, "role": "admin"}
WRITERS = {"type": "only_roles", "permission": "instance:write", "roles": ["owner", "admin"]}
HOUR = 3_600


async def declare(account: Account, rule: dict[str, Any], *, by: Person | None = None) -> Any:
    body = {"name": "The rule", "rule": rule}
    return (await send(account, body, by=by)).expect(201)


async def send(account: Account, body: dict[str, Any], *, by: Person | None = None) -> Reply:
    return await (by or account.owner).send("POST", f"{account.path}/guardrails", body)


async def give_role(account: Account, member: Person, role: str) -> Reply:
    path = f"{account.path}/members/{member.user_id}"
    return await account.owner.send("PATCH", path, {"role": role})


async def project_of(account: Account, name: str = "prod") -> str:
    answer = await account.owner.send("POST", f"{account.path}/projects", {"name": name})
    return str(answer.expect(201)["id"])


@pytest.mark.rule("B10")
async def test_two_admins_stay_two_admins(team: Team) -> None:
    account = await team.account()
    first, second = await account.join("admin", "Ada"), await account.join("admin", "Bea")
    declared = await declare(account, TWO_ADMINS)
    assert declared["violations"] == []
    rows = len(await team.rows("member.role_changed", "member.removed", "member.left"))
    refused = [
        await give_role(account, first, "viewer"),
        await account.owner.send("DELETE", f"{account.path}/members/{first.user_id}"),
        await second.send("POST", f"{account.path}/leave"),
    ]
    for answer in refused:
        assert (answer.status, answer.code) == (409, "guardrail-violated")
        assert answer.body["guardrail_id"] == declared["id"]
        assert "“Admin”; there would be 1" in answer.body["detail"]
    assert len(await team.rows("member.role_changed", "member.removed", "member.left")) == rows
    told = await team.rows("request.refused")
    assert [row.reason for row in told] == ["guardrail-violated"] * 3
    await account.join("admin", "Cem")
    (await give_role(account, first, "viewer")).expect(200)


@pytest.mark.rule("B10")
async def test_no_way_leads_around_a_rule_about_roles(team: Team) -> None:
    """By a role, an edited role, an override, its end, its replacement or an invitation."""
    account = await team.account()
    project_id = await project_of(account)
    body = {"name": "Own", "grants": {"account": {"view": "all"}}}
    role = (await account.owner.send("POST", f"{account.path}/roles", body)).expect(201)["id"]
    member, other = await account.join(role, "Mia"), await account.join("developer", "Dan")
    override = f"{account.path}/projects/{project_id}/overrides/{{}}"
    (await account.owner.send("PUT", override.format(other.user_id), {"grants": {}})).expect(200)
    await declare(account, WRITERS | {"project_id": project_id})
    write = {"grants": {"account": {"view": "all"}, "instance": {"write": "self"}}}
    tries = [
        ("PATCH", f"{account.path}/members/{member.user_id}", {"role": "developer"}),
        ("PATCH", f"{account.path}/roles/{role}", write),
        ("PUT", override.format(member.user_id), {"grants": {"instance": {"write": "all"}}}),
        ("DELETE", override.format(other.user_id), None),
        ("DELETE", f"{account.path}/roles/{role}?replacement=developer", None),
    ]
    for method, path, change in tries:
        answer = await account.owner.send(method, path, change)
        assert (answer.status, answer.code) == (409, "guardrail-violated"), (method, path)
        assert answer.body["project_id"] == project_id
        assert answer.body["permission"] == "instance:write"
        assert answer.body["user_id"] in {member.user_id, other.user_id}
    guest = await team.person("Gus")
    proof = await account.invite(guest.email, "developer")
    joining = await guest.send("POST", "/v1/invitations/accept", proof)
    assert (joining.status, joining.code) == (409, "guardrail-violated")
    (await account.owner.send("DELETE", f"{account.path}/projects/{project_id}")).expect(204)
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)


@pytest.mark.rule("B10")
async def test_a_role_that_a_rule_names_does_not_end_before_the_rule(team: Team) -> None:
    """Otherwise the rule would be about no one, and still be listed without a violation."""
    account = await team.account()
    owner, roles = account.owner, f"{account.path}/roles"
    body = {"name": "Watch", "grants": {"account": {"view": "all"}}}
    role = (await owner.send("POST", roles, body)).expect(201)["id"]
    rule = {"type": "never", "permission": "instance:write", "role": role}
    declared = await declare(account, rule)
    confirm = {"confirm": (await owner.get(account.path))["name"]}
    for method, path, change in (
        ("DELETE", f"{roles}/{role}", None),
        ("DELETE", f"{roles}/{role}?replacement=viewer", None),
        ("POST", f"{account.path}/revert", confirm),
    ):
        refused = await owner.send(method, path, change)
        assert (refused.status, refused.code) == (409, "role-in-guardrail"), path
        assert "“The rule” names the role Watch" in refused.body["detail"]
    (await owner.send("DELETE", f"{account.path}/guardrails/{declared['id']}")).expect(204)
    (await owner.send("DELETE", f"{roles}/{role}")).expect(204)
    (await owner.send("POST", f"{account.path}/revert", confirm)).expect(200)


@pytest.mark.rule("B10")
async def test_a_rule_without_a_project_looks_at_overrides(team: Team) -> None:
    """At a new one, and at the end of one that kept a role below what it gives elsewhere."""
    account = await team.account()
    project_id = await project_of(account)
    viewer, developer = await account.join("viewer"), await account.join("developer")
    override = f"{account.path}/projects/{project_id}/overrides/{{}}"
    (await account.owner.send("PUT", override.format(developer.user_id), {"grants": {}})).expect(
        200
    )
    [present] = (await declare(account, WRITERS))["violations"]
    assert (present["user_id"], present["project_id"]) == (developer.user_id, None)
    write = {"grants": {"instance": {"write": "all"}}}
    for method, member, body in (("PUT", viewer, write), ("DELETE", developer, None)):
        answer = await account.owner.send(method, override.format(member.user_id), body)
        assert (answer.status, answer.code) == (409, "guardrail-violated"), method
        assert answer.body["user_id"] == member.user_id
        assert answer.body["project_id"] == project_id


@pytest.mark.rule("B10")
async def test_a_new_rule_lists_what_contradicts_it_and_lets_it_be_mended(team: Team) -> None:
    account = await team.account()
    first, second = await account.join("developer", "Dan"), await account.join("viewer", "Vic")
    declared = await declare(account, WRITERS)
    [present] = declared["violations"]
    assert (present["user_id"], present["name"]) == (first.user_id, "Dan")
    assert (present["project_id"], declared["violation_count"]) == (None, 1)
    path = f"{account.path}/guardrails/{declared['id']}"
    assert (await account.owner.get(path))["violations"] == declared["violations"]
    await project_of(account)
    worse = await give_role(account, second, "developer")
    assert (worse.status, worse.code) == (409, "guardrail-violated")
    assert "Vic would hold" in worse.body["detail"]
    (await give_role(account, first, "viewer")).expect(200)
    assert (await account.owner.get(path))["violations"] == []
    again = await give_role(account, first, "developer")
    assert (again.status, again.code) == (409, "guardrail-violated")


@pytest.mark.rule("B10")
async def test_own_resources_do_not_become_all_under_a_rule(team: Team) -> None:
    """A violation that is there is not made worse, and a smaller one is accepted."""
    account = await team.account()
    grants = {"account": {"view": "all"}, "instance": {"write": "self"}}
    body = {"name": "Own", "grants": grants}
    role = (await account.owner.send("POST", f"{account.path}/roles", body)).expect(201)["id"]
    await account.join(role, "Mia")
    assert len((await declare(account, WRITERS))["violations"]) == 1
    path = f"{account.path}/roles/{role}"
    wider = await account.owner.send(
        "PATCH", path, {"grants": grants | {"instance": {"write": "all"}}}
    )
    assert (wider.status, wider.code) == (409, "guardrail-violated")
    other = {"grants": grants | {"cluster": {"view": "all"}}}
    (await account.owner.send("PATCH", path, other)).expect(200)


@pytest.mark.rule("B10")
async def test_what_ends_by_itself_is_listed_and_not_refused(team: Team) -> None:
    account = await team.account()
    project_id = await project_of(account)
    member = await account.join("developer", "Dan")
    path = f"{account.path}/projects/{project_id}/overrides/{member.user_id}"
    body = {"grants": {}, "expires_at": "2100-03-01T13:00:00Z"}
    (await account.owner.send("PUT", path, body)).expect(200)
    declared = await declare(account, WRITERS | {"project_id": project_id})
    assert declared["violations"] == []
    team.clock.move(HOUR)
    shown = await account.owner.get(f"{account.path}/guardrails/{declared['id']}")
    assert [one["user_id"] for one in shown["violations"]] == [member.user_id]
    (await account.owner.send("DELETE", path)).expect(204)


@pytest.mark.rule("B10")
async def test_a_role_never_holds_what_the_rule_names(team: Team) -> None:
    account = await team.account()
    project_id = await project_of(account)
    viewer, developer = await account.join("viewer"), await account.join("developer")
    rule = {
        "type": "never",
        "permission": "instance:write",
        "role": "viewer",
        "project_id": project_id,
    }
    await declare(account, rule)
    for user, status in ((viewer, 409), (developer, 200)):
        path = f"{account.path}/projects/{project_id}/overrides/{user.user_id}"
        body = {"grants": {"instance": {"write": "all"}}}
        assert (await account.owner.send("PUT", path, body)).status == status
    elsewhere = await project_of(account, "staging")
    path = f"{account.path}/projects/{elsewhere}/overrides/{viewer.user_id}"
    (await account.owner.send("PUT", path, body)).expect(200)


BAD_RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "permission": ("/rule/permission", WRITERS | {"permission": "instance:fly"}),
    "roles": ("/rule/roles", WRITERS | {"roles": ["owner", "pilot"]}),
    "role": ("/rule/role", TWO_ADMINS | {"role": "pilot"}),
    "project": ("/rule/project_id", WRITERS | {"project_id": "prj_" + "0" * 32}),
    "both": ("/rule", TWO_ADMINS | {"permission": "instance:write"}),
    "neither": ("/rule", {"type": "minimum_holders", "minimum": 2}),
    "inside": ("/rule/project_id", TWO_ADMINS | {"project_id": "prj_" + "0" * 32}),
    "type": ("/rule/type", {"type": "second_factor", "role": "admin"}),
}


async def test_rules_that_do_not_fit_are_pointed_at(team: Team) -> None:
    account = await team.account()
    project_id = await project_of(account)
    wide = WRITERS | {"permission": "member:view", "project_id": project_id}
    for pointer, rule in (*BAD_RULES.values(), ("/rule/project_id", wide)):
        refused = await send(account, {"name": "The rule", "rule": rule})
        assert [one["pointer"] for one in refused.expect(422)["errors"]] == [pointer]


@pytest.mark.rule("B10")
async def test_a_rule_is_read_as_it_was_written(team: Team) -> None:
    account = await team.account()
    never = {"type": "never", "permission": "balance:view", "role": "developer"}
    counted = {"type": "minimum_holders", "minimum": 1, "permission": "member:remove"}
    for rule in (TWO_ADMINS, counted, WRITERS, never):
        shown = (await declare(account, rule))["rule"]
        assert {name: value for name, value in shown.items() if value is not None} == rule


@pytest.mark.rule("B10")
async def test_no_rule_refuses_what_adds_no_violation(team: Team) -> None:
    """The document does not list the refusal for these changes, and they are made."""
    account = await team.account()
    name = (await account.owner.get(account.path))["name"]
    await account.join("developer")
    never = {"type": "never", "permission": "instance:view", "role": "developer"}
    for rule in (TWO_ADMINS, WRITERS, never):
        await declare(account, rule)
    role = {"name": "Watch", "grants": {"account": {"view": "all"}, "instance": {"write": "all"}}}
    made: dict[str, tuple[str, str, Any]] = {
        "createAccount": ("POST", "/v1/accounts", {"name": "Other"}),
        "createProject": ("POST", f"{account.path}/projects", {"name": "prod"}),
        "createRole": ("POST", f"{account.path}/roles", role),
        "deleteAccount": ("DELETE", f"{account.path}?confirm={name}", None),
        "restoreAccount": ("POST", f"{account.path}/restore", None),
    }
    for operation_id, (method, path, body) in made.items():
        answer = await account.owner.send(method, path, body)
        assert answer.status in {200, 201}, (operation_id, answer.body)
    listed = {row.operation_id for row in ROUTES if GuardrailViolated in row.refuses}
    assert not listed & set(made)


@pytest.mark.rule("Rp13")
async def test_rules_are_listed_recorded_and_given_up(team: Team) -> None:
    account = await team.account()
    viewer = await account.join("viewer")
    first = await declare(account, TWO_ADMINS)
    second = await declare(account, WRITERS, by=await account.join("admin"))
    assert first["violations"] == [
        {
            "guardrail_id": first["id"],
            "guardrail": first["name"],
            "user_id": None,
            "name": None,
            "role": None,
            "members": None,
            "project_id": None,
            "holders": 0,
        }
    ]
    path = f"{account.path}/guardrails"
    listed = (await account.owner.get(path))["items"]
    assert [one["id"] for one in listed] == [first["id"], second["id"]]
    assert listed[1]["rule"] == {
        "type": "only_roles",
        "permission": "instance:write",
        "roles": ["owner", "admin"],
        "project_id": None,
    }
    assert (await viewer.send("DELETE", f"{path}/{second['id']}")).status == 403
    (await account.owner.send("DELETE", f"{path}/{second['id']}")).expect(204)
    assert (await account.owner.send("DELETE", f"{path}/{second['id']}")).status == 404
    await account.join("developer")
    created, _, deleted = await team.rows("guardrail.created", "guardrail.deleted")
    assert created.after is not None
    assert (created.after["type"], created.after["minimum"]) == ("minimum_holders", 2)
    assert deleted.before is not None
    assert (deleted.before["roles"], deleted.after) == (["owner", "admin"], None)
    assert created.policy_objects == deleted.policy_objects == ()


@pytest.mark.rule("B10", "T1")
async def test_a_refusal_names_members_to_those_who_may_see_them(team: Team) -> None:
    """Others get the number of members and their role, and the name of none but themselves."""
    account = await team.account()
    grants = {
        "account": {"view": "all"},
        "role": {"manage": "all"},
        "guardrail": {"manage": "all"},
        "instance": {"write": "all"},
    }
    roles = f"{account.path}/roles"
    manager = (await account.owner.send("POST", roles, {"name": "Keys", "grants": grants})).expect(
        201
    )["id"]
    watch = {"name": "Watch", "grants": {"account": {"view": "all"}}}
    watchers = (await account.owner.send("POST", roles, watch)).expect(201)["id"]
    keeper = await account.join(manager, "Kim")
    first, second = await account.join(watchers, "Ada"), await account.join(watchers, "Bea")
    allowed = {**WRITERS, "roles": ["owner", "admin", manager]}
    await declare(account, allowed)
    widened = {"grants": {"account": {"view": "all"}, "instance": {"write": "all"}}}
    preview = {"change": {"type": "role_edit", "role_id": watchers, **widened}}

    told = await keeper.send("PATCH", f"{roles}/{watchers}", widened)
    assert (told.status, told.code, told.body["user_id"]) == (409, "guardrail-violated", None)
    assert "2 members with the role “Watch” would hold" in told.body["detail"]
    shown = await keeper.send("POST", f"{account.path}/changes/preview", preview)
    for answer in (told, shown):
        assert not any(
            part in answer.text
            for person in (first, second)
            for part in (person.name, person.email, person.user_id)
            if answer is told or part != person.user_id
        )
    [counted] = shown.expect(200)["violations"]
    assert (counted["user_id"], counted["role"], counted["members"]) == (None, "Watch", 2)
    own = await declare(account, {**WRITERS, "roles": ["owner"]}, by=keeper)
    [mine] = own["violations"]
    assert (mine["user_id"], mine["name"], own["violation_count"]) == (keeper.user_id, "Kim", 1)
    named = await account.owner.send("PATCH", f"{roles}/{watchers}", widened)
    assert (named.status, named.body["user_id"] in {first.user_id, second.user_id}) == (409, True)


async def test_an_account_has_a_bounded_number_of_guardrails(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, guardrails_per_account=1) as team:
        account = await team.account()
        await declare(account, TWO_ADMINS)
        refused = await send(account, {"name": "Another", "rule": WRITERS})
        assert (refused.status, refused.code) == (409, "guardrail-limit")


@pytest.mark.rule("B10")
async def test_a_conversion_keeps_guardrails_that_another_catalog_empties(team: Team) -> None:
    """The rule names a role of the present catalog: in another one it would bind no one."""
    owner = await team.person("Owner")
    rule = {"type": "only_roles", "permission": "instance:write", "roles": ["owner", "operator"]}
    declared = await owner.send(
        "POST", f"{owner.path}/guardrails", {"name": "The rule", "rule": rule}
    )
    guardrail = declared.expect(201)["id"]
    body = {"name": "Engines", "catalog": "novita"}
    refused = await owner.send("POST", f"{owner.path}/convert", body)
    assert (refused.status, refused.code) == (409, "guardrails-of-this-catalog")
    assert (await owner.get(owner.path))["kind"] == "personal"
    (await owner.send("DELETE", f"{owner.path}/guardrails/{guardrail}")).expect(204)
    (await owner.send("POST", f"{owner.path}/convert", body)).expect(200)
