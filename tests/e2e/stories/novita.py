"""Nia's team: five roles, own and shared resources, two hundred seats, and no way back."""

from datetime import timedelta

import pytest

from tests.e2e.journey import in_force
from tests.e2e.stories.team import MISSING, OUTSIDE, Step, Team, in_order, lifetime, refused
from tests.waiting import wait_for

SEATS = 200
NOT_OWNER = "not-owner"
EXCLUSIVE = ("identity_verification:write", "model_upload:write", "affiliate_program:write")
MONEY = ("balance:write", "payment_methods:write", "top_up:write", "budget:write")


@pytest.mark.rule("Nv1", "Nv6", "Nv7")
async def nia_upgrades_her_account(team: Team) -> None:
    """She is the one owner, a role that cannot be given to another member."""
    nia = team.person("owner")
    await nia.sign_up()
    converted = await team.convert()
    assert (converted["id"], converted["kind"]) == (nia.account_id, "team")
    assert (converted["role"], converted["owner"]) == ("owner", True)
    roles = (await nia.get(f"{team.path}/roles"))["items"]
    assert {role["id"]: role["assignable"] for role in roles} == {
        "owner": False,
        "admin": True,
        "developer": True,
        "basic": True,
        "billing": True,
    }


@pytest.mark.rule("Nv13", "Nv14")
async def members_join_with_a_role_by_the_mailed_link(team: Team) -> None:
    """No invitation is without a role, and only a sign-in with the invited address opens it."""
    admin, developer = team.person("admin"), team.person("developer")
    for email in (admin.email, developer.email):
        answer = await team.owner.send("POST", f"{team.path}/invitations", {"email": email})
        assert answer.status == 422, answer.body
    assert (await team.invite(admin, "admin", delivery="link")).status == 422
    made = (await team.invite(admin, "admin")).expect(201)
    assert lifetime(made["invitation"]) == timedelta(days=7)
    link = await team.mailed(admin)
    refused(await team.accept(team.owner, link), 410, "invitation-not-valid")
    admin.signed_in((await admin.sign_up_by(link)).expect(200, 201))
    await team.join_by(admin, link)
    for role in ("developer", "basic", "billing"):
        await team.join(role, role)
    rows = await team.members()
    assert {row["email"]: row["role"] for row in rows} == {
        team.person(role).email: role
        for role in ("owner", "admin", "developer", "basic", "billing")
    }


@pytest.mark.rule("Nv2")
async def there_is_no_way_back(team: Team) -> None:
    """The answer says why, and nothing has changed."""
    answer = await team.owner.send("POST", f"{team.path}/revert", {"confirm": team.name})
    refused(answer, 409, "conversion-irreversible")
    assert answer.body["detail"]
    assert (await team.owner.get(team.path))["kind"] == "team"
    await team.may(team.person("developer"), "instance:write")


@pytest.mark.rule("Nv4", "Nv9", "Nv11")
async def each_role_has_its_own_part(team: Team) -> None:
    """Three rights stay with the owner. What a role does not list, its members cannot do."""
    owner, admin = team.owner, team.person("admin")
    developer, billing = team.person("developer"), team.person("billing")
    await team.may(owner, *EXCLUSIVE, *MONEY, "member_management:write")
    await team.may(admin, *MONEY, "member_management:write", "instance:write", "audit_log:view")
    await team.may_not(admin, *EXCLUSIVE)
    await team.may(developer, "instance:write", "image:view", "quote:write", "member:view")
    await team.may_not(developer, *EXCLUSIVE, *MONEY, "image:write", "dedicated_endpoints:view")
    await team.may(billing, *MONEY, "member:view")
    await team.may_not(billing, *EXCLUSIVE, "instance:view", "image:view", "api_key:view")


@pytest.mark.rule("Nv3", "Nv8")
async def a_basic_member_works_with_own_resources(team: Team) -> None:
    """The register of the platform says whose an instance is; a developer shares them all."""
    basic, developer = team.person("basic"), team.person("developer")
    for rid, who in (("i-basic", basic), ("i-developer", developer)):
        path = f"{team.path}/resources/instance/{rid}"
        answer = await team.world.platform.send("PUT", path, {"owner_id": who.user_id})
        await in_force(team.owner, answer, 200, 201)
    await team.may(basic, "instance:view", "instance:write", resource_id="i-basic")
    both = ("instance:view", "instance:write")
    await team.may_not(basic, *both, resource_id="i-developer", because=NOT_OWNER)
    for rid in ("i-basic", "i-developer"):
        await team.may(developer, *both, resource_id=rid)
    await team.may(developer, "budget:view", owner=developer.user_id)
    await team.may_not(developer, "budget:view", owner=basic.user_id, because=NOT_OWNER)
    await team.may_not(developer, "budget:write", owner=developer.user_id)


@pytest.mark.rule("Nv7", "Nv13", "Nv20")
async def admins_manage_each_other_but_not_nia(team: Team) -> None:
    """An admin ends the access of another admin. The only owner is out of reach."""
    admin, second = team.person("admin"), await team.join("second admin", "admin")
    place = f"{team.path}/members/{team.owner.user_id}"
    refused(await admin.send("DELETE", place), 409, "owner-protected")
    refused(await admin.send("PATCH", place, {"role": "basic"}), 409, "owner-protected")
    path = f"{team.path}/members/{second.user_id}"
    for role in ("owner", ""):
        assert (await team.owner.send("PATCH", path, {"role": role})).status == 422, role
    unchanged = (await team.owner.send("PATCH", path, {"role": None})).expect(200, 202)
    assert unchanged["role"] == "admin"
    await team.remove(second, by=admin)
    await team.may_not(second, "instance:view", because=OUTSIDE)
    assert [row["email"] for row in await team.members() if row["owner"]] == [team.owner.email]


