"""Requests about one offer of the ownership at the same moment: there is always one owner."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from rolecall import AccountKind, AccountStatus, load_catalog
from services.team.domain import accounts
from services.team.domain.members import Membership
from services.team.domain.ownership_offers import OwnershipOffer
from services.team.store import Store
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.mongo import transact
from tests.services.team.running import Account, Person, Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from shared.mongo import DbSession
    from tests.services.team.running import Reply

    Attempt = Callable[[Account, Person], Awaitable[Reply]]

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.rule("Nv7", "B3")]

TIMES = 50
AT_ONCE = 5
STEP_SECONDS = 0.0005


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        yield ready


def row_of(account_id: AccountId, person: Person, role: str) -> Membership:
    return Membership(
        account_id=account_id,
        user_id=UserId(person.user_id),
        membership_id=MembershipId(new_id("mem")),
        role=role,
        email=person.email,
        email_key=person.email,
        name=person.name,
        joined_at=person.team.clock.now(),
    )


async def with_offer(team: Team) -> tuple[Account, Person]:
    """An account whose ownership is offered to a member, as rows after the requests for it."""
    owner, receiver = team.stranger("Owner"), team.stranger("Bea")
    now, account_id = team.clock.now(), AccountId(owner.account_id)
    owning, member = row_of(account_id, owner, "owner"), row_of(account_id, receiver, "admin")
    account = accounts.Account(
        account_id=account_id,
        kind=AccountKind.TEAM,
        status=AccountStatus.ACTIVE,
        name="Engines",
        owner_user_id=owning.user_id,
        catalog=load_catalog("standard").id,
        account_rev=1,
        created_at=now,
        offer=OwnershipOffer(
            user_id=member.user_id,
            membership_id=member.membership_id,
            name=member.name,
            email=member.email,
            owner_user_id=owning.user_id,
            owner_name=owning.name,
            owner_email=owning.email,
            offered_at=now,
            expires_at=now + timedelta(days=7),
        ),
    )

    async def work(session: DbSession) -> None:
        store = Store(team.database)
        await store.insert_account(account, rev=1, session=session)
        for row in (owning, member):
            await store.insert_member(row, rev=1, session=session)

    await transact(team.client, work)
    return Account(team=team, id=account_id, owner=owner), receiver


async def raced(team: Team, first: Attempt, second: Attempt) -> Counter[tuple[int, ...]]:
    """Send the requests `TIMES` times, on an account each; how they were answered.

    Each time the second one comes a little later, so that it meets every step of the first. Then
    the account has one owner, who is an active member with the owner's role.
    """

    async def once(number: int) -> tuple[int, ...]:
        account, receiver = await with_offer(team)

        async def sent(attempt: Attempt, late: int) -> Reply:
            await asyncio.sleep(late * STEP_SECONDS)
            return await attempt(account, receiver)

        answers = await asyncio.gather(sent(first, 0), sent(second, number))
        store = Store(team.database)
        row = await store.account(AccountId(account.id))
        assert row is not None
        members = await store.members(row.account_id)
        assert [one.user_id for one in members if one.role == "owner"] == [row.owner_user_id]
        moved = row.owner_user_id == receiver.user_id
        assert moved is any(answer.status == 200 for answer in answers)
        assert row.offer is None
        owns = await store.accounts(
            [one.account_id for one in await store.memberships_of(UserId(account.owner.user_id))]
        )
        assert [one.owner_user_id for one in owns.values()].count(
            UserId(account.owner.user_id)
        ) == 1
        return tuple(answer.status for answer in answers)

    found: Counter[tuple[int, ...]] = Counter()
    for begin in range(0, TIMES, AT_ONCE):
        found.update(await asyncio.gather(*map(once, range(begin, begin + AT_ONCE))))
    return found


async def accept(account: Account, receiver: Person) -> Reply:
    return await receiver.send("POST", f"{account.path}/ownership-transfer/accept")


async def cancel(account: Account, receiver: Person) -> Reply:
    return await account.owner.send("DELETE", f"{account.path}/ownership-transfer")


async def remove(account: Account, receiver: Person) -> Reply:
    return await account.owner.send("DELETE", f"{account.path}/members/{receiver.user_id}")


async def test_an_acceptance_or_the_removal_of_the_receiver_wins(team: Team) -> None:
    found = await raced(team, accept, remove)
    assert found.keys() <= {(200, 409), (404, 204)}


async def test_an_acceptance_or_the_cancellation_wins(team: Team) -> None:
    found = await raced(team, accept, cancel)
    assert found.keys() <= {(200, 403), (404, 204)}


async def test_of_two_acceptances_one_moves_the_ownership(team: Team) -> None:
    found = await raced(team, accept, accept)
    assert found.keys() <= {(200, 404), (404, 200)}
