"""Members: the list, roles, removal, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Team

OWNERS_MATTERS = {
    "change the owner's role": ("PATCH", {"role": "developer"}, "owner-protected"),
    "remove the owner": ("DELETE", None, "owner-protected"),
}


@pytest.mark.rule("Ci7", "Nv20")
@pytest.mark.parametrize("what", OWNERS_MATTERS)
async def test_not_even_an_admin_changes_or_removes_the_owner(team: Team, what: str) -> None:
    method, body, code = OWNERS_MATTERS[what]
    account = await team.account()
    admin = await account.join("admin")
    for person in (admin, account.owner):
        answer = await person.send(method, f"{account.path}/members/{account.owner.user_id}", body)
        assert (answer.status, answer.code) == (409, code)


@pytest.mark.rule("Nv7")
async def test_the_owner_cannot_leave(team: Team) -> None:
    account = await team.account()
    answer = await account.owner.send("POST", f"{account.path}/leave")
    assert (answer.status, answer.code) == (409, "owner-cannot-leave")


@pytest.mark.rule("Nv20", "Ci5", "Ro14", "Ro16")
async def test_an_admin_revokes_the_access_of_another_admin(team: Team) -> None:
    account = await team.account("novita")
    first, second = await account.join("admin", "First"), await account.join("admin", "Second")
    answer = await first.send("DELETE", f"{account.path}/members/{second.user_id}")
    answer.expect(204)
    assert answer.headers["Rolecall-Revision"]
    assert (await second.send("GET", account.path)).status == 404
    assert (await second.get(second.path))["kind"] == "personal"


@pytest.mark.rule("Ci3", "Nv16")
async def test_a_role_changes_at_any_time_and_says_whether_sessions_end(team: Team) -> None:
    for catalog, ends in (("standard", False), ("novita", True)):
        account = await team.account(catalog)
        member = await account.join("basic")
        answer = await account.owner.send(
            "PATCH", f"{account.path}/members/{member.user_id}", {"role": "developer"}
        )
        assert answer.expect(200)["role"] == "developer"
        told = [
            row for row in await team.rows("member.role_changed") if row.account_id == account.id
        ]
        assert [row.data["ends_sessions"] for row in told] == [ends]
        assert told[0].before == {"role": "basic"}
        assert told[0].actor.name == "Owner"
        assert told[0].policy_objects[0].state is not None
        assert told[0].policy_objects[0].state["role"] == "developer"


async def test_giving_a_member_their_own_role_changes_nothing(team: Team) -> None:
    account = await team.account()
    member = await account.join("basic")
    path = f"{account.path}/members/{member.user_id}"
    answer = await account.owner.send("PATCH", path, {"role": "basic"})
    assert answer.expect(200)["role"] == "basic"
    assert "Rolecall-Revision" not in answer.headers
    assert await team.rows("member.role_changed") == []


@pytest.mark.parametrize("role", ["owner", "none", "Admin"])
async def test_only_an_assignable_role_of_the_catalog_is_assigned(team: Team, role: str) -> None:
    account = await team.account()
    member = await account.join("basic")
    path = f"{account.path}/members/{member.user_id}"
    answer = await account.owner.send("PATCH", path, {"role": role})
    assert (answer.status, answer.code) == (422, "role-unknown")
    assert answer.body["errors"][0]["pointer"] == "/role"


async def test_leaving_revokes_access_and_rejoining_creates_a_new_membership(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    before = await account.owner.get(f"{account.path}/members/{member.user_id}")
    (await member.send("POST", f"{account.path}/leave")).expect(204)
    assert (await member.send("GET", account.path)).status == 404
    assert (await member.send("POST", f"{account.path}/leave")).status == 404
    proof = await account.invite(member.email, "developer")
    (await member.send("POST", "/v1/invitations/accept", proof)).expect(200)
    after = await account.owner.get(f"{account.path}/members/{member.user_id}")
    assert after["membership_id"] != before["membership_id"]


async def test_the_owner_and_those_who_remove_members_are_told_of_a_leave(team: Team) -> None:
    account = await team.account()
    admin, leaver = await account.join("admin"), await account.join("admin", "Leaver")
    await account.join("developer")
    (await leaver.send("POST", f"{account.path}/leave")).expect(204)
    [left] = await team.rows("member.left")
    assert left.data["manager_emails"] == [account.owner.email, admin.email]


async def test_a_new_membership_has_nothing_of_the_old_one(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    place = f"{account.path}/projects/{project['id']}/overrides"
    grants = {"grants": {"instance": {"view": "all"}}}
    (await account.owner.send("PUT", f"{place}/{member.user_id}", grants)).expect(200)
    (await account.owner.send("DELETE", f"{account.path}/members/{member.user_id}")).expect(204)
    proof = await account.invite(member.email, "developer")
    (await member.send("POST", "/v1/invitations/accept", proof)).expect(200)
    assert (await account.owner.get(place))["items"] == []
    inside = await member.get(f"{account.path}/me/permissions?project={project['id']}")
    assert inside["permissions"]["instance:write"] in {"all", "self"}


ENDINGS = ("member.removed", "member.left")


@pytest.mark.parametrize("action", ENDINGS)
async def test_the_record_shows_which_overrides_ended_with_a_membership(
    team: Team, action: str
) -> None:
    account = await team.account()
    member, other = await account.join("developer"), await account.join("basic", "Other")
    path = f"{account.path}/projects"
    ids = [
        str((await account.owner.send("POST", path, {"name": name})).expect(201)["id"])
        for name in ("a", "b", "c")
    ]
    for person, project_id in ((member, ids[1]), (member, ids[0]), (other, ids[2])):
        place = f"{path}/{project_id}/overrides/{person.user_id}"
        (await account.owner.send("PUT", place, {"grants": {}})).expect(200)
    shown = await account.owner.get(f"{account.path}/members/{member.user_id}")
    if action == "member.removed":
        ended = await account.owner.send("DELETE", f"{account.path}/members/{member.user_id}")
    else:
        ended = await member.send("POST", f"{account.path}/leave")
    ended.expect(204)
    [told] = await team.rows(action)
    assert told.before == {
        "role": "developer",
        "membership_id": shown["membership_id"],
        "overridden_in": sorted(ids[:2]),
    }


@pytest.mark.rule("Nv15", "Ro13")
async def test_members_and_invitations_are_in_one_list(team: Team) -> None:
    account = await team.account()
    await account.join("developer", "Zoe Last")
    await account.join("basic", "Bo First")
    await account.invite("old@example.com", "basic")
    team.clock.move(8 * 24 * 3600)
    await account.invite("new@example.com", "billing")
    everyone = await account.owner.get(f"{account.path}/members")
    shown = [(item["name"] or item["email"], item["status"]) for item in everyone["items"]]
    assert shown == [
        ("Bo First", "active"),
        ("new@example.com", "invited"),
        ("old@example.com", "expired"),
        ("Owner", "active"),
        ("Zoe Last", "active"),
    ]
    for status, names in {
        "active": ["Bo First", "Owner", "Zoe Last"],
        "invited": [None],
        "expired": [None],
        "suspended": [],
    }.items():
        found = await account.owner.get(f"{account.path}/members?status={status}")
        assert [item["name"] for item in found["items"]] == names


SORTS = {
    "name": ["Ana", "Bo", "Owner"],
    "-name": ["Owner", "Bo", "Ana"],
    "role": ["Bo", "Ana", "Owner"],
    "since": ["Owner", "Ana", "Bo"],
    "-since": ["Bo", "Ana", "Owner"],
}


async def test_the_list_is_searched_sorted_and_paged(team: Team) -> None:
    account = await team.account()
    for role, name in (("developer", "Ana"), ("basic", "Bo")):
        team.clock.move(1)
        await account.join(role, name)
    found = await account.owner.get(f"{account.path}/members?q=BO")
    assert [item["name"] for item in found["items"]] == ["Bo"]
    assert (await account.owner.get(f"{account.path}/members?q=.*"))["items"] == []
    found = await account.owner.get(f"{account.path}/members?role=basic")
    assert [item["name"] for item in found["items"]] == ["Bo"]
    bad = await account.owner.send("GET", f"{account.path}/members?role=.*")
    assert (bad.status, bad.body["errors"][0]["pointer"]) == (422, "/query/role")
    for sort, names in SORTS.items():
        seen, cursor = [], ""
        while True:
            page = await account.owner.get(
                f"{account.path}/members?limit=1&sort={sort}{cursor and '&cursor=' + cursor}"
            )
            seen += [item["name"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = page["next_cursor"]
        assert seen == names, sort
    first = await account.owner.get(f"{account.path}/members?limit=1&sort=name")
    for sort in ("-name", "since"):
        query = f"limit=1&sort={sort}&cursor={first['next_cursor']}"
        other = await account.owner.send("GET", f"{account.path}/members?{query}")
        assert (other.status, other.body["errors"][0]["pointer"]) == (422, "/query/cursor")
    bad = await account.owner.send("GET", f"{account.path}/members?cursor=nonsense")
    assert (bad.status, bad.body["errors"][0]["pointer"]) == (422, "/query/cursor")


async def with_an_invitation_of(person: Person, path: str) -> str:
    body = {"email": "guest@example.com", "role": "basic"}
    answer = await person.send("POST", f"{path}/invitations", body)
    return str(answer.expect(201)["invitation"]["id"])


@pytest.mark.rule("Rp5")
async def test_invitations_outlive_their_inviter(team: Team) -> None:
    """A link does not stop working unnoticed."""
    account = await team.account()
    first, second = await account.join("admin", "First"), await account.join("admin", "Second")
    invitation_id = await with_an_invitation_of(first, account.path)
    await second.send("DELETE", f"{account.path}/members/{first.user_id}")
    [passed] = await team.rows("invitation.passed")
    assert passed.data["to_user_id"] == second.user_id
    assert passed.change_id == (await team.rows("member.removed"))[0].change_id

    path = f"{account.path}/members/{second.user_id}"
    (await account.owner.send("PATCH", path, {"role": "basic"})).expect(200)
    (await second.send("POST", f"{account.path}/leave")).expect(204)
    told = await team.rows("invitation.passed")
    assert [row.data["to_user_id"] for row in told] == [second.user_id, account.owner.user_id]
    guest = await team.person("Guest", "guest@example.com")
    proof = await team.proof(invitation_id)
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)


async def test_an_invitation_keeps_an_inviter_who_may_still_give_the_role(team: Team) -> None:
    account = await team.account()
    first = await account.join("admin", "First")
    await with_an_invitation_of(first, account.path)
    other = await account.join("basic", "Other")
    path = f"{account.path}/members/{other.user_id}"
    (await account.owner.send("PATCH", path, {"role": "billing"})).expect(200)
    assert await team.rows("invitation.passed") == []


@pytest.mark.rule("Rp5")
async def test_a_member_who_leaves_hands_invitations_to_the_owner(team: Team) -> None:
    account = await team.account()
    first = await account.join("admin", "First")
    await with_an_invitation_of(first, account.path)
    (await first.send("POST", f"{account.path}/leave")).expect(204)
    [passed] = await team.rows("invitation.passed")
    assert passed.data["to_user_id"] == account.owner.user_id
    listed = await account.owner.get(f"{account.path}/invitations")
    assert listed["items"][0]["invited_by_name"] == "Owner"


async def restrict(account: Account, member: Person, how: str) -> Any:
    """Take from an admin the right to give the role `admin`; the answer's body."""
    path, owner = f"{account.path}/members/{member.user_id}", account.owner
    if how == "removal":
        return (await owner.send("DELETE", path)).expect(200)
    if how == "role change":
        return (await owner.send("PATCH", path, {"role": "basic"})).expect(200)
    project = (await owner.send("POST", f"{account.path}/projects", {"name": "Prod"})).expect(201)
    path = f"{account.path}/projects/{project['id']}/overrides/{member.user_id}"
    grants = {"grants": {"instance": {"view": "all"}}}
    return (await owner.send("PUT", path, grants)).expect(200)