@pytest.mark.rule("Nv16")
async def another_role_needs_another_sign_in(team: Team) -> None:
    """The role counts with the answer, and the member's sessions in the team end."""
    who = team.person("developer")
    body = {"account_id": team.account_id}
    switched = (await who.send("POST", "/v1/session/switch", body)).expect(200)
    who.token = switched["access_token"]
    await who.get(team.path)
    await team.give_role(who, "billing", by=team.person("admin"))
    await team.may(who, *MONEY)
    await team.may_not(who, "instance:view")

    async def signed_out() -> bool:
        return (await who.send("GET", team.path)).status == 401

    await wait_for(signed_out, what="the end of the member's session")
    again = await who.send("POST", "/v1/token/refresh", {"refresh_token": who.refresh_token})
    assert again.status == 401
    await who.log_in()
    assert (await who.get(team.path))["role"] == "billing"


@pytest.mark.rule("Nv12", "Nv15", "Nv18")
async def two_hundred_seats_are_all_that_there_are(team: Team) -> None:
    """Open invitations take seats, stand in one list with the members, and can be cancelled."""
    waiting, beyond = team.world.person("Waiting"), team.world.person("One too many")
    filler = team.world.person("Filler")
    for who in (waiting, filler):
        (await team.invite(who, "basic")).expect(201)
    taken = len(await team.members()) - 1  # the owner needs no seat
    await team.repeat_invitation(filler, SEATS - taken - 1)
    last = team.world.person("Last")
    (await team.invite(last, "basic")).expect(201)
    refused(await team.invite(beyond, "basic"), 409, "member-limit")
    counts = (await team.owner.get(f"{team.path}/members?limit=1&counts=true"))["counts"]
    assert counts["active"] + counts["invited"] == SEATS + 1
    [row] = (await team.owner.get(f"{team.path}/members?q={waiting.email}"))["items"]
    assert (row["status"], row["user_id"]) == ("invited", None)
    cancelled = f"{team.path}/invitations/{row['invitation_id']}"
    (await team.owner.send("DELETE", cancelled)).expect(204)
    (await team.invite(beyond, "basic")).expect(201)
    refused(await team.invite(waiting, "basic"), 409, "member-limit")


@pytest.mark.rule("Nv19")
async def owner_and_admin_read_the_log(team: Team) -> None:
    """It has what was done to the team and to its resources; the other roles are refused."""
    admin = team.person("admin")
    changed = await team.records("member.role_changed", "&action=member.role_changed")
    in_order(changed, [("member.role_changed", admin)])
    registered = await team.records("resource.registered", "&resource_type=instance")
    assert {item["resource"]["id"] for item in registered} >= {"i-basic", "i-developer"}
    assert (await admin.get(f"{team.path}/audit-events"))["items"]
    for role in ("developer", "basic", "billing"):
        log = await team.person(role).send("GET", f"{team.path}/audit-events")
        refused(log, 403, MISSING)


@pytest.mark.rule("Nv17", "B9")
async def a_member_is_removed_after_a_look_at_what_ends(team: Team) -> None:
    """The preview names the member and changes nothing; the removal then does just that."""
    who = team.person("basic")
    change = {"type": "member_removal", "user_id": who.user_id}
    shown = await team.preview(change)
    assert (shown["members_concerned"], shown["memberships_ending"]) == (1, 1)
    [lost] = shown["items"]
    assert (lost["user_id"], lost["role"]) == (who.user_id, {"before": "basic", "after": None})
    await team.may(who, "instance:view", resource_id="i-basic")
    await team.remove(who)
    await team.may_not(who, "instance:view", resource_id="i-basic", because=OUTSIDE)
    assert await team.accounts_of(who) == {who.account_id}


@pytest.mark.rule("Nv7", "B3")
async def the_team_gets_another_owner(team: Team) -> None:
    """Nia offers and the admin accepts; until then, and after a refusal, nothing has changed."""
    nia, admin, billing = team.owner, team.person("admin"), team.person("billing")
    path = f"{team.path}/ownership-transfer"
    refused(await admin.send("POST", path, {"user_id": admin.user_id}), 403, "owner-only")
    (await nia.send("POST", path, {"user_id": billing.user_id})).expect(201)
    (await billing.send("POST", f"{path}/decline")).expect(200, 204)
    (await nia.send("POST", path, {"user_id": admin.user_id})).expect(201)
    await team.may(nia, *EXCLUSIVE)
    await team.may_not(admin, *EXCLUSIVE)
    await in_force(admin, await admin.send("POST", f"{path}/accept"), 200)
    await team.may(admin, *EXCLUSIVE)
    await team.may_not(nia, *EXCLUSIVE)
    await admin.log_in()
    assert (await admin.get(team.path))["owner_user_id"] == admin.user_id
    for who, role, owner in ((admin, "owner", True), (nia, "admin", False)):
        row = await admin.get(f"{team.path}/members/{who.user_id}")
        assert (row["role"], row["owner"]) == (role, owner)


STEPS: tuple[Step, ...] = (
    nia_upgrades_her_account,
    members_join_with_a_role_by_the_mailed_link,
    there_is_no_way_back,
    each_role_has_its_own_part,
    a_basic_member_works_with_own_resources,
    admins_manage_each_other_but_not_nia,
    another_role_needs_another_sign_in,
    two_hundred_seats_are_all_that_there_are,
    owner_and_admin_read_the_log,
    a_member_is_removed_after_a_look_at_what_ends,
    the_team_gets_another_owner,
)
