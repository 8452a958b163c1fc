"""Carla's organization: three roles, one of its own, and other rights inside two projects."""

from datetime import timedelta

import pytest

from tests.e2e.journey import in_force
from tests.e2e.people import Link
from tests.e2e.stories.team import MISSING, OUTSIDE, Step, Team, in_order, lifetime, refused

WITHOUT_DELETE = {"billing", "monitoring_and_alerts", "team_management", "api_tokens"}
DELETABLE = {
    "compute_instances",
    "images_and_isos",
    "autoscaling",
    "ssh_keys",
    "user_scripts",
    "networking_vpcs",
    "networking_load_balancers",
    "networking_security_groups",
    "static_ips",
    "databases",
    "object_storage",
    "projects",
}
MANAGED = DELETABLE | WITHOUT_DELETE
VIEWED = MANAGED - {"api_tokens"}
GROUPS = {
    "view": VIEWED,
    "manage": MANAGED,
    "delete": DELETABLE,
}
"""The sixteen service groups with the toggles that each of them has: 43 permissions."""

ROLES = {
    "admin": GROUPS,
    "operator": {
        "view": VIEWED,
        "manage": MANAGED - {"billing", "team_management", "api_tokens"},
        "delete": set[str](),
    },
    "viewer": {
        "view": VIEWED - {"team_management"},
        "manage": set[str](),
        "delete": set[str](),
    },
}
"""What each built-in role holds of them."""


@pytest.mark.rule("Ci1", "Ci2")
async def carla_invites_an_operator_by_mail(team: Team) -> None:
    """The mailed link lasts three days. The newcomer sets name and password, and signs in again."""
    carla = team.person("owner")
    await carla.sign_up()
    await team.convert()
    operator = team.person("operator")
    assert (await team.invite(operator, "operator", delivery="link")).status == 422
    made = (await team.invite(operator, "operator")).expect(201)
    assert made["link"] is None
    assert lifetime(made["invitation"]) == timedelta(hours=72)
    link = await team.mailed(operator)
    forged = Link(f"{link.token[:-4]}AAAA", link.code)
    refused(await operator.sign_up_by(forged), 410, "invitation-not-valid")
    operator.signed_in((await operator.sign_up_by(link)).expect(200, 201))
    await team.join_by(operator, link)
    await operator.log_in()
    assert (await operator.get("/v1/me"))["name"] == operator.name
    assert (await operator.get(team.path))["role"] == "operator"


@pytest.mark.rule("Ci1")
async def after_three_days_a_link_opens_nothing(team: Team) -> None:
    """Another invitation takes the place of the old one."""
    late = team.person("viewer")
    made = (await team.invite(late, "viewer")).expect(201)
    old = await team.mailed(late)
    await team.end_invitation(made["invitation"]["id"])
    refused(await late.sign_up_by(old), 410, "invitation-not-valid")
    (await team.invite(late, "viewer")).expect(201)
    newest = await team.mailed(late, count=2)
    late.signed_in((await late.sign_up_by(newest)).expect(200, 201))
    await team.join_by(late, newest)


@pytest.mark.rule("Ci4")
async def only_the_newest_mail_of_an_invitation_works(team: Team) -> None:
    """An invitation that is sent again has another link, and the first one is closed."""
    admin = team.person("admin")
    made = (await team.invite(admin, "admin")).expect(201)
    first = await team.mailed(admin)
    path = f"{team.path}/invitations/{made['invitation']['id']}/resend"
    (await team.owner.send("POST", path)).expect(200)
    newest = await team.mailed(admin, count=2)
    assert newest.token != first.token
    admin.signed_in((await admin.sign_up_by(newest)).expect(200, 201))
    refused(await team.accept(admin, first), 410, "invitation-not-valid")
    await team.join_by(admin, newest)


@pytest.mark.rule("Ci6", "Ci7", "Ci8", "Ci12")
async def the_three_roles_hold_their_toggles(team: Team) -> None:
    """All 43 permissions are as described for each role, in the own table and in decisions."""
    assert (len(MANAGED), sum(map(len, GROUPS.values()))) == (16, 43)
    for role, held in ROLES.items():
        who = team.person(role)
        table = (await who.get(f"{team.path}/me/permissions"))["table"]
        found = {
            level: {group for group in groups if table[group][level] == "all"}
            for level, groups in GROUPS.items()
        }
        assert found == held, role
    admin, operator, viewer = (team.person(role) for role in ROLES)
    everything = [f"{group}:{level}" for level in GROUPS for group in ("databases", "projects")]
    await team.may(admin, *everything, "member:invite", "api_tokens:manage", "billing:manage")
    await team.may(operator, "databases:manage", "billing:view", "team_management:view")
    await team.may_not(operator, "databases:delete", "billing:manage", "member:invite")
    await team.may(viewer, "databases:view", "billing:view")
    await team.may_not(viewer, "databases:manage", "member:view", "api_tokens:manage")


@pytest.mark.rule("Ci12")
async def the_routes_refuse_what_a_role_does_not_hold(team: Team) -> None:
    """The server refuses a viewer and an operator by itself, whichever page they came from."""
    owner, operator, viewer = team.owner, team.person("operator"), team.person("viewer")
    tries = (
        ("POST", "invitations", {"email": "a.friend@example.com", "role": "viewer"}),
        ("PATCH", f"members/{viewer.user_id}", {"role": "operator"}),
        ("DELETE", f"members/{owner.user_id}", None),
        ("POST", "roles", {"name": "Mine", "grants": {"databases": {"view": "all"}}}),
        ("GET", "audit-events", None),
    )
    for who in (operator, viewer):
        for method, path, body in tries:
            refused(await who.send(method, f"{team.path}/{path}", body), 403, MISSING)
    for path in ("members", "roles"):
        refused(await viewer.send("GET", f"{team.path}/{path}"), 403, MISSING)
        assert (await operator.get(f"{team.path}/{path}"))["items"]


