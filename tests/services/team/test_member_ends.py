"""Memberships that end by themselves, and suspension, as members and invitees see them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Team

DAY = 24 * 3600


def path_of(account: Account, person: Person) -> str:
    return f"{account.path}/members/{person.user_id}"


def in_days(team: Team, days: int) -> str:
    return (team.clock.now() + timedelta(days=days)).isoformat()


@pytest.mark.rule("B4")
async def test_a_membership_ends_by_itself_and_is_renewed(team: Team) -> None:
    """The override of the membership comes back with it."""
    account = await team.account()
    member = await account.join("developer", "Bea")
    path, owner = path_of(account, member), account.owner
    project = (await owner.send("POST", f"{account.path}/projects", {"name": "p"})).expect(201)
    place = f"{account.path}/projects/{project['id']}/overrides/{member.user_id}"
    (await owner.send("PUT", place, {"grants": {}})).expect(200)

    ends = in_days(team, 5)
    changed = (await owner.send("PATCH", path, {"expires_at": ends})).expect(200)
    assert (changed["status"], changed["role"]) == ("active", "developer")
    [told] = await team.rows("member.end_set")
    assert told.before == {"expires_at": None}
    assert told.policy_objects[0].state is not None

    team.clock.move(5 * DAY)
    assert (await member.send("GET", account.path)).status == 404
    assert (await member.send("POST", f"{account.path}/leave")).status == 404
    mine = await member.get("/v1/me/accounts")
    assert account.id not in [item["id"] for item in mine["items"]]
    [expired] = (await owner.get(f"{account.path}/members?status=expired"))["items"]
    assert (expired["user_id"], expired["status"]) == (member.user_id, "expired")
    shown = await owner.get(f"{path}/access")
    assert (shown["denied"], shown["status"]) == ("membership-expired", "expired")

    past = await owner.send("PATCH", path, {"expires_at": in_days(team, -1)})
    assert (past.status, past.body["errors"][0]["pointer"]) == (422, "/expires_at")
    (await owner.send("PATCH", path, {"expires_at": None})).expect(200)
    assert (await member.get(account.path))["id"] == account.id
    inside = await member.get(f"{account.path}/me/permissions?project={project['id']}")
    assert "instance:view" not in inside["permissions"]


@pytest.mark.rule("B4", "B5")
async def test_an_invitation_gives_a_membership_until_its_end(team: Team) -> None:
    account = await team.account()
    admin = await account.join("admin")
    (
        await account.owner.send("PATCH", path_of(account, admin), {"expires_at": in_days(team, 9)})
    ).expect(200)
    invitations = f"{account.path}/invitations"
    body: dict[str, Any] = {"email": "guest@example.com", "role": "basic"}
    for days in (None, 10):
        late = {} if days is None else {"membership_expires_at": in_days(team, days)}
        refused = await admin.send("POST", invitations, body | late)
        assert (refused.status, refused.code) == (403, "end-exceeded"), days
    ends = in_days(team, 2)
    made = await admin.send("POST", invitations, body | {"membership_expires_at": ends})
    invitation = made.expect(201)["invitation"]
    assert invitation["expires_at"] == invitation["membership_expires_at"]

    guest = await team.person("Guest", "guest@example.com")
    proof = await team.proof(invitation["id"])
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)
    shown = await account.owner.get(path_of(account, guest))
    assert shown["expires_at"] == invitation["membership_expires_at"]
    team.clock.move(2 * DAY)
    assert (await guest.send("GET", account.path)).status == 404


@pytest.mark.rule("B4", "B5")
@pytest.mark.parametrize("holder", ["member", "invitation"])
async def test_a_role_is_not_widened_for_longer_than_its_editor_stays(
    team: Team, holder: str
) -> None:
    """Nor is it replaced by one that gives more; to narrow it or to name it gives nothing."""
    account = await team.account()
    admin = await account.join("admin")
    owner, place = account.owner, path_of(account, admin)
    (await owner.send("PATCH", place, {"expires_at": in_days(team, 9)})).expect(200)
    seen: dict[str, Any] = {"account": {"view": "all"}, "job": {"view": "all"}}
    body = {"name": "Watch", "grants": seen}
    role = (await owner.send("POST", f"{account.path}/roles", body)).expect(201)["id"]
    path, more = f"{account.path}/roles/{role}", {"grants": seen | {"job": {"write": "all"}}}
    if holder == "member":
        member = await account.join(role, "Mia")
        give_an_end: Any = ("PATCH", path_of(account, member), {"expires_at": in_days(team, 5)})
    else:
        invitations = f"{account.path}/invitations"
        guest = {"email": "guest@example.com", "role": role}
        (await owner.send("POST", invitations, guest)).expect(201)
        give_an_end = None
    for method, to, change in (
        ("PATCH", path, more),
        ("DELETE", f"{path}?replacement=developer", None),
    ):
        refused = await admin.send(method, to, change)
        assert (refused.status, refused.code) == (403, "end-exceeded"), (method, refused.body)
    (await admin.send("PATCH", path, {"name": "Look"})).expect(200)
    (await admin.send("PATCH", path, {"grants": {"account": {"view": "all"}}})).expect(200)
    if give_an_end is not None:
        (await owner.send(*give_an_end)).expect(200)
        (await admin.send("PATCH", path, more)).expect(200)
    (await owner.send("PATCH", path, more)).expect(200)


@pytest.mark.rule("B4", "Rp5")
async def test_an_end_hands_over_the_invitations_that_outlast_it(team: Team) -> None:
    """A link does not stop working because its inviter's time is over."""
    account = await team.account()
    admin = await account.join("admin")
    invitations = f"{account.path}/invitations"
    for email, ends in (("long@example.com", None), ("short@example.com", in_days(team, 1))):
        body = {"email": email, "role": "basic", "membership_expires_at": ends}
        (await admin.send("POST", invitations, body)).expect(201)
    changed = await account.owner.send(
        "PATCH", path_of(account, admin), {"expires_at": in_days(team, 2)}
    )
    assert [one["email"] for one in changed.expect(200)["passed_invitations"]] == [
        "long@example.com"
    ]
    team.clock.move(3 * DAY)
    listed = {one["email"]: one for one in (await account.owner.get(invitations))["items"]}
    assert listed["long@example.com"]["invited_by"] == account.owner.user_id
    guest = await team.person("Guest", "long@example.com")
    proof = await team.proof(listed["long@example.com"]["id"])
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)


