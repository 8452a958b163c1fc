"""Olu runs clusters with a crew of admins, then lets in people who may see or use only a part."""

from datetime import timedelta

import pytest

from tests.e2e.journey import in_force
from tests.e2e.people import Link
from tests.e2e.stories.team import MISSING, OUTSIDE, Step, Team, in_order, lifetime, refused

INFRASTRUCTURE = ("clusters", "services", "applications", "secrets_and_configurations")
LEVELS = ("view", "manage", "delete")
ALL = tuple(f"{entry}:{level}" for entry in INFRASTRUCTURE for level in LEVELS)
SEEING = tuple(f"{entry}:view" for entry in INFRASTRUCTURE)
CHANGING = tuple(name for name in ALL if name not in SEEING)
WHOLE = {entry: dict.fromkeys(LEVELS, "all") for entry in INFRASTRUCTURE}
"""Everything inside one cluster."""


@pytest.mark.rule("Ro6", "Ro7", "Ro9", "Ro10", "Ro11")
async def olu_hands_a_link_over(team: Team) -> None:
    """The link is shown, not mailed, lasts a day and fits one address; access is immediate."""
    olu, stranger = team.person("owner"), team.person("stranger")
    await olu.sign_up()
    await stranger.sign_up()
    await team.convert()
    first = team.person("first admin")
    mail = await team.invite(first, "admin", delivery="email")
    assert mail.status == 422, mail.body
    shown = (await team.invite(first, "admin")).expect(201)
    assert lifetime(shown["invitation"]) == timedelta(hours=24)
    link = Link.in_text(shown["link"]["url"])
    refused(await team.accept(stranger, link), 410, "invitation-not-valid")
    (await first.sign_up_by(link)).expect(202)
    proof = await team.world.mailbox.newest(first.email, "verify")
    first.signed_in((await first.verify(Link.in_text(proof["text"]))).expect(200))
    await team.may_not(first, *ALL, because=OUTSIDE)
    await team.join_by(first, link)
    await team.may(first, *ALL)
    assert await team.accounts_of(first) == {first.account_id, team.account_id}
    subjects = [mail["subject"].lower() for mail in await team.world.mailbox.all(first.email)]
    assert not any("invite" in subject for subject in subjects), subjects


@pytest.mark.rule("Ro8", "Ro9")
async def neither_half_of_a_link_opens_the_account(team: Team) -> None:
    """The token without its code, and the code of another link, get the same refusal."""
    guest = team.person("guest")
    await guest.sign_up()
    link = Link.in_text((await team.invite(guest, "admin")).expect(201)["link"]["url"])
    other = (await team.invite(team.person("other guest"), "admin")).expect(201)["link"]
    assert (await team.accept(guest, Link(link.token, None))).status in {404, 422}
    mixed = await team.accept(guest, Link(link.token, other["code"]))
    refused(mixed, 410, "invitation-not-valid")
    await team.may_not(guest, "clusters:view", because=OUTSIDE)


@pytest.mark.rule("Ro1")
async def everyone_is_an_admin_at_first(team: Team) -> None:
    """There is one role, and who has it may do what Olu may: invite, remove, and rename."""
    roles = (await team.owner.get(f"{team.path}/roles"))["items"]
    assert [role["id"] for role in roles] == ["admin"]
    first, second = team.person("first admin"), team.person("second admin")
    (await team.invite(second, "admin", by=first)).expect(201)
    await team.may(first, "member:invite", "member:remove", "account_settings:manage")
    assert (await first.send("PATCH", team.path, {"name": team.name})).status == 200