@pytest.mark.rule("Ci7", "Ci3", "Ci14")
async def an_admin_manages_everyone_but_carla(team: Team) -> None:
    """Roles change at any time. The log names the admin, although the account is Carla's."""
    admin, viewer, owner = team.person("admin"), team.person("viewer"), team.owner
    place = f"{team.path}/members/{owner.user_id}"
    for answer in (
        await admin.send("DELETE", place),
        await admin.send("PATCH", place, {"role": "viewer"}),
    ):
        refused(answer, 409, "owner-protected")
    await team.may(owner, "team_management:manage")
    for role, allowed in (("operator", True), ("viewer", False)):
        await team.give_role(viewer, role, by=admin)
        check = team.may if allowed else team.may_not
        await check(viewer, "databases:manage")
    records = await team.records("member.role_changed")
    in_order(records, [("member.joined", admin), ("member.role_changed", admin)])


@pytest.mark.rule("Ci8", "Ci3")
async def carla_makes_a_role_of_her_own(team: Team) -> None:
    """It has a description and toggles of any combination: managing without viewing, too."""
    grants = {
        "databases": {"view": "all", "manage": "all"},
        "object_storage": {"delete": "all"},
        "compute_instances": {"view": "all", "manage": "all"},
        "account": {"view": "all"},
        "projects": {"view": "all"},
    }
    role = await team.make_role("Developer", grants, "Builds, and cleans up old buckets")
    shown = await team.owner.get(f"{team.path}/roles/{role}")
    assert (shown["name"], shown["description"]) == (
        "Developer",
        "Builds, and cleans up old buckets",
    )
    who = await team.join("developer", role)
    await team.may(who, "databases:manage", "object_storage:delete", "compute_instances:manage")
    await team.may_not(who, "databases:delete", "object_storage:view", "billing:view")
    body = {"grants": grants | {"databases": {"view": "all"}}}
    narrowed = await team.owner.send("PATCH", f"{team.path}/roles/{role}", body)
    await in_force(team.owner, narrowed, 200)
    await team.may_not(who, "databases:manage")


@pytest.mark.rule("Ci9")
async def the_developer_has_other_rights_inside_two_projects(team: Team) -> None:
    """More in one and less in the other; the role applies elsewhere, and again afterwards."""
    who = team.person("developer")
    development, production = (
        await team.make_project("Development"),
        await team.make_project("Production"),
    )
    more = {"databases": {"view": "all", "manage": "all", "delete": "all"}}
    await team.override(who, development, more)
    await team.override(who, production, {"compute_instances": {"view": "all"}})
    await team.may(who, "databases:manage", "databases:delete", project=development)
    await team.may_not(who, "compute_instances:view", project=development)
    await team.may(who, "compute_instances:view", project=production)
    await team.may_not(who, "compute_instances:manage", "databases:view", project=production)
    await team.may(who, "compute_instances:manage", "databases:view")
    assert (await who.get(team.path))["role_title"] == "Developer"

    path = f"{team.path}/projects/{production}/overrides/{who.user_id}"
    for group in ("billing", "team_management", "api_tokens"):
        body = {"grants": {group: {"manage": "all"}}}
        assert (await team.owner.send("PUT", path, body)).status == 422, group
    lifted = await team.owner.send("DELETE", path)
    await in_force(team.owner, lifted, 204)
    await team.may(who, "compute_instances:manage", "databases:view", project=production)


@pytest.mark.rule("Ci13")
async def members_share_the_resources_of_the_account(team: Team) -> None:
    """An instance that Carla made is there for the viewer. The accounts of their own stay apart."""
    viewer, owner = team.person("viewer"), team.owner
    await team.may(viewer, "compute_instances:view", owner=owner.user_id)
    alone = {"account": viewer.account_id, "owner": viewer.user_id}
    world = team.world
    assert await world.decision(viewer.user_id, "instance:view", **alone) == "allowed"
    assert await world.decision(owner.user_id, "instance:view", **alone) == OUTSIDE
    refused(await owner.send("GET", f"/v1/accounts/{viewer.account_id}"), 404, "not-found")


@pytest.mark.rule("Ci5", "Ci14")
async def the_developer_leaves_the_company(team: Team) -> None:
    """All access ends with the removal, inside the projects too."""
    who, admin = team.person("developer"), team.person("admin")
    [development] = [
        item["id"]
        for item in (await team.owner.get(f"{team.path}/projects"))["items"]
        if item["name"] == "Development"
    ]
    await team.remove(who, by=admin)
    await team.may_not(who, "compute_instances:view", "databases:view", because=OUTSIDE)
    await team.may_not(who, "databases:delete", project=development, because=OUTSIDE)
    refused(await who.send("GET", team.path), 404, "not-found")
    in_order(await team.records("member.removed"), [("member.removed", admin)])


STEPS: tuple[Step, ...] = (
    carla_invites_an_operator_by_mail,
    after_three_days_a_link_opens_nothing,
    only_the_newest_mail_of_an_invitation_works,
    the_three_roles_hold_their_toggles,
    the_routes_refuse_what_a_role_does_not_hold,
    an_admin_manages_everyone_but_carla,
    carla_makes_a_role_of_her_own,
    the_developer_has_other_rights_inside_two_projects,
    members_share_the_resources_of_the_account,
    the_developer_leaves_the_company,
)