async def test_an_invitation_whose_membership_would_be_over_is_not_resent(team: Team) -> None:
    account = await team.account()
    body = {"email": "a@example.com", "role": "basic", "membership_expires_at": in_days(team, 1)}
    made = await account.owner.send("POST", f"{account.path}/invitations", body)
    path = f"{account.path}/invitations/{made.expect(201)['invitation']['id']}/resend"
    sent = (await account.owner.send("POST", path)).expect(200)["invitation"]
    assert sent["expires_at"] == sent["membership_expires_at"]
    team.clock.move(DAY)
    refused = await account.owner.send("POST", path)
    assert (refused.status, refused.code) == (409, "membership-end-past")


@pytest.mark.rule("B5", "Rp5")
async def test_a_suspended_member_finds_nothing_until_they_are_resumed(team: Team) -> None:
    account = await team.account()
    admin, other = await account.join("admin", "Bea"), await account.join("viewer")
    path, owner = path_of(account, admin), account.owner
    proof = await account.invite("guest@example.com", "basic", by=admin)
    (await other.send("POST", f"{path}/suspend")).expect(403)
    assert (await admin.send("POST", f"{path}/suspend")).code == "not-yourself"
    of_owner = await admin.send("POST", f"{path_of(account, owner)}/suspend")
    assert (of_owner.status, of_owner.code) == (409, "owner-protected")

    suspended = await owner.send("POST", f"{path}/suspend")
    assert suspended.expect(200)["status"] == "suspended"
    assert [one["email"] for one in suspended.body["passed_invitations"]] == ["guest@example.com"]
    assert suspended.headers["Rolecall-Revision"]
    again = (await owner.send("POST", f"{path}/suspend")).expect(200)
    assert (again["status"], again["passed_invitations"]) == ("suspended", [])
    for method, target in (("GET", account.path), ("POST", f"{account.path}/leave")):
        assert (await admin.send(method, target)).status == 404
    mine = await admin.get("/v1/me/accounts")
    assert [item["id"] for item in mine["items"]] == [admin.account_id]
    assert (await owner.get(f"{path}/access"))["denied"] == "membership-suspended"
    guest = await team.person("Guest", "guest@example.com")
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)

    assert (await owner.send("POST", f"{path}/resume")).expect(200)["status"] == "active"
    assert (await owner.send("POST", f"{path}/resume")).expect(200)["status"] == "active"
    assert (await admin.get(account.path))["id"] == account.id
    told = [*await team.rows("member.suspended"), *await team.rows("member.resumed")]
    assert [(row.before, row.after) for row in told] == [
        ({"status": "active"}, {"status": "suspended"}),
        ({"status": "suspended"}, {"status": "active"}),
    ]


