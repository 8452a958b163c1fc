"""Custom roles: what they give, who may give it, and how they end (`Ci8`, `Ro5`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Catalog, load_catalog
from shared.ids import new_id
from tests.services.team.running import running

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Reply, Team

OPERATE = {"account": {"view": "all"}, "instance": {"view": "all", "write": "self"}}
DAY = 24 * 60 * 60
ACCESS = "access_team_account:allow"
"""In the catalog `runpod`."""
INVITE = {"account": {"view": "all"}, "member": {"view": "all", "invite": "all"}}


async def create(
    account: Account, name: str = "Night shift", *, by: Person | None = None, **fields: Any
) -> Reply:
    body = {"name": name, "grants": OPERATE} | fields
    return await (by or account.owner).send("POST", f"{account.path}/roles", body)


async def created(account: Account, name: str = "Night shift", **fields: Any) -> str:
    return str((await create(account, name, **fields)).expect(201)["id"])


async def held(account: Account, member: Person) -> dict[str, str]:
    found = await member.get(f"{account.path}/me/permissions")
    return dict(found["permissions"])


@pytest.mark.rule("Ci8", "Ro5", "Ro2")
async def test_a_custom_role_gives_what_it_says_and_nothing_else(team: Team) -> None:
    account = await team.account()
    role_id = await created(account, description=" Runs things at night ")
    member = await account.join(role_id, "Nora")
    permissions = await held(account, member)
    assert (permissions["instance:view"], permissions["instance:write"]) == ("all", "self")
    assert "cluster:view" not in permissions
    shown = await account.owner.get(f"{account.path}/roles/{role_id}")
    assert (shown["name"], shown["description"]) == ("Night shift", "Runs things at night")
    assert (shown["built_in"], shown["assignable"]) == (False, True)
    listed = await account.owner.get(f"{account.path}/members?q=nora")
    assert listed["items"][0]["role_title"] == "Night shift"
    roles = (await account.owner.get(f"{account.path}/roles"))["items"]
    assert [role["id"] for role in roles][-1] == role_id
    catalog = await account.owner.get(f"{account.path}/catalog")
    assert catalog["roles"] == roles
    [row] = await team.rows("role.created")
    assert row.policy_objects[0].state is not None
    assert row.policy_objects[0].state["roles"][role_id]["name"] == "Night shift"


@pytest.mark.rule("Ci8")
async def test_a_narrowed_role_is_in_force_with_the_answer(team: Team) -> None:
    account = await team.account()
    role_id = await created(account)
    member = await account.join(role_id, "Nora")
    path = f"{account.path}/roles/{role_id}"
    narrow = {"grants": {"account": {"view": "all"}}}
    (await account.owner.send("PATCH", path, narrow)).expect(200)
    assert "instance:view" not in await held(account, member)
    [row] = await team.rows("role.changed")
    assert row.before is not None
    assert row.before["grants"]["instance"] == {"view": "all", "write": "self"}


async def test_only_what_is_named_in_an_edit_changes(team: Team) -> None:
    account = await team.account()
    role_id = await created(account, description="Old")
    path = f"{account.path}/roles/{role_id}"
    named = (await account.owner.send("PATCH", path, {"name": "Day shift"})).expect(200)
    assert (named["name"], named["description"]) == ("Day shift", "Old")
    again = (await account.owner.send("PATCH", path, {"name": "Day shift"})).expect(200)
    assert again["updated_at"] == named["updated_at"]
    assert len(await team.rows("role.changed")) == 1
    stale = await account.owner.send("PATCH", path, {"name": "Late"}, If_Match='"old"')
    assert (stale.status, stale.code) == (412, "precondition-failed")


@pytest.mark.parametrize("name", ["NIGHT SHIFT", "Admin", "admin", "  night  shift "])
async def test_a_name_is_taken_once_and_never_from_the_catalog(team: Team, name: str) -> None:
    account = await team.account()
    await created(account)
    other = await created(account, "Other")
    taken = await create(account, name)
    assert (taken.status, taken.code) == (409, "role-name-taken")
    renamed = await account.owner.send("PATCH", f"{account.path}/roles/{other}", {"name": name})
    assert (renamed.status, renamed.code) == (409, "role-name-taken")


async def test_a_name_is_never_the_id_of_a_role_of_the_catalog(team: Team) -> None:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    titles = {"viewer": "Reader"}
    roles = [role | {"title": titles.get(role["id"], role["title"])} for role in content["roles"]]
    catalog = Catalog.from_mapping(content | {"name": "titled", "roles": roles})
    await team.publish(catalog)
    account = await team.account(catalog.id)
    for name in ("viewer", "reader"):
        taken = await create(account, name)
        assert (taken.status, taken.code) == (409, "role-name-taken")


BAD_GRANTS = {
    "/grants/nothing": {**OPERATE, "nothing": {"view": "all"}},
    "/grants/instance/fly": {**OPERATE, "instance": {"fly": "all"}},
    "/grants": {"instance": {"view": "all"}},
}


@pytest.mark.parametrize("pointer", BAD_GRANTS)
async def test_grants_that_do_not_fit_the_catalog_are_pointed_at(team: Team, pointer: str) -> None:
    account = await team.account()
    refused = await create(account, grants=BAD_GRANTS[pointer])
    assert refused.expect(422)["errors"][0]["pointer"] == pointer


async def test_each_fault_of_a_conditional_grant_is_told_once_at_its_place(team: Team) -> None:
    account = await team.account()
    when = [{"path": "resource.propertis.x", "equal": 3}]
    grants = {**OPERATE, "instance": {"write": [{"scope": "all", "when": when}], "view": 1}}
    errors = (await create(account, grants=grants)).expect(422)["errors"]
    place = "/grants/instance/write/0/when/0"
    assert {error["pointer"]: error["message"] for error in errors} == {
        f"{place}/path": "This is not a path. Did you mean 'resource.properties.<name>'? Choose one"
        " of: subject.id, resource.id, subject.properties.<name>, resource.properties.<name>,"
        " action.properties.<name>, context.<name>.",
        f"{place}/equal": "This field is not known. Did you mean `equals`? Remove it, or"
        " correct its name.",
        "/grants/instance/view": "Must be a string, an object, or an array.",
    }
    assert len(errors) == 3


@pytest.mark.rule("B5", "T2")
async def test_a_role_gets_only_what_its_giver_holds(team: Team) -> None:
    """Neither into a new role, nor into one that they have themselves."""
    account = await team.account()
    manage = {"account": {"view": "all"}, "role": {"view": "all", "manage": "all"}}
    role_id = await created(account, "Role manager", grants=manage)
    manager = await account.join(role_id, "Mia")
    more = {**manage, "instance": {"view": "all"}}
    refused = await create(account, "More", by=manager, grants=more)
    assert (refused.status, refused.code) == (403, "grants-exceeded")
    assert "instance:view" in refused.body["detail"]
    own = await manager.send("PATCH", f"{account.path}/roles/{role_id}", {"grants": more})
    assert (own.status, own.code) == (403, "grants-exceeded")
    assert "instance:view" not in await held(account, manager)
    (await create(account, "Same", by=manager, grants=manage)).expect(201)


@pytest.mark.rule("B5", "T2")
async def test_own_resources_do_not_become_all_by_an_edit(team: Team) -> None:
    account = await team.account()
    own = {
        "account": {"view": "all"},
        "role": {"view": "all", "manage": "all"},
        "instance": {"view": "self"},
    }
    role_id = await created(account, "Own", grants=own)
    member = await account.join(role_id, "Mia")
    wider = {"grants": own | {"instance": {"view": "all"}}}
    refused = await member.send("PATCH", f"{account.path}/roles/{role_id}", wider)
    assert (refused.status, refused.code) == (403, "grants-exceeded")


async def test_a_role_that_keeps_what_its_editor_lacks_can_lose_the_rest(team: Team) -> None:
    account = await team.account()
    strong = await created(account, "Strong", grants={**OPERATE, "balance": {"view": "all"}})
    manage = {"account": {"view": "all"}, "role": {"view": "all", "manage": "all"}}
    manager = await account.join(await created(account, "Role manager", grants=manage), "Mia")
    fewer = {"grants": {"account": {"view": "all"}, "balance": {"view": "all"}}}
    (await manager.send("PATCH", f"{account.path}/roles/{strong}", fewer)).expect(200)


async def test_all_resources_become_own_ones_without_holding_them(
    team: Team,
) -> None:
    account = await team.account()
    view = {"account": {"view": "all"}}
    strong = await created(account, "Strong", grants=view | {"instance": {"view": "all"}})
    manage = {"account": {"view": "all"}, "role": {"view": "all", "manage": "all"}}
    manager = await account.join(await created(account, "Role manager", grants=manage), "Mia")
    own = {"grants": view | {"instance": {"view": "self"}}}
    (await manager.send("PATCH", f"{account.path}/roles/{strong}", own)).expect(200)


@pytest.mark.rule("Ci8")
async def test_a_role_in_use_is_deleted_only_with_a_replacement(team: Team) -> None:
    account = await team.account()
    role_id = await created(account)
    path = f"{account.path}/roles/{role_id}"
    nora = await account.join(role_id, "Nora")
    await account.invite("ivo@example.com", role_id)
    refused = await account.owner.send("DELETE", path)
    assert (refused.status, refused.code) == (409, "role-in-use")
    assert (refused.body["members"], refused.body["invitations"]) == (1, 1)
    assert refused.body["holders"] == ["Nora"]
    assert "(Nora)" in refused.body["detail"]
    for unknown in (role_id, "owner", new_id("rol")):
        answer = await account.owner.send("DELETE", f"{path}?replacement={unknown}")
        assert (answer.status, answer.code) == (422, "role-unknown")
        assert [one["pointer"] for one in answer.body["errors"]] == ["/query/replacement"]
    (await account.owner.send("DELETE", f"{path}?replacement=viewer")).expect(204)
    assert (await account.owner.send("GET", path)).status == 404
    assert "instance:write" not in await held(account, nora)
    items = (await account.owner.get(f"{account.path}/members"))["items"]
    assert {item["role"] for item in items} == {"owner", "viewer"}
    changed, deleted = await team.rows("role.deleted", "member.role_changed")
    assert (changed.type, deleted.type) == (
        "team.member.role_changed.v1",
        "team.role.deleted.v1",
    )
    assert changed.data["role_title"] == "Viewer"


@pytest.mark.rule("Ci8", "Nv16")
async def test_a_replacement_ends_sessions_where_a_change_of_role_does(team: Team) -> None:
    account = await team.account("novita")
    role_id = await created(account, grants={"account": {"view": "all"}})
    await account.join(role_id, "Nora")
    path = f"{account.path}/roles/{role_id}?replacement=basic"
    (await account.owner.send("DELETE", path)).expect(204)
    [changed] = await team.rows("member.role_changed")
    assert changed.data["ends_sessions"] is True


@pytest.mark.rule("Ci8")
async def test_an_expired_invitation_with_a_deleted_role_can_be_sent_again(team: Team) -> None:
    account = await team.account()
    role_id = await created(account)
    await account.invite("ivo@example.com", role_id)
    team.clock.move(60 * DAY)
    path = f"{account.path}/roles/{role_id}?replacement=viewer"
    (await account.owner.send("DELETE", path)).expect(204)
    [listed] = (await account.owner.get(f"{account.path}/invitations"))["items"]
    assert listed["role"] == "viewer"
    resend = f"{account.path}/invitations/{listed['id']}/resend"
    (await account.owner.send("POST", resend)).expect(200)


@pytest.mark.rule("Ci8")
async def test_a_deleted_role_is_replaced_only_where_it_was(team: Team) -> None:
    account = await team.account()
    role_id = await created(account)
    other = await created(account, "Day shift")
    nora, otto = await account.join(role_id, "Nora"), await account.join(other, "Otto")
    await account.invite("ivo@example.com", role_id)
    await account.invite("uma@example.com", other)
    path = f"{account.path}/roles/{role_id}?replacement=viewer"
    (await account.owner.send("DELETE", path)).expect(204)
    listed = (await account.owner.get(f"{account.path}/members"))["items"]
    assert {one["email"]: one["role"] for one in listed} == {
        account.owner.email: "owner",
        nora.email: "viewer",
        otto.email: other,
        "ivo@example.com": "viewer",
        "uma@example.com": other,
    }


@pytest.mark.rule("B5")
@pytest.mark.parametrize("holder", ["member", "invitation"])
async def test_a_replacement_gives_no_more_than_its_giver_holds(team: Team, holder: str) -> None:
    account = await team.account()
    role_id = await created(account)
    if holder == "member":
        await account.join(role_id, "Nora")
    else:
        await account.invite("ivo@example.com", role_id)
    manage = {"account": {"view": "all"}, "role": {"view": "all", "manage": "all"}}
    manager = await account.join(await created(account, "Role manager", grants=manage), "Mia")
    path = f"{account.path}/roles/{role_id}?replacement=admin"
    refused = await manager.send("DELETE", path)
    assert (refused.status, refused.code) == (403, "grants-exceeded")


@pytest.mark.rule("Rp5", "B5")
async def test_invitations_pass_on_when_a_role_is_narrowed_or_widened(team: Team) -> None:
    account = await team.account()
    inviter_role = await created(account, "Inviter", grants={**INVITE, "instance": {"view": "all"}})
    offered = await created(
        account, "Offered", grants={"account": {"view": "all"}, "instance": {"view": "all"}}
    )
    inviter = await account.join(inviter_role, "Ines")
    await account.invite("ivo@example.com", offered, by=inviter)
    wider = {"grants": OPERATE}
    answer = await account.owner.send("PATCH", f"{account.path}/roles/{offered}", wider)
    [passed] = answer.expect(200)["passed_invitations"]
    assert passed["invited_by"] == account.owner.user_id
    narrow = {"grants": {"account": {"view": "all"}, "instance": {"view": "all"}}}
    (await account.owner.send("PATCH", f"{account.path}/roles/{offered}", narrow)).expect(200)
    await account.invite("uma@example.com", offered, by=inviter)
    lost = {"grants": {"account": {"view": "all"}}}
    answer = await account.owner.send("PATCH", f"{account.path}/roles/{inviter_role}", lost)
    assert [one["email"] for one in answer.expect(200)["passed_invitations"]] == ["uma@example.com"]


@pytest.mark.rule("Rp5", "B5")
async def test_a_replacement_that_no_inviter_can_give_passes_all_on(
    team: Team,
) -> None:
    account = await team.account()
    offered = await created(account, "Offered", grants={"account": {"view": "all"}})
    inviter_role = await created(account, "Inviter", grants=INVITE)
    for name in ("ines", "ida"):
        inviter = await account.join(inviter_role, name)
        await account.invite(f"guest.of.{name}@example.com", offered, by=inviter)
    path = f"{account.path}/roles/{offered}?replacement=admin"
    passed = (await account.owner.send("DELETE", path)).expect(200)["passed_invitations"]
    assert {one["email"] for one in passed} == {
        "guest.of.ines@example.com",
        "guest.of.ida@example.com",
    }
    assert {one["invited_by"] for one in passed} == {account.owner.user_id}


async def test_a_change_of_a_role_leaves_expired_invitations_to_their_inviter(team: Team) -> None:
    """A resend gives them a new one."""
    account = await team.account()
    inviter_role = await created(account, "Inviter", grants={**INVITE, "instance": {"view": "all"}})
    offered = await created(
        account, "Offered", grants={"account": {"view": "all"}, "instance": {"view": "all"}}
    )
    inviter = await account.join(inviter_role, "Ines")
    await account.invite("ivo@example.com", offered, by=inviter)
    team.clock.move(60 * DAY)
    path = f"{account.path}/roles/{offered}"
    changed = (await account.owner.send("PATCH", path, {"grants": OPERATE})).expect(200)
    assert changed["passed_invitations"] == []
    assert await team.rows("invitation.passed") == []


async def lower(account: Account, member: Person) -> None:
    """Leave the member only the view of instances, inside one project."""
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "P"})).expect(
        201
    )
    path = f"{account.path}/projects/{project['id']}/overrides/{member.user_id}"
    grants = {"grants": {"instance": {"view": "all"}}}
    (await account.owner.send("PUT", path, grants)).expect(200)


@pytest.mark.rule("Rp5", "B5")
async def test_a_role_that_its_inviter_cannot_give_in_a_project_passes_on(team: Team) -> None:
    """The role of the inviter covers the wider role; the override in the project does not."""
    account = await team.account()
    inviter_role = await created(account, "Inviter", grants=INVITE | OPERATE)
    view = {"account": {"view": "all"}, "instance": {"view": "all"}}
    offered = await created(account, "Offered", grants=view)
    inviter = await account.join(inviter_role, "Ines")
    await lower(account, inviter)
    await account.invite("ivo@example.com", offered, by=inviter)
    path = f"{account.path}/roles/{offered}"
    changed = (await account.owner.send("PATCH", path, {"grants": OPERATE})).expect(200)
    [passed] = changed["passed_invitations"]
    assert passed["invited_by"] == account.owner.user_id


@pytest.mark.rule("Rp5", "B5")
async def test_an_editor_lowered_in_a_project_does_not_become_the_inviter(team: Team) -> None:
    account = await team.account()
    inviter_role = await created(account, "Inviter", grants=INVITE | OPERATE)
    offered = await created(account, "Offered", grants=OPERATE)
    inviter = await account.join(inviter_role, "Ines")
    await account.invite("ivo@example.com", offered, by=inviter)
    manage = INVITE | OPERATE | {"role": {"view": "all", "manage": "all"}}
    manager = await account.join(await created(account, "Manager", grants=manage), "Mia")
    await lower(account, manager)
    path = f"{account.path}/roles/{inviter_role}"
    changed = (await manager.send("PATCH", path, {"grants": INVITE})).expect(200)
    [passed] = changed["passed_invitations"]
    assert passed["invited_by"] == account.owner.user_id


async def test_a_role_of_the_catalog_is_not_changed(team: Team) -> None:
    account = await team.account()
    for method, body in (("PATCH", {"name": "Chief"}), ("DELETE", None)):
        refused = await account.owner.send(method, f"{account.path}/roles/admin", body)
        assert (refused.status, refused.code) == (409, "role-built-in")
        missing = await account.owner.send(method, f"{account.path}/roles/{new_id('rol')}", body)
        assert missing.status == 404


@pytest.mark.rule("T1")
async def test_a_role_of_another_account_is_unknown(team: Team) -> None:
    mine, other = await team.account(), await team.account()
    role_id = await created(other)
    assert (await mine.owner.send("GET", f"{mine.path}/roles/{role_id}")).status == 404
    body = {"email": "ivo@example.com", "role": role_id}
    refused = await mine.owner.send("POST", f"{mine.path}/invitations", body)
    assert (refused.status, refused.code) == (422, "role-unknown")


async def test_an_account_has_a_bounded_number_of_roles(mongo_url: str, database_name: str) -> None:
    async with running(mongo_url, database_name, roles_per_account=2) as team:
        account = await team.account()
        await created(account, "One")
        await created(account, "Two")
        refused = await create(account, "Three")
        assert (refused.status, refused.code) == (409, "role-limit")
        assert "2 custom roles" in refused.body["detail"]


async def test_a_catalog_without_custom_roles_does_not_offer_them(team: Team) -> None:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    features = content["policies"]["features"] | {"custom_roles": False}
    policies = content["policies"] | {"features": features}
    catalog = Catalog.from_mapping(content | {"name": "fixed", "policies": policies})
    await team.publish(catalog)
    account = await team.account(catalog.id)
    path = f"{account.path}/roles/{new_id('rol')}"
    for refused in (
        await create(account),
        await account.owner.send("PATCH", path, {"name": "Day shift"}),
        await account.owner.send("DELETE", path),
    ):
        assert (refused.status, refused.code) == (404, "not-in-this-catalog")


async def test_custom_roles_need_a_mapping_when_a_personal_account_converts(team: Team) -> None:
    owner = await team.person("Owner")
    body = {"name": "Night shift", "grants": OPERATE}
    made = (await owner.send("POST", f"{owner.path}/roles", body)).expect(201)
    convert: dict[str, Any] = {"name": "Engines", "catalog": "runpod"}
    refused = await owner.send("POST", f"{owner.path}/convert", convert)
    assert (refused.status, refused.code) == (409, "mapping-needed")
    used = [f"{entry}:{level}" for entry, levels in OPERATE.items() for level in levels]
    assert [error["pointer"] for error in refused.body["errors"]] == sorted(
        f"/mapping/levels/{level}" for level in used
    )
    convert["mapping"] = {"levels": dict.fromkeys(used) | {"account:view": ACCESS}}
    (await owner.send("POST", f"{owner.path}/convert", convert)).expect(200)
    [role] = [
        one for one in (await owner.get(f"{owner.path}/roles"))["items"] if one["built_in"] is False
    ]
    assert (role["id"], role["grants"]) == (made["id"], {"access_team_account": {"allow": "all"}})


@pytest.mark.parametrize("name", ["\u0410dmin", "Ni\u0261ht \u0455hift", "\u0391dmin"])
async def test_a_name_that_mixes_alphabets_is_refused(team: Team, name: str) -> None:
    account = await team.account()
    refused = await create(account, name)
    assert (refused.status, refused.code) == (422, "invalid")
    assert "mixes letters of the alphabets" in refused.body["errors"][0]["message"]
    role_id = await created(account, "\u0410\u0434\u043c\u0438\u043d Nord")
    renamed = await account.owner.send("PATCH", f"{account.path}/roles/{role_id}", {"name": name})
    assert (renamed.status, renamed.code) == (422, "invalid")


async def test_a_repeated_creation_makes_one_role(team: Team) -> None:
    account = await team.account()
    body = {"name": "Night shift", "grants": OPERATE}
    answers = [
        await account.owner.send("POST", f"{account.path}/roles", body, Idempotency_Key="k-1")
        for _ in range(2)
    ]
    assert {answer.expect(201)["id"] for answer in answers} == {answers[0].body["id"]}
    assert len(await team.rows("role.created")) == 1


async def test_roles_have_a_bounded_size_and_can_always_be_narrowed(team: Team) -> None:
    """The row of a change has the account with all roles, and the role before and after."""
    account = await team.account()
    large: dict[str, Any] = {
        "grants": {"*": {"*": "all"}},
        "description": "\N{GRINNING FACE}" * 500,
    }
    made: list[str] = []
    while (answer := await create(account, f"Role {len(made)}", **large)).status == 201:
        made.append(answer.body["id"])
    assert (answer.status, answer.code) == (409, "roles-too-large")
    assert 4 < len(made) < 50
    path = f"{account.path}/roles/{made[0]}"
    narrow = {"grants": {"account": {"view": "all"}}}
    (await account.owner.send("PATCH", path, narrow)).expect(200)
    fillers = 0
    while (await create(account, f"Filler {fillers}", grants=large["grants"])).status == 201:
        fillers += 1
    assert fillers > 0
    wide = await account.owner.send("PATCH", path, {"grants": large["grants"]})
    assert (wide.status, wide.code) == (409, "roles-too-large")
    (await account.owner.send("PATCH", account.path, {"name": "Renamed"})).expect(200)
    (await account.owner.send("DELETE", path)).expect(204)


async def test_the_catalog_shows_custom_roles_to_those_who_may_see_roles(team: Team) -> None:
    account = await team.account()
    plain = {"account": {"view": "all"}}
    member = await account.join(await created(account, grants=plain), "Nora")
    assert (await member.send("GET", f"{account.path}/roles")).status == 403
    shown = (await member.get(f"{account.path}/catalog"))["roles"]
    assert {role["built_in"] for role in shown} == {True}


ACTIVE = {"path": "resource.properties.status", "equals": "active"}
ALL_ACTIVE = [{"scope": "all", "when": [ACTIVE]}]
WORDS = 'all when resource.properties.status is "active"'


@pytest.mark.rule("Ci8", "Ci9")
async def test_conditions_are_kept_and_shown_in_roles_and_overrides(team: Team) -> None:
    account = await team.account()
    written = {"account": {"view": "all"}, "instance": {"view": {"scope": "all", "when": ACTIVE}}}
    role_id = await created(account, grants=written)
    path = f"{account.path}/roles/{role_id}"
    assert (await account.owner.get(path))["grants"]["instance"] == {"view": ALL_ACTIVE}
    [row] = await team.rows("role.created")
    assert row.policy_objects[0].state is not None
    told = row.policy_objects[0].state["roles"][role_id]["grants"]
    assert told["instance"] == {"view": ALL_ACTIVE}
    same = {
        "grants": written | {"instance": {"view": [{"scope": "all", "when": [ACTIVE, ACTIVE]}]}}
    }
    (await account.owner.send("PATCH", path, same)).expect(200)
    assert await team.rows("role.changed") == []
    member = await account.join(role_id, "Nora")
    assert (await held(account, member))["instance:view"] == WORDS
    made = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    project_id = made.expect(201)["id"]
    override = f"{account.path}/projects/{project_id}/overrides/{member.user_id}"
    body = {"grants": {"instance": {"write": ALL_ACTIVE}}}
    assert (await account.owner.send("PUT", override, body)).expect(200)["grants"] == body["grants"]
    assert (await account.owner.get(override))["grants"] == body["grants"]
    shown = await account.owner.get(f"{account.path}/members/{member.user_id}/access")
    assert shown["cells"]["instance"]["view"] == {"scope": WORDS, "source": "role"}
    [inside] = shown["items"]
    assert inside["cells"]["instance"]["write"] == {"scope": WORDS, "source": "override"}


@pytest.mark.rule("B5", "B9")
async def test_attributes_of_conditions_are_set_by_holders_only(team: Team) -> None:
    account = await team.account()
    when = {"path": "subject.properties.clearance", "equals": "prod"}
    cleared = {"account": {"view": "all"}, "instance": {"write": {"scope": "all", "when": when}}}
    leads = {"account": {"view": "all"}, "member": {"view": "all", "update": "all"}}
    role_id = await created(account, grants=cleared)
    member = await account.join(role_id, "Nora")
    lead = await account.join(await created(account, "Lead", grants=leads), "Lea")
    path, preview = f"{account.path}/members/{member.user_id}", f"{account.path}/changes/preview"
    body = {"attributes": {"clearance": "prod"}}
    change = {"change": {"type": "member_change", "user_id": member.user_id, **body}}
    own = f"{account.path}/members/{lead.user_id}"
    for method, at, sent in (
        ("PATCH", path, body),
        ("POST", preview, change),
        ("PATCH", own, body),
    ):
        refused = await lead.send(method, at, sent)
        assert refused.expect(403)["code"] == "grants-exceeded"
        assert "instance:write" in refused.body["missing"]
    (await lead.send("PATCH", path, {"attributes": {"color": "red"}})).expect(200)
    [seen] = (await account.owner.send("POST", preview, change)).expect(200)["items"]
    assert seen["everywhere"]["gained"]["instance"]["write"]["after"] == "all"
    (await account.owner.send("PATCH", path, body)).expect(200)


@pytest.mark.rule("B5")
async def test_attributes_of_a_third_member_s_condition_are_not_free(team: Team) -> None:
    """That member could pass the grant on to one who meets its condition."""
    account = await team.account()
    when = {"path": "subject.properties.clearance", "equals": "prod"}
    conditional = {"scope": "all", "when": when}
    leads = {"account": {"view": "all"}, "member": {"view": "all", "update": "all"}}
    lead = await account.join(await created(account, "Lead", grants=leads), "Lea")
    friend, third = await account.join("viewer", "Finn"), await account.join("viewer", "Tia")
    made = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    override = f"{account.path}/projects/{made.expect(201)['id']}/overrides/{third.user_id}"
    body = {"grants": {"instance": {"write": conditional}}}
    (await account.owner.send("PUT", override, body)).expect(200)
    path = f"{account.path}/members/{friend.user_id}"
    refused = await lead.send("PATCH", path, {"attributes": {"clearance": "prod"}})
    assert refused.expect(403)["code"] == "grants-exceeded"
    (await lead.send("PATCH", path, {"attributes": {"color": "red"}})).expect(200)


@pytest.mark.rule("B5")
async def test_who_names_an_attribute_first_holds_what_it_decides(team: Team) -> None:
    """So what was set before a condition names it gives nothing that its author does not give."""
    account = await team.account()
    when = {"path": "subject.properties.clearance", "equals": "prod"}
    grants = {"account": {"view": "all"}, "instance": {"write": {"scope": "all", "when": when}}}
    leads = {
        "account": {"view": "all"},
        "member": {"view": "all", "update": "all"},
        "role": {"view": "all", "manage": "all"},
    }
    lead = await account.join(await created(account, "Lead", grants=leads), "Lea")
    plain = await created(account, "Plain", grants={"account": {"view": "all"}})
    own = f"{account.path}/members/{lead.user_id}"
    (await lead.send("PATCH", own, {"attributes": {"clearance": "prod"}})).expect(200)
    for method, path, body in (
        ("POST", f"{account.path}/roles", {"name": "Mine", "grants": grants}),
        ("PATCH", f"{account.path}/roles/{plain}", {"grants": grants}),
    ):
        refused = await lead.send(method, path, body)
        assert refused.expect(403)["code"] == "grants-exceeded"
    named = await account.owner.send("PATCH", f"{account.path}/roles/{plain}", {"grants": grants})
    named.expect(200)
    changed = await lead.send("PATCH", own, {"attributes": {"clearance": "test"}})
    assert changed.expect(403)["code"] == "grants-exceeded"


async def test_a_condition_that_cannot_be_is_refused_at_its_place(team: Team) -> None:
    account = await team.account()
    unknown = {"scope": "all", "when": {"path": "resource.propertys.status", "equals": "active"}}
    refused = await create(
        account, grants={"account": {"view": "all"}, "instance": {"view": unknown}}
    )
    [error] = refused.expect(422)["errors"]
    assert error["pointer"] == "/grants/instance/view/when/path"
    assert "Did you mean 'resource.properties.<name>'?" in error["message"]
