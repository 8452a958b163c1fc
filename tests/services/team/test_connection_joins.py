"""Users become members by the rule of a connection, as identity asks after each sign-in (B16)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import CompiledCatalog, load_catalog
from services.team.domain.connection_joins import ConnectionRule
from services.team.domain.members import MAX_IDENTITIES
from services.team.use_cases.connection_joins import join
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    CONNECTION_JOIN,
    CONNECTION_RULE,
    ConnectionAccountRequest,
    JoinAnswer,
    JoinOutcome,
    JoinProblem,
    JoinRequest,
    RuleAnswer,
    RuleProblem,
    RuleRequest,
)
from shared.contracts.facts import shard_of
from shared.contracts.identity_erasure import UserErased
from shared.ids import new_id
from tests.services.rows import row_of
from tests.services.team.endings import operate, rows_left, rows_of
from tests.services.team.memory import ACCOUNT, caller_of, finished, memory, user_id

if TYPE_CHECKING:
    from services.team.use_cases.connection_joins import JoinResult
    from shared.journal import WriteResult
    from tests.services.team.memory import Memory
    from tests.services.team.running import Account, Person, Reply, Team

JOINED = (JoinOutcome.JOINED, None)
MEMBER = (JoinOutcome.MEMBER, None)
Joined = tuple[JoinOutcome, JoinProblem | None]


def refused(problem: JoinProblem) -> Joined:
    return JoinOutcome.REFUSED, problem


@dataclass(frozen=True, kw_only=True)
class Door:
    """A connection of an account, whose rule `set_by` has set."""

    account: Account
    set_by: Person
    role: str = "developer"
    id: str = "sso_1"

    async def answer(self, person: Person, **fields: Any) -> JoinAnswer:
        request = JoinRequest(
            account_id=self.account.id,
            user_id=person.user_id,
            email=fields.get("email", person.email),
            name=person.name,
            connection_id=self.id,
            connection_label="Acme",
            role=self.role,
            rule_set_by=self.set_by.user_id,
            identity_id=fields.get("identity"),
        )
        caller = self.account.team.callers["identity"]
        return await caller.call(CONNECTION_JOIN, "team", request)

    async def enter(self, person: Person, **fields: Any) -> Joined:
        """What became of a sign-in through the connection."""
        answer = await self.answer(person, **fields)
        return answer.outcome, answer.problem

    async def told(self) -> list[str | None]:
        return [row.reason for row in await rows_of(self.account, "member.join_refused")]


async def member(account: Account, person: Person) -> Reply:
    return await account.owner.send("GET", f"{account.path}/members/{person.user_id}")


async def remove(account: Account, person: Person) -> None:
    path = f"{account.path}/members/{person.user_id}"
    assert (await account.owner.send("DELETE", path)).status in {200, 204}


@pytest.mark.rule("B16")
async def test_who_signs_in_becomes_a_member_once(team: Team) -> None:
    account = await team.account()
    admin, ana = await account.join("admin"), await team.person()
    door = Door(account=account, set_by=admin)
    answer = await door.answer(ana)
    assert (answer.outcome, answer.effective) == (JoinOutcome.JOINED, True)
    assert answer.revision is not None
    assert await door.enter(ana) == MEMBER
    shown = (await member(account, ana)).expect(200)
    assert (shown["role"], shown["email"], shown["name"]) == ("developer", ana.email, ana.name)
    [row] = await rows_of(account, "member.joined_by_connection")
    assert row.after is not None
    assert (row.after["connection_id"], row.after["rule_set_by"]) == ("sso_1", admin.user_id)
    assert row.actor.on_behalf_of == ana.user_id
    assert row.policy_objects[0].state is not None


@pytest.mark.rule("B16")
async def test_sign_ins_at_once_make_one_membership(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    found = await asyncio.gather(*(door.enter(ana) for _ in range(8)))
    assert sorted(found) == [JOINED] + [MEMBER] * 7
    assert len(await rows_of(account, "member.joined_by_connection")) == 1


@pytest.mark.rule("B5")
@pytest.mark.parametrize("change", ["removed", "demoted", "suspended", "limited"])
async def test_a_member_who_lost_the_rights_gives_no_role(team: Team, change: str) -> None:
    account = await team.account()
    admin, ana = await account.join("admin"), await team.person()
    door, path = Door(account=account, set_by=admin), f"{account.path}/members/{admin.user_id}"
    if change == "removed":
        await remove(account, admin)
    elif change == "demoted":
        (await account.owner.send("PATCH", path, {"role": "basic"})).expect(200)
    elif change == "suspended":
        (await account.owner.send("POST", f"{path}/suspend")).expect(200)
    else:
        end = team.clock.now().replace(year=2200).isoformat()
        (await account.owner.send("PATCH", path, {"expires_at": end})).expect(200)
    for _ in range(3):
        assert await door.enter(ana) == refused(JoinProblem.GIVER_NOT_ALLOWED)
    assert (await member(account, ana)).status == 404
    [row] = await rows_of(account, "member.join_refused")
    assert row.outcome == "denied"
    assert account.owner.email in row.data["manager_emails"]
    other_role = replace(door, role="admin")
    assert await other_role.enter(ana) == refused(JoinProblem.GIVER_NOT_ALLOWED)
    assert len(await door.told()) == 2, "it is another rule"
    assert await replace(door, set_by=account.owner).enter(ana) == JOINED
    assert await door.enter(await team.person()) == refused(JoinProblem.GIVER_NOT_ALLOWED)
    assert len(await door.told()) == 3


@pytest.mark.rule("B16")
async def test_a_removed_member_comes_back_by_an_invitation_alone(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    assert await door.enter(ana) == JOINED
    await remove(account, ana)
    namesake = await team.person("Ana", ana.email)
    for person, times in ((namesake, 1), (namesake, 1), (ana, 2), (ana, 2), (namesake, 2)):
        assert await door.enter(person) == refused(JoinProblem.FORMER_MEMBER)
        assert len(await door.told()) == times
    assert await door.enter(ana, email="new@example.com") == refused(JoinProblem.FORMER_MEMBER)
    assert await door.told() == ["former-member"] * 2
    told = await rows_of(account, "member.join_refused")
    assert [row.data["user_id"] for row in told] == [namesake.user_id, ana.user_id]
    assert [row.data["manager_emails"] for row in told] == [[], []]
    proof = await account.invite(ana.email, "basic")
    (await ana.send("POST", "/v1/invitations/accept", proof)).expect(200)
    assert await door.enter(ana) == MEMBER
    assert "former_members" not in await rows_left(account)


IDENTITY, OTHER_IDENTITY = "idn_" + "1" * 32, "idn_" + "2" * 32


@pytest.mark.rule("B16")
@pytest.mark.parametrize("noted", ["at the join", "at a later sign-in", "beside another one"])
async def test_a_removed_member_is_known_again_by_the_subject_of_the_issuer(
    team: Team, noted: str
) -> None:
    """Their address changed, and they make another user by the same issuer."""
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    identities: list[str | None] = [IDENTITY]
    if noted == "at a later sign-in":
        identities = [None, IDENTITY]
    elif noted == "beside another one":
        identities = [IDENTITY, OTHER_IDENTITY]
    for identity in identities:
        assert await door.enter(ana, identity=identity) in {JOINED, MEMBER}
    await remove(account, ana)
    other = await team.person()
    for _ in range(2):
        found = await door.enter(other, identity=IDENTITY)
        assert found == refused(JoinProblem.FORMER_MEMBER)
    assert await door.told() == ["former-member"]
    proof = await account.invite(other.email, "basic")
    (await other.send("POST", "/v1/invitations/accept", proof)).expect(200)
    assert await door.enter(other, identity=IDENTITY) == MEMBER
    await remove(account, other)
    assert await door.enter(await team.person(), identity=IDENTITY) != JOINED
    assert await door.enter(await team.person(), identity=new_id("idn")) == JOINED


@pytest.mark.rule("B16")
async def test_a_suspended_member_does_not_join_beside_themselves(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    assert await door.enter(ana, identity=IDENTITY) == JOINED
    path = f"{account.path}/members/{ana.user_id}"
    (await account.owner.send("POST", f"{path}/suspend")).expect(200)
    found = await door.enter(await team.person(), identity=IDENTITY)
    assert found == refused(JoinProblem.FORMER_MEMBER)


@pytest.mark.rule("B16")
async def test_a_member_who_comes_back_leaves_no_row_of_a_former_one(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    assert await door.enter(ana, identity=IDENTITY) == JOINED
    await remove(account, ana)
    proof = await account.invite(ana.email, "basic")
    (await ana.send("POST", "/v1/invitations/accept", proof)).expect(200)
    assert await door.enter(ana, identity=IDENTITY) == MEMBER
    assert "former_members" not in await rows_left(account)


@pytest.mark.rule("B16")
async def test_who_left_and_who_is_provisioned_again(team: Team) -> None:
    account, client = await team.account(), await team.service_client(scopes=("members:provision",))
    door, ana = Door(account=account, set_by=account.owner), await team.person()
    assert await door.enter(ana) == JOINED
    assert (await ana.send("POST", f"{account.path}/leave")).status == 204
    assert await door.enter(ana) == refused(JoinProblem.FORMER_MEMBER)
    body: dict[str, Any] = {"members": [{"user_id": ana.user_id, "role": "basic"}]}
    (await client.send("POST", f"{account.path}/provisioning/members", body)).expect(200)
    assert await door.enter(ana) == MEMBER
    body["members"][0] = {"user_id": ana.user_id, "remove": True}
    (await client.send("POST", f"{account.path}/provisioning/members", body)).expect(200)
    assert await door.enter(ana) == refused(JoinProblem.FORMER_MEMBER)


@pytest.mark.rule("B16")
async def test_a_suspended_member_stays_suspended(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    assert await door.enter(ana) == JOINED
    path = f"{account.path}/members/{ana.user_id}"
    (await account.owner.send("POST", f"{path}/suspend")).expect(200)
    assert await door.enter(ana) == MEMBER
    assert (await member(account, ana)).expect(200)["status"] == "suspended"


@pytest.mark.rule("B16")
async def test_a_removal_beside_sign_ins_is_never_undone(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    assert await door.enter(ana) == JOINED
    _, *found = await asyncio.gather(remove(account, ana), *(door.enter(ana) for _ in range(8)))
    assert set(found) <= {MEMBER, refused(JoinProblem.FORMER_MEMBER)}
    assert (await member(account, ana)).status == 404
    assert len(await rows_of(account, "member.joined_by_connection")) == 1


@pytest.mark.rule("B16")
async def test_a_closed_account_is_joined_by_no_user(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    door = Door(account=account, set_by=account.owner)
    caller, asked = team.callers["identity"], ConnectionAccountRequest(account_id=account.id)
    assert (await caller.call(CONNECTION_ACCOUNT, "team", asked)).open
    (await operate(account, "suspend", {"reason": "unpaid"})).expect(200)
    assert not (await caller.call(CONNECTION_ACCOUNT, "team", asked)).open
    assert await door.enter(ana) == refused(JoinProblem.ACCOUNT_CLOSED)
    assert await door.told() == []
    unknown = ConnectionAccountRequest(account_id=new_id("acc"))
    assert not (await caller.call(CONNECTION_ACCOUNT, "team", unknown)).open


@pytest.mark.rule("B10")
async def test_a_guardrail_keeps_a_user_out_and_is_told_once(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    rule = {"type": "only_roles", "permission": "project:manage", "roles": ["owner"]}
    body = {"name": "Few write", "rule": rule}
    (await account.owner.send("POST", f"{account.path}/guardrails", body)).expect(201)
    door = Door(account=account, set_by=account.owner, role="admin")
    for _ in range(2):
        assert await door.enter(ana) == refused(JoinProblem.GUARDRAIL)
    assert await door.told() == ["guardrail"]
    assert (await member(account, ana)).status == 404
    assert await replace(door, role="basic").enter(ana) == JOINED


@pytest.mark.rule("B16")
async def test_the_invitation_of_the_address_is_closed(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    proof = await account.invite(ana.email, "basic")
    assert await Door(account=account, set_by=account.owner).enter(ana) == JOINED
    assert await account.pending() == []
    [closed] = await rows_of(account, "invitation.revoked")
    assert closed.reason == "joined"
    assert (await ana.send("POST", "/v1/invitations/accept", proof)).status == 410


async def test_an_erased_user_is_not_made_a_member(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    await team.tell(row_of(UserErased(user_id=ana.user_id, account_id=ana.account_id)))
    door = Door(account=account, set_by=account.owner)
    assert await door.enter(ana) == refused(JoinProblem.FORMER_MEMBER)


async def test_nothing_of_a_former_member_is_left_of_a_deleted_account(team: Team) -> None:
    account, ana = await team.account(), await team.person()
    other = await team.account(owner=None)
    door = Door(account=account, set_by=account.owner, role="unknown")
    await remove(account, gone := await account.join("basic"))
    assert await door.enter(ana) == refused(JoinProblem.ROLE_UNKNOWN)
    assert {"former_members", "join_refusals"} <= await rows_left(account)
    own = {"_id": {"$regex": f"^{account.id}/"}}
    former = [row["_id"] async for row in team.database["former_members"].find(own)]
    digest = sha256(gone.email.encode()).hexdigest()
    assert len(former) == 2
    assert not any(digest[:8] in each for each in former), "digests of two accounts differ"
    assert other.id != account.id


@pytest.mark.rule("B5")
async def test_a_rule_is_set_by_a_member_who_could_invite_with_it(team: Team) -> None:
    account = await team.account()
    admin, basic = await account.join("admin"), await account.join("basic")

    async def ask(person: Person, role: str | None, account_id: str = account.id) -> RuleAnswer:
        request = RuleRequest(account_id=account_id, user_id=person.user_id, role=role)
        return await team.callers["identity"].call(CONNECTION_RULE, "team", request)

    fine = await ask(admin, "developer")
    assert (fine.problem, fine.account_name) == (None, "Engines")
    assert fine.manager_emails == (account.owner.email, admin.email)
    asked = ConnectionAccountRequest(account_id=account.id, managers=True)
    told = await team.callers["identity"].call(CONNECTION_ACCOUNT, "team", asked)
    assert (told.account_name, told.manager_emails) == ("Engines", fine.manager_emails)
    assert (await ask(admin, None)).problem is None
    unknown = await ask(admin, "owner")
    assert unknown.problem is RuleProblem.ROLE_UNKNOWN
    assert "developer" in unknown.assignable
    assert basic.email not in fine.manager_emails


CATALOG = CompiledCatalog(load_catalog("standard"))


def enters(world: Memory) -> WriteResult[JoinResult]:
    """A guest signs in through a connection whose rule the owner has set."""
    rule = ConnectionRule(
        connection_id="sso_1", label="Acme", role="developer", set_by=user_id("owner")
    )
    signing_in = join(
        world.ctx,
        ACCOUNT,
        rule,
        user_id=user_id("guest"),
        email="guest@example.com",
        name="Guest",
        identity=IDENTITY,
        caller=caller_of("guest"),
    )
    return finished(signing_in)


@pytest.mark.rule("B16")
def test_the_seats_of_a_full_account_are_counted() -> None:
    world = memory(CATALOG)
    for number in range(CATALOG.catalog.policies.member_limit - 1):
        world.add(f"m{number}", "basic")
    last = world.add("last", "basic")
    assert enters(world).result.problem is JoinProblem.NO_FREE_SEAT
    del world.store.memberships[last.user_id]
    assert enters(world).result.outcome is JoinOutcome.JOINED


@pytest.mark.rule("B16")
def test_of_very_many_subjects_of_a_member_the_newest_are_known() -> None:
    world = memory(CATALOG)
    known = tuple(f"idn_{number}" for number in range(MAX_IDENTITIES))
    guest = world.add("guest", "basic")
    world.store.memberships[guest.user_id] = replace(guest, identities=known)
    assert enters(world).result.outcome is JoinOutcome.MEMBER
    assert world.store.memberships[guest.user_id].identities == (*known[1:], IDENTITY)


@pytest.mark.rule("B16")
def test_a_join_and_its_repeat_are_answered_after_the_barrier() -> None:
    world = memory(CATALOG)
    assert enters(world).result.outcome is JoinOutcome.JOINED
    assert enters(world).result.outcome is JoinOutcome.MEMBER
    assert world.journal.effective_everywhere == [True, True]
    assert world.journal.settled == [shard_of(ACCOUNT)]
