"""Rosa rents machines, lets colleagues in, each with one of four roles, and works alone again."""

import pytest

from tests.e2e.journey import in_force
from tests.e2e.people import Link
from tests.e2e.stories.team import MISSING, OUTSIDE, Step, Team, in_order, lifetime, refused

EVERYONE = {"basic", "billing", "dev", "admin"}
HOLDERS = {
    "access_team_account": EVERYONE,
    "connect_to_existing_pods": EVERYONE - {"billing"},
    "send_requests_to_serverless_endpoints": EVERYONE - {"billing"},
    "create_delete_start_stop_pods": {"dev", "admin"},
    "create_delete_serverless_endpoints": {"dev", "admin"},
    "view_billing_information": {"billing", "admin"},
    "manage_payment_methods": {"billing", "admin"},
    "invite_team_members": {"admin"},
    "manage_team_permissions": {"admin"},
    "modify_team_account_settings": {"admin"},
    "access_audit_logs": {"admin"},
}
"""Each row of the permission table, and the roles that hold it."""


@pytest.mark.rule("Rp1")
async def rosa_signs_up_for_herself(team: Team) -> None:
    """Her own account works before there is a team."""
    rosa = team.person("owner")
    await rosa.sign_up()
    assert (await rosa.get(team.path))["kind"] == "personal"
    await team.may(rosa, "instance:write", owner=rosa.user_id)


@pytest.mark.rule("Rp2")
async def she_makes_a_team_of_her_account(team: Team) -> None:
    """The account stays the same one, and she is its admin."""
    converted = await team.convert()
    assert (converted["id"], converted["kind"]) == (team.owner.account_id, "team")
    assert (converted["role"], converted["owner"]) == ("admin", True)


@pytest.mark.rule("Rp1", "Rp4", "Rp7")
async def colleagues_join_each_with_one_role(team: Team) -> None:
    """Some come by a mail, one by a link that Rosa hands over; the invitation sets the role."""
    offer = {"email": team.person("dev").email, "role": ["dev", "billing"]}
    answer = await team.owner.send("POST", f"{team.path}/invitations", offer)
    assert answer.status == 422, answer.body
    for role in sorted(EVERYONE):
        who = await team.join(role, role, delivery="link" if role == "basic" else "email")
        assert (await who.get(team.path))["role"] == role
        assert await team.accounts_of(who) == {who.account_id, team.account_id}
        await team.may(who, "access_team_account:allow")


@pytest.mark.rule("Rp5", "Rp6")
async def a_link_works_until_it_is_used_or_revoked(team: Team) -> None:
    """Links have no end, the open ones are listed, and each of the two ways closes one."""
    late, unwanted = team.person("late"), team.person("unwanted")
    await late.sign_up()
    await unwanted.sign_up()
    used = (await team.invite(late, "basic", delivery="link")).expect(201)
    revoked = (await team.invite(unwanted, "basic", delivery="link")).expect(201)
    assert lifetime(used["invitation"]) is None
    listed = (await team.owner.get(f"{team.path}/invitations"))["items"]
    assert {item["email"]: item["expires_at"] for item in listed} == {
        late.email: None,
        unwanted.email: None,
    }
    closed = f"{team.path}/invitations/{revoked['invitation']['id']}"
    (await team.owner.send("DELETE", closed)).expect(204)
    not_valid = await team.accept(unwanted, Link.in_text(revoked["link"]["url"]))
    refused(not_valid, 410, "invitation-not-valid")
    link = Link.in_text(used["link"]["url"])
    await team.join_by(late, link)
    refused(await team.accept(unwanted, link), 410, "invitation-not-valid")
    assert (await team.owner.get(f"{team.path}/invitations"))["items"] == []


@pytest.mark.rule("Rp8", "Rp9", "Rp10", "Rp11", "Rp12")
async def each_role_may_do_what_the_table_says(team: Team) -> None:
    """The four roles are all that there are, and every cell is decided as the table has it."""
    roles = (await team.owner.get(f"{team.path}/roles"))["items"]
    assert {role["id"] for role in roles} == EVERYONE
    found: dict[str, set[str]] = {entry: set() for entry in HOLDERS}
    for role in EVERYONE:
        decided = await team.decisions(team.person(role), [f"{entry}:allow" for entry in HOLDERS])
        for entry in HOLDERS:
            if decided[f"{entry}:allow"] == "allowed":
                found[entry].add(role)
    assert found == HOLDERS
    await team.may(team.person("dev"), "pod:create", "pod:stop", "endpoint:delete")
    await team.may_not(team.person("basic"), "pod:create", "pod:stop", "endpoint:delete")


