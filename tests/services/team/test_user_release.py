"""A user who is erased is released: memberships end, and so do accounts that they own alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.contracts.calls.team import USER_RELEASE, UserReleased, UserReleaseRequest
from shared.contracts.identity import UserRenamed
from shared.contracts.identity_erasure import UserErased
from shared.leases import Leases, Receipt
from tests.services.rows import row_of
from tests.services.team.endings import rows_of
from tests.services.team.running import running

if TYPE_CHECKING:
    from tests.services.team.running import Person, Team


async def release(team: Team, user_id: str) -> UserReleased:
    request = UserReleaseRequest(user_id=user_id)
    return await team.callers["identity"].call(USER_RELEASE, "team", request)


async def memberships(team: Team, person: Person) -> int:
    return await team.database["members"].count_documents(
        {"user_id": person.user_id, "shard": {"$gte": 0}, "role": {"$ne": "owner"}}
    )


async def test_a_released_member_is_gone_from_every_account(team: Team) -> None:
    first, second = await team.account(), await team.account()
    member = await first.join("admin")
    proof = await second.invite(member.email, "developer")
    (await member.send("POST", "/v1/invitations/accept", proof)).expect(200)
    path = f"{first.path}/members/{member.user_id}/suspend"
    (await first.owner.send("POST", path)).expect(200)

    released = await release(team, member.user_id)

    assert (released.owned, released.effective) == ((), True)
    assert await memberships(team, member) == 0
    for account in (first, second):
        [left] = await rows_of(account, "member.left")
        assert left.policy_objects[0].state is None
    own = await team.database["accounts"].find_one({"_id": member.account_id})
    assert own is not None
    assert (own["status"], own["deletes_at"] <= team.clock.now()) == ("deleting", True)
    assert (await release(team, member.user_id)).owned == ()
    assert len(await rows_of(first, "member.left")) == 1


async def test_a_release_is_in_force_when_each_of_its_ends_is(
    mongo_url: str, database_name: str
) -> None:
    late: list[str] = []

    class LateLeases(Leases):
        async def barrier(self, *given: Any, **named: Any) -> Receipt:
            receipt = await super().barrier(*given, **named)
            if not late:
                return receipt
            late.pop()
            return replace(receipt, effective_at=None)

    async with running(mongo_url, database_name, wiring={"leases": LateLeases}) as team:
        member = await (await team.account()).join("viewer")
        late.append("the first of two")
        assert not (await release(team, member.user_id)).effective
        assert late == []
        assert await memberships(team, member) == 0


async def test_an_owner_of_other_members_loses_nothing(team: Team) -> None:
    account, other = await team.account(), await team.account()
    await account.join("viewer")
    proof = await other.invite(account.owner.email, "viewer")
    (await account.owner.send("POST", "/v1/invitations/accept", proof)).expect(200)
    released = await release(team, account.owner.user_id)
    assert [one.account_name for one in released.owned] == ["Engines"]
    assert await memberships(team, account.owner) == 1
    assert await rows_of(account, "account.deletion_requested") == []


async def test_an_erased_user_is_forgotten_by_each_fact(team: Team) -> None:
    account = await team.account()
    member = await account.join("viewer")
    fields = {"user_id": member.user_id, "account_id": member.account_id}
    late = row_of(UserRenamed(**fields, email=member.email, name="Late"))
    erased = row_of(UserErased(**fields))
    for row in (erased, erased, late):
        await team.tell(row)
    assert await memberships(team, member) == 0
    person = await team.database["people"].find_one({"_id": member.user_id})
    assert person is not None
    assert person["name"] == ""