@pytest.mark.rule("Ro11", "Ro12", "Ro18", "Ro19")
async def an_old_invitation_is_deleted_before_another_is_made(team: Team) -> None:
    """After a day the link opens nothing, and neither a resend nor another invitation helps."""
    slow = team.person("slow")
    await slow.sign_up()
    made = (await team.invite(slow, "admin")).expect(201)
    path = f"{team.path}/invitations/{made['invitation']['id']}"
    await team.end_invitation(made["invitation"]["id"])
    late = await team.accept(slow, Link.in_text(made["link"]["url"]))
    refused(late, 410, "invitation-not-valid")
    refused(await team.owner.send("POST", f"{path}/resend"), 409, "resend-not-offered")
    refused(await team.invite(slow, "admin"), 409, "expired-invitation-there")
    (await team.owner.send("DELETE", path)).expect(204)

    again = (await team.invite(slow, "admin")).expect(201)
    closed = f"{team.path}/invitations/{again['invitation']['id']}"
    (await team.owner.send("DELETE", closed)).expect(204)
    deleted = await team.accept(slow, Link.in_text(again["link"]["url"]))
    refused(deleted, 410, "invitation-not-valid")
    third = (await team.invite(slow, "admin")).expect(201)
    await team.join_by(slow, Link.in_text(third["link"]["url"]))
    await team.may(slow, "clusters:view")


@pytest.mark.rule("Ro13")
async def the_list_shows_who_is_in_and_who_is_invited(team: Team) -> None:
    """Each row has an address, a time and a status; a member's has a name and a last activity."""
    rows = {row["email"]: row for row in await team.members()}
    first, waiting = team.person("first admin"), team.person("second admin")
    member, invited = rows[first.email], rows[waiting.email]
    assert (member["name"], member["status"]) == (first.name, "active")
    assert invited["status"] == "invited"
    assert member["since"]
    assert member["last_active_at"] >= member["since"]
    assert invited["last_active_at"] is None
    assert invited["since"]


@pytest.mark.rule("Ro4", "Ro2")
async def a_reader_looks_and_changes_nothing(team: Team) -> None:
    """A role that only views is enough to see every cluster, and for nothing else."""
    views = {entry: {"view": "all"} for entry in (*INFRASTRUCTURE, "account", "users")}
    role = await team.make_role("Reader", views)
    reader = await team.join("reader", role, delivery="link")
    await team.may(reader, *SEEING, "member:view")
    await team.may_not(reader, *CHANGING, "member:invite", "member:remove", "account:update")
    assert (await reader.get(f"{team.path}/members"))["items"]
    answer = await reader.send("POST", f"{team.path}/projects", {"name": "Own"})
    refused(answer, 403, MISSING)


@pytest.mark.rule("Ro2", "Ro3", "Ro5", "Ro24")
async def a_contractor_has_two_of_the_clusters(team: Team) -> None:
    """The role holds nothing on clusters; overrides open two, and no later one."""
    staging, preview, live = [
        await team.make_project(name) for name in ("Staging", "Preview", "Live")
    ]
    role = await team.make_role("Contractor", {"account": {"view": "all"}}, "Chosen clusters only")
    who = await team.join("contractor", role, delivery="link")
    await team.may_not(who, *ALL)
    await team.override(who, staging, WHOLE)
    await team.override(who, preview, WHOLE)
    later = await team.make_project("Later")

    for project in (staging, preview):
        await team.may(who, *ALL, project=project)
        assert (await who.get(f"{team.path}/projects/{project}"))["id"] == project
    renamed = await who.send("PATCH", f"{team.path}/projects/{staging}", {"name": "Stage"})
    assert renamed.expect(200)["name"] == "Stage"
    for project in (live, later):
        await team.may_not(who, *ALL, project=project)
        for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
            answer = await who.send(method, f"{team.path}/projects/{project}", body)
            refused(answer, 403, MISSING)
    seen = (await who.get(f"{team.path}/projects"))["items"]
    assert {item["id"] for item in seen} == {staging, preview}


@pytest.mark.rule("Ro2", "Ro24")
async def the_contractor_cannot_manage_the_account(team: Team) -> None:
    """No new cluster, no invitation, no removal, no name, no role, and no way to more access."""
    who, first = team.person("contractor"), team.person("first admin")
    [stage] = [
        item["id"]
        for item in (await who.get(f"{team.path}/projects"))["items"]
        if item["name"] == "Stage"
    ]
    tries = (
        ("POST", "projects", {"name": "Own"}),
        ("POST", "invitations", {"email": "a.friend@example.com", "role": "admin"}),
        ("DELETE", f"members/{first.user_id}", None),
        ("PATCH", f"members/{who.user_id}", {"role": "admin"}),
        ("POST", "roles", {"name": "Mine", "grants": {"clusters": {"view": "all"}}}),
        ("PUT", f"projects/{stage}/overrides/{who.user_id}", {"grants": WHOLE}),
        ("GET", "members", None),
        ("GET", "audit-events", None),
    )
    for method, path, body in tries:
        answer = await who.send(method, f"{team.path}/{path}", body)
        refused(answer, 403, MISSING)
    refused(await who.send("PATCH", team.path, {"name": "Mine"}), 403, MISSING)


