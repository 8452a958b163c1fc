"""A team becomes a personal account again, where its catalog allows that (`Rp3`, `Nv2`)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from shared.ids import new_id
from tests.services.team.endings import fill, furnish, rows_of
from tests.services.team.running import Account, Team, running
from tests.support.round_trips import ROUND_TRIPS, new_trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


CONFIRMED = {"confirm": "Engines"}
ACCEPT = "/v1/invitations/accept"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        yield ready


async def revert(account: Account, **headers: str) -> Any:
    return await account.owner.send("POST", f"{account.path}/revert", CONFIRMED, **headers)


@pytest.mark.rule("Rp3")
async def test_a_reverted_team_keeps_owner_projects_and_log_only(team: Team) -> None:
    account = await team.account()
    await furnish(account)
    proof = await account.invite("late@example.com", "admin")
    before = await rows_of(account)

    reverted = (await revert(account)).expect(200)

    assert (reverted["kind"], reverted["name"], reverted["role"]) == (
        "personal",
        "Engines",
        "owner",
    )
    members = (await account.owner.get(f"{account.path}/members"))["items"]
    assert [member["user_id"] for member in members] == [account.owner.user_id]
    projects = (await account.owner.get(f"{account.path}/projects"))["items"]
    assert [project["name"] for project in projects] == ["prod"]
    roles = (await account.owner.get(f"{account.path}/roles"))["items"]
    assert "Watch" not in {role["name"] for role in roles}
    assert await team.database["overrides"].count_documents({"account_id": account.id}) == 0
    assert (await rows_of(account))[: len(before)] == before
    for member in account.people.values():
        assert (await member.send("GET", account.path)).status == 404
        assert account.id not in str(await member.get("/v1/me/accounts"))
    late = await team.person("Late", "late@example.com")
    assert (await late.send("POST", ACCEPT, proof)).status == 410


@pytest.mark.rule("Rp3", "Rp13", "Ro15")
async def test_everything_that_ends_is_recorded_and_each_member_is_told(team: Team) -> None:
    account = await team.account()
    await furnish(account)
    before = len(await rows_of(account))

    revision = (await revert(account)).headers["Rolecall-Revision"]

    told = (await rows_of(account))[before:]
    assert len({row.change_id for row in told}) == 1
    assert Counter(row.action for row in told) == {
        "invitation.revoked": 1,
        "member.removed": 3,
        "role.deleted": 1,
        "account.reverted": 1,
    }
    assert {row.reason for row in told[:-1]} == {"reverted"}
    removed = [row for row in told if row.action == "member.removed"]
    assert {row.data["email"] for row in removed} == {
        member.email for member in account.people.values()
    }
    assert all(row.data["reverted"] for row in removed)
    assert [len(row.before["overridden_in"]) for row in removed if row.before] in (
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
    )
    last = told[-1]
    assert last.before == {
        "kind": "team",
        "members": 3,
        "invitations": 1,
        "roles": 1,
        "overrides": 1,
    }
    assert last.after == {"kind": "personal"}
    assert revision.endswith(f".{last.shard}.{last.seq}")
    ended = {one.id for row in told for one in row.policy_objects if one.state is None}
    assert ended == {member.user_id for member in account.people.values()}
    assert (last.policy_objects[0].state or {})["roles"] == {}


@pytest.mark.rule("Rp3", "Rp2")
async def test_a_reverted_account_can_become_a_team_again(team: Team) -> None:
    account = await team.account()
    member = await account.join("admin")
    (await revert(account)).expect(200)
    invite = {"email": member.email, "role": "admin"}
    refused = await account.owner.send("POST", f"{account.path}/invitations", invite)
    assert (refused.status, refused.code) == (409, "not-a-team")
    again = await account.owner.send("POST", f"{account.path}/convert", {"name": "Motors"})
    assert again.expect(200)["kind"] == "team"
    proof = await account.invite(member.email, "admin")
    (await member.send("POST", ACCEPT, proof)).expect(200)


@pytest.mark.rule("Nv2")
@pytest.mark.parametrize(
    ("catalog", "code", "words"),
    [
        (
            "novita",
            "conversion-irreversible",
            "a team stays a team. Remove the members or delete the account",
        ),
        ("runos", "no-conversion", "no step between personal accounts and teams"),
        ("cloud-iam", "no-conversion", "no step between personal accounts and teams"),
    ],
)
async def test_a_catalog_without_the_way_back_refuses_with_its_reason(
    team: Team, catalog: str, code: str, words: str
) -> None:
    account = await team.account(catalog)
    await account.invite("open@example.com", "admin")
    before = len(await rows_of(account))
    refused = await revert(account)
    assert (refused.status, refused.code) == (409, code)
    assert words in refused.body["detail"]
    assert (await account.owner.get(account.path))["kind"] == "team"
    assert len(await rows_of(account)) == before


@pytest.mark.rule("Rp3")
async def test_only_the_owner_reverts_and_types_the_name(team: Team) -> None:
    account = await team.account()
    admin, basic = await account.join("admin"), await account.join("basic")
    path = f"{account.path}/revert"
    for person, code in ((admin, "owner-only"), (basic, "permission-missing")):
        refused = await person.send("POST", path, CONFIRMED)
        assert (refused.status, refused.code) == (403, code)
    for typed in ("engines", "Engine"):
        wrong = await account.owner.send("POST", path, {"confirm": typed})
        assert (wrong.status, wrong.code) == (422, "confirmation-wrong"), typed
    assert len((await account.owner.get(f"{account.path}/members"))["items"]) == 3
    (await revert(account)).expect(200)
    repeated = await revert(account)
    assert (repeated.status, repeated.code) == (409, "already-personal")


@pytest.mark.rule("Rp3")
async def test_a_thousand_members_take_as_many_statements_as_one(team: Team) -> None:
    statements = []
    for members in (1, 1_000):
        account = await team.account()
        await fill(account, members)
        trace = new_trace()
        (await revert(account, traceparent=trace)).expect(200)
        assert await team.database["members"].count_documents({"account_id": account.id}) == 1
        removed = [row for row in await rows_of(account) if row.action == "member.removed"]
        assert len(removed) == members
        made = [str(command) for command in ROUND_TRIPS.of[trace]]
        whole = [name for name in made if not name.startswith("getMore")]
        # The database may end an attempt for another write: the last one is compared. After the
        # commit the barrier looks at the leases as often as their replicas make it wait.
        last = max(place for place, name in enumerate(whole) if name == "find heads")
        statements.append(whole[last : whole.index("commitTransaction", last) + 1])
    assert len(statements[0]) > 1
    assert statements[0] == statements[1]


@pytest.mark.rule("Rp3")
async def test_who_joins_while_the_team_reverts_has_no_access_after_it(team: Team) -> None:
    for number in range(4):
        account = await team.account()
        guest = await team.person("Guest", f"guest{number}@example.com")
        proof = await account.invite(guest.email, "admin")
        reverted, joined = await asyncio.gather(revert(account), guest.send("POST", ACCEPT, proof))
        reverted.expect(200)
        assert joined.status in {200, 410}
        assert (await guest.send("GET", account.path)).status == 404
        assert await team.database["members"].count_documents({"account_id": account.id}) == 1