@pytest.mark.rule("Rp12", "Rp16")
async def only_admins_manage_the_team(team: Team) -> None:
    """The others are refused by the routes, too. A member gets the least role that is enough."""
    guest, admin = team.world.person("Guest"), team.person("admin")
    for role in ("basic", "billing", "dev"):
        who = team.person(role)
        refused(await team.invite(guest, "basic", by=who), 403, MISSING)
        member = f"{team.path}/members/{team.person('late').user_id}"
        refused(await who.send("PATCH", member, {"role": "admin"}), 403, MISSING)
        refused(await who.send("DELETE", member), 403, MISSING)
        refused(await who.send("PATCH", team.path, {"name": "Mine"}), 403, MISSING)
    (await team.invite(guest, "basic", by=admin, delivery="link")).expect(201)
    dev = team.person("dev")
    await team.give_role(dev, "basic", by=admin)
    await team.may_not(dev, "create_delete_start_stop_pods:allow")
    await team.may(dev, "connect_to_existing_pods:allow")
    await team.remove(team.person("late"), by=admin)
    await team.may_not(team.person("late"), "access_team_account:allow", because=OUTSIDE)


@pytest.mark.rule("Rp13", "Rp14", "Rp15")
async def the_audit_log_tells_who_did_what_when(team: Team) -> None:
    """It has what was done and what was refused, can be filtered, and is for admins."""
    owner, admin, dev, late = (
        team.owner,
        team.person("admin"),
        team.person("dev"),
        team.person("late"),
    )
    records = await team.records("member.removed")
    expected = [
        ("account.converted", owner),
        ("invitation.created", owner),
        ("member.joined", admin),
        ("member.joined", dev),
        ("invitation.revoked", owner),
        ("member.joined", late),
        ("member.role_changed", admin),
        ("member.removed", admin),
    ]
    in_order(records, expected)
    for item in records:
        assert item["occurred_at"]
        assert item["resource"]["type"]
        assert item["resource"]["id"]
    assert {item["actor"]["id"] for item in records if item["outcome"] == "denied"} >= {
        team.person(role).user_id for role in ("basic", "billing", "dev")
    }
    [removed] = [item for item in records if item["action"] == "member.removed"]
    for query, others in (
        (f"&user={admin.user_id}", {"invitation.created", "member.role_changed"}),
        ("&action=member.removed", set()),
        (f"&resource_type=member&resource_id={late.user_id}", {"member.joined"}),
        (f"&from={removed['occurred_at'].replace('+', '%2B')}", None),
    ):
        found = {item["action"] for item in await team.records("member.removed", query)}
        assert "account.converted" not in found
        assert others is None or found >= {"member.removed", *others}
    for role in ("basic", "billing", "dev"):
        log = await team.person(role).send("GET", f"{team.path}/audit-events")
        refused(log, 403, MISSING)
    await admin.get(f"{team.path}/audit-events")


@pytest.mark.rule("Rp3", "Rp2")
async def rosa_ends_the_team_and_may_begin_again(team: Team) -> None:
    """Only she can, with the typed name. The others keep their own accounts and nothing else."""
    admin, basic = team.person("admin"), team.person("basic")
    path, confirmed = f"{team.path}/revert", {"confirm": team.name}
    refused(await admin.send("POST", path, confirmed), 403, "owner-only")
    wrong = await team.owner.send("POST", path, {"confirm": "Another team"})
    assert wrong.code == "confirmation-wrong"
    await team.may(basic, "connect_to_existing_pods:allow")
    await in_force(team.owner, await team.owner.send("POST", path, confirmed), 200)
    assert (await team.owner.get(team.path))["kind"] == "personal"
    for who in (admin, basic):
        await team.may_not(who, "connect_to_existing_pods:allow", because=OUTSIDE)
        refused(await who.send("GET", team.path), 404, "not-found")
        assert await team.accounts_of(who) == {who.account_id}
    await team.may(team.owner, "create_delete_start_stop_pods:allow")
    await team.records("account.reverted")
    assert (await team.convert())["kind"] == "team"
    await team.may_not(admin, "access_team_account:allow", because=OUTSIDE)


STEPS: tuple[Step, ...] = (
    rosa_signs_up_for_herself,
    she_makes_a_team_of_her_account,
    colleagues_join_each_with_one_role,
    a_link_works_until_it_is_used_or_revoked,
    each_role_may_do_what_the_table_says,
    only_admins_manage_the_team,
    the_audit_log_tells_who_did_what_when,
    rosa_ends_the_team_and_may_begin_again,
)