@pytest.mark.rule("Ro24", "B10")
async def olu_limits_what_an_admin_can_do_alone(team: Team) -> None:
    """Rules of the account hold for Olu, too, and production has an account of its own."""
    first, slow = team.person("first admin"), team.person("slow")
    path = f"{team.path}/guardrails"
    for name, rule in (
        ("Three admins", {"type": "minimum_holders", "minimum": 3, "role": "admin"}),
        (
            "Admins delete clusters",
            {"type": "only_roles", "permission": "clusters:delete", "roles": ["admin"]},
        ),
    ):
        (await team.owner.send("POST", path, {"name": name, "rule": rule})).expect(201)
    for who in (first, slow):
        answer = await team.owner.send("DELETE", f"{team.path}/members/{who.user_id}")
        refused(answer, 409, "guardrail-violated")
    grants = {"account": {"view": "all"}, "clusters": {"delete": "all"}}
    role = await team.make_role("Cleaner", grants)
    member = f"{team.path}/members/{team.person('reader').user_id}"
    answer = await team.owner.send("PATCH", member, {"role": role})
    refused(answer, 409, "guardrail-violated")
    for item in (await team.owner.get(path))["items"]:
        (await team.owner.send("DELETE", f"{path}/{item['id']}")).expect(200, 204)

    body = {"name": "Olu's Production", "catalog": team.catalog}
    created = await team.owner.send("POST", "/v1/accounts", body)
    await in_force(team.owner, created, 201)
    production = created.body["id"]
    for who, reason in ((team.owner, "allowed"), (first, OUTSIDE)):
        decided = await team.world.decision(who.user_id, "clusters:delete", account=production)
        assert decided == reason


@pytest.mark.rule("Ro20", "Ro21", "Ro23")
async def one_sign_in_reaches_both_accounts(team: Team) -> None:
    """The contractor goes to Olu's account and back with one session."""
    who = team.person("contractor")
    await who.log_in()
    for account_id in (team.account_id, who.account_id):
        body = {"account_id": account_id}
        switched = (await who.send("POST", "/v1/session/switch", body)).expect(200)
        who.token = switched["access_token"]
        assert switched["account_id"] == account_id
        assert (await who.get(f"/v1/accounts/{account_id}"))["id"] == account_id
    assert await team.accounts_of(who) == {who.account_id, team.account_id}


@pytest.mark.rule("Ro14", "Ro15", "Ro16", "Ro17")
async def who_is_removed_is_out_at_once(team: Team) -> None:
    """Access ends, a mail says so, the own account stays, and so does the log."""
    who = team.person("first admin")
    await team.remove(who)
    await team.may_not(who, *SEEING, because=OUTSIDE)
    refused(await who.send("GET", team.path), 404, "not-found")
    await team.world.mailbox.newest(who.email, "removed")
    assert await team.accounts_of(who) == {who.account_id}
    records = await team.records("member.removed")
    in_order(records, [("member.joined", who), ("invitation.created", who)])


STEPS: tuple[Step, ...] = (
    olu_hands_a_link_over,
    neither_half_of_a_link_opens_the_account,
    everyone_is_an_admin_at_first,
    an_old_invitation_is_deleted_before_another_is_made,
    the_list_shows_who_is_in_and_who_is_invited,
    a_reader_looks_and_changes_nothing,
    a_contractor_has_two_of_the_clusters,
    the_contractor_cannot_manage_the_account,
    olu_limits_what_an_admin_can_do_alone,
    one_sign_in_reaches_both_accounts,
    who_is_removed_is_out_at_once,
)
