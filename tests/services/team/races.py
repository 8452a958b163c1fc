"""Two requests about one account at the same moment, many times."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolecall import AccountKind, AccountStatus, Catalog, Delivery, load_catalog
from services.team.domain import accounts
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.store import Store
from shared.ids import AccountId, InvitationId, MembershipId, UserId, new_id
from shared.mongo import transact
from tests.services.team.running import Account, Person, Team

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from services.team.domain.custom_roles import CustomRole
    from services.team.domain.ownership_offers import OwnershipOffer
    from shared.mongo import DbSession
    from tests.services.team.running import Reply

    Attempt = Callable[["Scene"], Awaitable[Reply]]

AT_ONCE = 5


@dataclass
class Scene(Account):
    """An account of its own for one race, stored as after the requests that made it."""

    invitations: dict[str, str] = field(default_factory=dict)
    """By the name of the person who is invited."""

    @property
    def store(self) -> Store:
        """The rows of team."""
        return Store(self.team.database)

    async def accept(self, name: str) -> Reply:
        """The person accepts their invitation."""
        proof = await self.team.proof(self.invitations[name], generation=1)
        return await self.people[name].send("POST", "/v1/invitations/accept", proof)

    async def roles(self) -> dict[str, str]:
        """The role of each member, by name."""
        return {one.name: one.role for one in await self.store.members(AccountId(self.id))}

    async def row(self) -> accounts.Account:
        """The account's row."""
        found = await self.store.account(AccountId(self.id))
        assert found is not None
        return found

    async def invitation(self, name: str) -> Invitation:
        """The invitation of this person."""
        found = await self.store.invitation_of_link(self.invitations[name])
        assert found is not None
        return found


def membership_of(account_id: str, person: Person, role: str) -> Membership:
    """The row of a member."""
    return Membership(
        account_id=AccountId(account_id),
        user_id=UserId(person.user_id),
        membership_id=MembershipId(new_id("mem")),
        role=role,
        email=person.email,
        email_key=person.email,
        name=person.name,
        joined_at=person.team.clock.now(),
    )


async def scene(
    team: Team,
    members: Mapping[str, str],
    *,
    invited: Mapping[str, tuple[str, str]] | None = None,
    catalog: Catalog | None = None,
    roles: tuple[CustomRole, ...] = (),
    offer: Callable[[Membership, Membership], OwnershipOffer] | None = None,
) -> Scene:
    """A team with an owner and these `members` by role.

    `invited` has the inviter and the role of each person with an open invitation. `offer` gets the
    owner and the first member.
    """
    store, now = Store(team.database), team.clock.now()
    owner = team.stranger("Owner")
    people = {name: team.stranger(name) for name in (*members, *(invited or {}))}
    made = Scene(team=team, id=owner.account_id, owner=owner, people=people)
    owning = membership_of(made.id, owner, "owner")
    rows = {name: membership_of(made.id, people[name], role) for name, role in members.items()}
    account = accounts.Account(
        account_id=AccountId(made.id),
        kind=AccountKind.TEAM,
        status=AccountStatus.ACTIVE,
        name="Engines",
        owner_user_id=owning.user_id,
        catalog=(catalog or load_catalog("standard")).id,
        account_rev=1,
        created_at=now,
        roles=roles,
        offer=None if offer is None else offer(owning, next(iter(rows.values()))),
    )
    invitations = []
    for name, (inviter_name, role) in (invited or {}).items():
        inviter = {"Owner": owning, **rows}[inviter_name]
        made.invitations[name] = new_id("inv")
        invitations.append(
            Invitation(
                account_id=account.account_id,
                invitation_id=InvitationId(made.invitations[name]),
                email=people[name].email,
                email_key=people[name].email,
                role=role,
                delivery=Delivery.LINK,
                inviter_user_id=inviter.user_id,
                inviter_name=inviter.name,
                inviter_email=inviter.email,
                created_at=now,
                expires_at=None,
            )
        )

    async def work(session: DbSession) -> None:
        await store.insert_account(account, rev=1, session=session)
        for row in (owning, *rows.values()):
            await store.insert_member(row, rev=1, session=session)
        for invitation in invitations:
            await store.insert_invitation(invitation, now=now, session=session)

    await transact(team.client, work)
    return made


async def raced(
    make: Callable[[], Awaitable[Scene]],
    first: Attempt,
    second: Attempt,
    check: Callable[[Scene, Reply, Reply], Awaitable[str]],
    *,
    times: int,
) -> Counter[tuple[int, int, str]]:
    """Send both requests on a new account each time; how they were answered, and what `check` saw.

    Once the second one comes after the answer to the first, and once it is the other way round.
    In between each of them comes ever later, so that it meets every step of the other.
    """
    found: Counter[tuple[int, int, str]] = Counter()

    async def checked(where: Scene, one: Reply, other: Reply) -> None:
        found[one.status, other.status, await check(where, one, other)] += 1

    began = time.perf_counter()
    where = await make()
    answered = await first(where), await second(where)
    await checked(where, *answered)
    where = await make()
    last = await second(where)
    await checked(where, await first(where), last)
    longest = (time.perf_counter() - began) / 4

    async def once(share: float) -> None:
        where = await make()

        async def sent(attempt: Attempt, late: float) -> Reply:
            await asyncio.sleep(max(0.0, late * longest))
            return await attempt(where)

        await checked(where, *await asyncio.gather(sent(first, -share), sent(second, share)))

    left = [2 * (number + 1) / (times - 1) - 1 for number in range(times - 2)]
    for begin in range(0, len(left), AT_ONCE):
        await asyncio.gather(*map(once, left[begin : begin + AT_ONCE]))
    assert found.total() == times
    return found
