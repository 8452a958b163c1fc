"""Requests about one offer of the ownership at the same moment: there is always one owner."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from services.team.domain.ownership_offers import OwnershipOffer
from shared.ids import AccountId, UserId, new_id
from tests.services.team.races import Scene, raced, scene
from tests.services.team.running import Team, running

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator

    from services.team.domain.members import Membership
    from tests.services.team.races import Attempt
    from tests.services.team.running import Reply

pytestmark = pytest.mark.rule("Nv7", "B3")

TIMES = 50


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        yield ready


def offer(owning: Membership, member: Membership) -> OwnershipOffer:
    """The owner offers the ownership to this member."""
    return OwnershipOffer(
        user_id=member.user_id,
        membership_id=member.membership_id,
        name=member.name,
        email=member.email,
        owner_user_id=owning.user_id,
        owner_name=owning.name,
        owner_email=owning.email,
        offered_at=member.joined_at,
        expires_at=member.joined_at + timedelta(days=7),
    )


async def about_the_offer(
    team: Team, first: Attempt, second: Attempt
) -> Counter[tuple[int, int, str]]:
    """Both requests, on an account whose ownership is offered to Bea.

    Then the account has one owner, who is an active member with the owner's role.
    """

    async def check(where: Scene, *answers: Reply) -> str:
        row = await where.row()
        members = await where.store.members(row.account_id)
        assert [one.user_id for one in members if one.role == "owner"] == [row.owner_user_id]
        moved = row.owner_user_id == where.people["Bea"].user_id
        assert moved is any(answer.status == 200 for answer in answers)
        assert row.offer is None
        former = UserId(where.owner.user_id)
        belongs_to = [one.account_id for one in await where.store.memberships_of(former)]
        owns = await where.store.accounts([AccountId(one) for one in belongs_to])
        assert [one.owner_user_id for one in owns.values()].count(former) == 1
        return ""

    make = partial(scene, team, {"Bea": "admin"}, offer=offer)
    return await raced(make, first, second, check, times=TIMES)


async def accept(where: Scene) -> Reply:
    path = f"{where.path}/ownership-transfer/accept"
    return await where.people["Bea"].send("POST", path)


async def cancel(where: Scene) -> Reply:
    return await where.owner.send("DELETE", f"{where.path}/ownership-transfer")


async def remove(where: Scene) -> Reply:
    return await where.owner.send("DELETE", f"{where.path}/members/{where.people['Bea'].user_id}")


async def test_an_acceptance_or_the_removal_of_the_receiver_wins(team: Team) -> None:
    found = await about_the_offer(team, accept, remove)
    assert found.keys() == {(200, 409, ""), (404, 204, "")}


async def test_an_acceptance_or_the_cancellation_wins(team: Team) -> None:
    found = await about_the_offer(team, accept, cancel)
    assert found.keys() == {(200, 403, ""), (404, 204, "")}


async def test_of_two_acceptances_one_moves_the_ownership(team: Team) -> None:
    found = await about_the_offer(team, accept, accept)
    assert found.keys() == {(200, 404, ""), (404, 200, "")}
