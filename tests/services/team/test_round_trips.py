"""How often a removal asks the database: the table of decision 29."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.round_trips import ROUND_TRIPS, new_trace
from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.services.team.running import Team

BEFORE_THE_ANSWER = """\
find heads
find accounts
find members
find overrides
delete members
update former_members
delete overrides
find invitations
update accounts
update heads
insert journal
commitTransaction
find leases"""
AFTER_THE_ANSWER = "insert receipts"


def last_attempt(trace: str) -> list[str]:
    """What the last attempt of a change sent: the database may end one for another write."""
    made = [str(command) for command in ROUND_TRIPS.of[trace]]
    return made[max(place for place, name in enumerate(made) if name == "find heads") :]


async def test_a_removal_makes_thirteen_round_trips_before_its_answer(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    path = f"{account.path}/members/{member.user_id}"
    trace = new_trace()
    removed = await account.owner.send("DELETE", path, traceparent=trace)
    removed.expect(204)
    await wait_for(lambda: last_attempt(trace)[-1] == AFTER_THE_ANSWER, what="the stored receipt")
    lines = last_attempt(trace)[:-1]
    while lines[-2:] == ["find leases", "find leases"]:  # a slow barrier looks again
        lines.pop()
    assert "\n".join(lines) == BEFORE_THE_ANSWER


async def test_the_members_of_a_deleted_role_are_saved_in_one_round_trip(team: Team) -> None:
    account = await team.account()
    role = {"name": "Night shift", "grants": {"account": {"view": "all"}}}
    roles = f"{account.path}/roles"
    role_id = (await account.owner.send("POST", roles, role)).expect(201)["id"]
    for name in ("Ana", "Bea", "Cay"):
        await account.join(role_id, name)
    path = f"{roles}/{role_id}?replacement=viewer"
    trace = new_trace()
    deleted = await account.owner.send("DELETE", path, traceparent=trace)
    assert deleted.status in {200, 204}
    assert last_attempt(trace).count("update members") == 1