@pytest.mark.rule("Rp5")
@pytest.mark.parametrize("how", ["removal", "role change", "override"])
async def test_a_change_tells_which_invitations_have_another_inviter(team: Team, how: str) -> None:
    """An admin who expects it invites a second address of their own; it is not hidden."""
    account = await team.account()
    admin, owner = await account.join("admin", "Bea"), account.owner
    proof = await account.invite("second@example.com", "admin", by=admin)
    invitation_id = proof["token"].partition(".")[0]

    [told] = (await restrict(account, admin, how))["passed_invitations"]
    assert told == {
        "id": invitation_id,
        "email": "second@example.com",
        "role": "admin",
        "passed_from": admin.user_id,
        "passed_from_name": "Bea",
        "invited_by": owner.user_id,
        "invited_by_name": "Owner",
    }
    [listed] = (await owner.get(f"{account.path}/invitations"))["items"]
    assert (listed["passed_from"], listed["passed_from_name"]) == (admin.user_id, "Bea")
    [fact] = await team.rows("invitation.passed")
    mailed = [fact.data[name] for name in ("to_email", "made_by_name", "role_title")]
    assert mailed == [owner.email, "Bea", "Admin"]


async def test_a_change_that_hands_nothing_over_lists_no_invitation(team: Team) -> None:
    account = await team.account()
    admin, other = await account.join("admin"), await account.join("developer")
    await account.invite("second@example.com", "admin", by=admin)
    path = f"{account.path}/members/{other.user_id}"
    changed = (await account.owner.send("PATCH", path, {"role": "basic"})).expect(200)
    assert changed["passed_invitations"] == []
    (await account.owner.send("DELETE", path)).expect(204)
    [listed] = (await account.owner.get(f"{account.path}/invitations"))["items"]
    assert listed["passed_from"] is None


async def test_an_invitation_that_passed_twice_names_its_maker(team: Team) -> None:
    """A resend confirms it, so the caller is its maker from then on."""
    account = await team.account()
    first, second = await account.join("admin", "First"), await account.join("admin", "Second")
    invitation_id = await with_an_invitation_of(first, account.path)
    (await second.send("DELETE", f"{account.path}/members/{first.user_id}")).expect(200)
    left = await account.owner.send("DELETE", f"{account.path}/members/{second.user_id}")
    [told] = left.expect(200)["passed_invitations"]
    assert (told["passed_from"], told["passed_from_name"]) == (first.user_id, "First")

    path = f"{account.path}/invitations/{invitation_id}/resend"
    sent = (await account.owner.send("POST", path)).expect(200)["invitation"]
    assert (sent["passed_from"], sent["passed_from_name"]) == (None, None)
