"""No member gains what no giver held (B5, T2): three long examples on a running team.

Each begins with attempts that a defect in the rules would let through, and goes on with seeded
random ones. Thousands of short examples run on the rules alone, in
`domain/test_escalation_rules.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import AccountState, Member, effective_matrix, milliseconds
from services.team.domain.authority import account_state, member_state
from services.team.store import Store
from shared.ids import AccountId, ProjectId
from tests.services.team.led_catalog import CATALOG, GRANTS, HOUR, ROLES, WEEK
from tests.services.team.running import Account, Person, Team

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Held = dict[str, str]
"""Permission → `all` or `self`."""

STEPS = 15
"""Random attempts of one example."""


@dataclass(frozen=True)
class Picture:
    """What every member holds in every place, now and later, and who is the inviter of what."""

    now: int
    state: AccountState
    roles: dict[str, str]
    invited: frozenset[str]
    pending: dict[str, tuple[str, str]]
    """The open ones of `invited`: inviter and role."""

    def of(self, user_id: str, place: str | None, moment: int | None = None) -> Held:
        member = self.state.members.get(user_id)
        if member is None:
            return {}
        now = self.now if moment is None else moment
        return CATALOG.held(effective_matrix(self.state, member, place, now=now))

    @property
    def overrides(self) -> dict[str, int | None]:
        """Who is overridden, and until when."""
        return {
            user_id: override.expires_at
            for user_id, member in self.state.members.items()
            for override in member.overrides.values()
        }

    @property
    def changes(self) -> set[int]:
        """The moments at which an override ends by itself."""
        return {end for end in self.overrides.values() if end is not None and end > self.now}


def covers(giver: Held, permission: str, scope: str) -> bool:
    return giver.get(permission) in {"all", scope}


async def picture(account: Account, project_id: str) -> Picture:
    """Read the rows, and let the decision core say what they mean."""
    store, account_id = Store(account.team.database), AccountId(account.id)
    row = await store.account(account_id)
    assert row is not None
    members: dict[str, Member] = {}
    roles: dict[str, str] = {}
    for membership in await store.members(account_id):
        overrides = await store.overrides_of(account_id, membership.user_id)
        members[membership.user_id] = member_state(CATALOG, membership, overrides)
        roles[membership.user_id] = membership.role
    state = account_state(row, CATALOG, members.values(), [ProjectId(project_id)])
    now = account.team.clock.now()
    invitations = await account.pending()
    pending: dict[str, tuple[str, str]] = {
        invitation.invitation_id: (invitation.inviter_user_id, invitation.role)
        for invitation in invitations
        if invitation.open(now)
    }
    invited = frozenset(invitation.invitation_id for invitation in invitations)
    return Picture(milliseconds(now), state, roles, invited, pending)


class Example:
    """An account with an owner, an admin and a lead, a guest, and a check after each attempt."""

    def __init__(self, account: Account, project_id: str, people: list[Person]) -> None:
        self.account = account
        self.project_id = project_id
        self.owner, self.admin, self.lead, self.guest = self.people = people
        self.guests: dict[str, Person] = {}
        self.before: Picture

    @staticmethod
    async def on(team: Team) -> Example:
        await team.publish(CATALOG.catalog)
        account = await team.account(CATALOG.id)
        made = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
        people = [account.owner, await account.join("admin"), await account.join("lead")]
        example = Example(account, made.expect(201)["id"], [*people, team.stranger("Guest")])
        await example.look()
        return example

    async def look(self) -> None:
        self.before = await picture(self.account, self.project_id)
        self._check_invariants()

    async def step(
        self,
        actor: Person,
        method: str,
        path: str,
        body: Any = None,
        *,
        giver: str | None = None,
    ) -> int:
        """Try it, and check that every gain of a member was held by the giver.

        A gain at a later moment has to be held by the giver now and at that moment.
        """
        answer = await actor.send(method, path, body)
        assert answer.status < 500, answer.body
        after = await picture(self.account, self.project_id)
        if answer.status >= 400:
            assert after == self.before, answer.body
        giver_id = giver or actor.user_id
        moments = sorted({after.now} | self.before.changes | after.changes)
        for user_id, place, moment in product(after.roles, (None, self.project_id), moments):
            had = self.before.of(user_id, place, moment)
            given_by = [self.before.of(giver_id, place, when) for when in (after.now, moment)]
            for permission, scope in after.of(user_id, place, moment).items():
                assert covers(had, permission, scope) or all(
                    covers(held, permission, scope) for held in given_by
                ), f"{method} {path} {body}: {permission} ({scope}) in {place} at {moment}"
        self.before = after
        self._check_invariants()
        return answer.status

    def _check_invariants(self) -> None:
        """One owner, and every open invitation has an inviter who may give its role."""
        roles = self.before.roles
        assert [user for user, role in roles.items() if role == "owner"] == [self.owner.user_id]
        for inviter, role in self.before.pending.values():
            given = CATALOG.held(CATALOG.roles[role])
            for place in (None, self.project_id):
                held = self.before.of(inviter, place)
                assert held.get("member:invite") == "all"
                assert all(covers(held, name, scope) for name, scope in given.items())

    @property
    def inside(self) -> list[Person]:
        return [person for person in self.people if person.user_id in self.before.roles]

    @property
    def others(self) -> list[Person]:
        return [person for person in self.inside if person is not self.owner]

    @property
    def outside(self) -> list[Person]:
        return [person for person in self.people if person.user_id not in self.before.roles]

    async def override(self, actor: Person, whom: Person, grants: str, lasting: int | None) -> int:
        body: dict[str, Any] = {"grants": GRANTS[grants]}
        if lasting is not None:
            ends = self.account.team.clock.now() + timedelta(seconds=lasting)
            body["expires_at"] = ends.isoformat()
        return await self.step(actor, "PUT", self._override_path(whom), body)

    async def lift(self, actor: Person, whom: Person) -> int:
        return await self.step(actor, "DELETE", self._override_path(whom))

    async def change_role(self, actor: Person, whom: Person, role: str) -> int:
        status = await self.step(actor, "PATCH", self._member_path(whom), {"role": role})
        if actor is self.owner:
            assert status == (422 if role == "owner" else 200)
        return status

    async def end(self, actor: Person, whom: Person) -> int:
        if actor is whom:
            return await self.step(actor, "POST", f"{self.account.path}/leave")
        return await self.step(actor, "DELETE", self._member_path(whom))

    async def invite(self, actor: Person, guest: Person, role: str) -> int:
        body = {"email": guest.email, "role": role, "delivery": "link"}
        status = await self.step(actor, "POST", f"{self.account.path}/invitations", body)
        for invitation_id in self.before.invited - self.guests.keys():
            self.guests[invitation_id] = guest
        return status

    async def resend(self, actor: Person, invitation_id: str) -> None:
        """The member who resends is the inviter from then on, whether it had expired or not."""
        path = f"{self.account.path}/invitations/{invitation_id}/resend"
        status = await self.step(actor, "POST", path)
        assert status == 200 or actor is not self.owner
        if status == 200:
            assert self.before.pending[invitation_id][0] == actor.user_id

    async def accept(self) -> None:
        for invitation_id, (inviter, _) in list(self.before.pending.items()):
            proof = await self.account.team.proof(invitation_id)
            guest = self.guests[invitation_id]
            status = await self.step(guest, "POST", "/v1/invitations/accept", proof, giver=inviter)
            assert status == 200, "an open invitation opens (Rp5)"

    async def attempt(self, chance: random.Random) -> None:
        """One random attempt."""
        actor = chance.choice(self.inside)
        whom = chance.choice(self.others or self.inside)
        lasting = chance.choice([None, 60, HOUR])
        match chance.choice(
            ["override", "override", "lift", "role", "end", "invite", "resend", "accept", "wait"]
        ):
            case "override" if whom is not self.owner:
                await self.override(actor, whom, chance.choice(list(GRANTS)), lasting)
            case "lift" if whom is not self.owner:
                await self.lift(actor, whom)
            case "role" if whom is not self.owner:
                await self.change_role(actor, whom, chance.choice([*ROLES, "owner"]))
            case "end" if len(self.others) > 1:
                await self.end(actor, whom)
            case "invite" if self.outside:
                guest = chance.choice(self.outside)
                await self.invite(actor, guest, chance.choice(ROLES))
            case "resend" if self.before.invited:
                await self.resend(actor, chance.choice(sorted(self.before.invited)))
            case "wait":
                self.account.team.clock.move(chance.choice([60, HOUR, WEEK]))
                await self.look()
            case _:
                await self.accept()

    def _member_path(self, whom: Person) -> str:
        return f"{self.account.path}/members/{whom.user_id}"

    def _override_path(self, whom: Person) -> str:
        project = f"{self.account.path}/projects/{self.project_id}"
        return f"{project}/overrides/{whom.user_id}"


async def a_member_raised_for_a_time(example: Example) -> None:
    owner, lead = example.owner, example.lead
    assert await example.override(owner, lead, "everything", HOUR) == 200
    assert await example.override(lead, lead, "everything", None) == 403
    assert await example.override(lead, example.admin, "work", HOUR) == 200
    await example.lift(lead, example.admin)


async def a_member_lowered_for_good(example: Example) -> None:
    owner, admin, lead = example.owner, example.admin, example.lead
    assert await example.invite(admin, example.guest, "developer") == 201
    assert await example.override(owner, admin, "steer", None) == 200
    assert await example.change_role(admin, lead, "developer") == 403
    assert await example.override(admin, lead, "everything", None) == 403
    assert await example.lift(admin, admin) == 403
    assert await example.invite(admin, example.guest, "developer") == 403
    await example.accept()
    assert await example.change_role(admin, example.guest, "admin") == 403


async def a_member_lowered_for_a_time(example: Example) -> None:
    owner, admin = example.owner, example.admin
    assert await example.override(owner, admin, "steer", HOUR) == 200
    assert await example.override(admin, admin, "steer", 60) == 403
    assert await example.invite(admin, example.guest, "basic") == 403
    assert await example.invite(example.lead, example.guest, "basic") == 201
    assert await example.end(owner, example.lead) == 200
    await example.accept()


OPENINGS: dict[int, Callable[[Example], Awaitable[None]]] = {
    1: a_member_raised_for_a_time,
    2: a_member_lowered_for_good,
    3: a_member_lowered_for_a_time,
}


@pytest.mark.rule("B5", "Rp5", "Ci9", "T2")
@pytest.mark.parametrize("seed", OPENINGS)
async def test_no_member_of_a_running_team_gains_what_no_giver_held(team: Team, seed: int) -> None:
    example = await Example.on(team)
    await OPENINGS[seed](example)
    chance = random.Random(seed)
    for _ in range(STEPS):
        await example.attempt(chance)