async def test_the_access_of_a_member_names_where_each_cell_comes_from(team: Team) -> None:
    account = await team.account()
    member, viewer = await account.join("developer", "Bea"), await account.join("viewer")
    owner, ids = account.owner, {}
    for name in ("a", "b"):
        made = await owner.send("POST", f"{account.path}/projects", {"name": name})
        ids[name] = made.expect(201)["id"]
    place = f"{account.path}/projects/{ids['b']}/overrides/{member.user_id}"
    (await owner.send("PUT", place, {"grants": {"instance": {"view": "all"}}})).expect(200)

    path = f"{path_of(account, member)}/access"
    first = await owner.get(f"{path}?limit=1")
    second = await owner.get(f"{path}?limit=1&cursor={first['next_cursor']}")
    [inside] = second["items"]
    assert [first["items"][0]["name"], inside["name"], second["next_cursor"]] == ["a", "b", None]
    assert inside["cells"]["instance"]["write"] == {"scope": None, "source": "override"}
    assert inside["cells"]["instance"]["view"] == {"scope": "all", "source": "override"}
    assert inside["override"] == {"expires_at": None, "expired": False}
    assert first["items"][0]["cells"]["instance"]["write"]["source"] == "role"
    assert first["cells"]["member"]["remove"] == {"scope": None, "source": "nothing"}
    assert (await owner.get(f"{path}?project={ids['b']}"))["items"] == [inside]
    mine = await member.get(f"{account.path}/me/access")
    assert (mine["items"], mine["cells"]) == (first["items"], first["cells"])
    (await viewer.send("GET", f"{path}?project={ids['a'][:-1]}")).expect(422)
    own = await owner.get(f"{account.path}/me/access?limit=1")
    assert own["cells"]["account"]["view"] == {"scope": "all", "source": "owner"}


async def test_attributes_are_replaced_and_shown(team: Team) -> None:
    account = await team.account()
    member = await account.join("basic")
    path, owner = path_of(account, member), account.owner
    attributes = {"department": "sales", "level": 3, "on_call": True, "rate": 0.5}
    for sent in (attributes, {"level": 4}):
        changed = (await owner.send("PATCH", path, {"attributes": sent})).expect(200)
        assert changed["attributes"] == sent == (await owner.get(path))["attributes"]
    (await owner.send("PATCH", path, {"attributes": {"level": [1]}})).expect(422)
    await owner.send("PATCH", path, {"role": "viewer"})
    assert (await owner.get(path))["attributes"] == {"level": 4}
    assert len(await team.rows("member.attributes_set")) == 2
