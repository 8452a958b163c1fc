"""No member gains what no giver held (B5, T2), from any account and for any attempt.

The real use cases and rules run over rows in memory. Each example is an account in any state and a
few attempts of its members; after each attempt, everything that any member holds in any place, now
or later, was theirs before or was held by the giver, now and then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall import (
    AccountState,
    Catalog,
    CompiledCatalog,
    Delivery,
    Matrix,
    Member,
    effective_matrix,
    milliseconds,
    resting_on,
    settled,
)
from services.team.domain.authority import account_state, member_state
from services.team.domain.invitations import Invitation
from services.team.domain.member_rules import MemberChange
from services.team.domain.overrides import ProjectOverride, parse_grants
from services.team.use_cases import invitation_acceptance, invitations, members, overrides
from shared.addresses import parse_address
from shared.ids import InvitationId, UserId
from shared.links import Link
from shared.problems import Refusal
from tests.services.team.led_catalog import GRANTS, HOUR, ROLES, WEEK, catalog_with_a_lead
from tests.services.team.memory import (
    ACCOUNT,
    PROJECT,
    Memory,
    caller_of,
    finished,
    memory,
    user_id,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

PEOPLE = ("owner", "ana", "bea", "cem")
GUESTS = ("gus", "hal")
CLEARED = {"clearance": "prod"}
"""The attributes with which the lead's conditional grant counts."""


def catalog_with_a_condition() -> Catalog:
    """The catalog whose lead has instances of others only with a clearance."""
    content: Any = catalog_with_a_lead().to_mapping()
    [lead] = [role for role in content["roles"] if role["id"] == "lead"]
    cleared = {"path": "subject.properties.clearance", "equals": CLEARED["clearance"]}
    lead["grants"]["instance"] = {"write": ["self", {"scope": "all", "when": cleared}]}
    return Catalog.from_mapping(content)


CATALOG = CompiledCatalog(catalog_with_a_condition())
INVITE = CATALOG.permissions["member:invite"].bit
PARSED = {name: parse_grants(CATALOG.catalog, grants) for name, grants in GRANTS.items()}
LASTING = (None, 60, HOUR)
MANAGERS = ("admin", "lead")


@dataclass(frozen=True)
class Picture:
    """What every member holds in every place, and who is the inviter of which open invitation."""

    now: int
    state: AccountState
    holders: dict[str, Member]
    """The members with the conditions that their attributes decide."""
    pending: dict[str, tuple[str, str]]

    def held(self, member_id: str, place: str | None, moment: int) -> Matrix | None:
        """What the member holds with the attributes that they have."""
        member = self.holders.get(member_id)
        if member is None:
            return None
        return effective_matrix(self.state, member, place, now=moment)

    def if_met(self, member_id: str, place: str | None, moment: int) -> Matrix | None:
        """What the member holds where every condition on attributes is met."""
        member = self.state.members.get(member_id)
        if member is None:
            return None
        found = effective_matrix(self.state, member, place, now=moment)
        return found.together_with(resting_on(found, CLEARED))

    @property
    def ends(self) -> set[int]:
        """When an override ends by itself."""
        return {
            override.expires_at
            for member in self.state.members.values()
            for override in member.overrides.values()
            if override.expires_at is not None and override.expires_at > self.now
        }


def picture(world: Memory) -> Picture:
    """Read the rows, and let the decision core say what they mean."""
    store, now = world.store, world.clock.now()
    state_members = [
        member_state(
            CATALOG,
            member,
            [one for one in store.overridden.values() if one.user_id == member.user_id],
        )
        for member in store.memberships.values()
    ]
    state = account_state(store.rows[ACCOUNT], CATALOG, state_members, [PROJECT])
    pending: dict[str, tuple[str, str]] = {
        one.invitation_id: (str(one.inviter_user_id), one.role)
        for one in store.invited.values()
        if one.open(now)
    }
    holders = {user: settled(member) for user, member in state.members.items()}
    return Picture(milliseconds(now), state, holders, pending)


def beyond(more: Matrix, held: Matrix | None) -> tuple[int, int]:
    """The bits that `more` has for all, and for own resources, and `held` has not."""
    everyones = 0 if held is None else held.all_mask
    own = 0 if held is None else held.all_mask | held.self_mask
    return more.all_mask & ~everyones, more.self_mask & ~own


def check_gain(before: Picture, after: Picture, giver_id: str, attempt: Attempt) -> None:
    """No member holds more than before, unless the giver held it: now, and at that moment.

    The giver of a role need not meet its conditions. The one who set the attributes had to.
    """
    given = before.held if attempt.kind == "attributes" else before.if_met
    moments = sorted({after.now} | before.ends | after.ends)
    for member_id, place, moment in product(after.state.members, (None, PROJECT), moments):
        holds = after.held(member_id, place, moment)
        assert holds is not None
        gained = beyond(holds, before.held(member_id, place, moment))
        if not any(gained):
            continue
        more = Matrix(source="gained", all_mask=gained[0], self_mask=gained[1])
        for when in (after.now, moment):
            lacks = beyond(more, given(giver_id, place, when))
            assert not any(lacks), f"{attempt}: {member_id} gained in {place} at {moment}"


def check_invitations(now: Picture) -> None:
    """Every open invitation has an inviter who may give its role (`Rp5`)."""
    for inviter_id, role in now.pending.values():
        for place in (None, PROJECT):
            held = now.held(inviter_id, place, now.now)
            assert held is not None
            assert held.all_mask & INVITE
            assert not any(beyond(CATALOG.roles[role], held))


@dataclass(frozen=True)
class Attempt:
    """What one member tries."""

    kind: str
    actor: str
    whom: str
    role: str
    grants: str
    lasting: int | None
    wait: int


@dataclass(frozen=True)
class Start:
    """The account before the attempts: roles, overrides, and invitations by guest."""

    roles: dict[str, str]
    overrides: dict[str, tuple[str, int | None]]
    invited: dict[str, tuple[str, str]]


lasting = st.sampled_from(LASTING)
attempts = st.builds(
    Attempt,
    kind=st.sampled_from(
        [
            "override",
            "override",
            "override",
            "lift",
            "lift",
            "change_role",
            "invite",
            "end",
            "accept",
            "resend",
            "attributes",
            "attributes",
        ]
    ),
    actor=st.sampled_from(PEOPLE[1:]) | st.sampled_from(PEOPLE),
    whom=st.sampled_from(PEOPLE[1:]),
    role=st.sampled_from(ROLES),
    grants=st.sampled_from(sorted(GRANTS)),
    lasting=lasting,
    wait=st.sampled_from([0, 0, 60, HOUR, WEEK]),
)
starts = st.builds(
    Start,
    roles=st.fixed_dictionaries(
        {"ana": st.sampled_from(MANAGERS), "bea": st.sampled_from(ROLES)},
        optional={"cem": st.sampled_from(ROLES)},
    ),
    overrides=st.dictionaries(
        st.sampled_from(PEOPLE[1:]), st.tuples(st.sampled_from(sorted(GRANTS)), lasting)
    ),
    invited=st.dictionaries(
        st.sampled_from(GUESTS), st.tuples(st.sampled_from(PEOPLE[:3]), st.sampled_from(ROLES))
    ),
)


def account_of(start: Start) -> Memory:
    """The account of an example, with those invitations that their inviters may give."""
    world = memory(CATALOG)
    for name, role in start.roles.items():
        world.add(name, role)
    for name in (*PEOPLE, *GUESTS):
        world.know(name)
    for name, (grants, seconds) in start.overrides.items():
        if name in start.roles:
            row = override_of(world, name, grants, seconds)
            world.store.overridden[PROJECT, row.user_id] = row
    for guest, (inviter, role) in start.invited.items():
        tried = invitations.create(
            world.ctx,
            world.request(inviter, "member:invite"),
            address=parse_address(f"{guest}@example.com"),
            role_id=role,
            delivery=Delivery.LINK,
        )
        outcome(tried)
    return world


def override_of(world: Memory, name: str, grants: str, seconds: int | None) -> ProjectOverride:
    return ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=user_id(name),
        membership_id=world.store.memberships[user_id(name)].membership_id,
        grants=PARSED[grants],
        expires_at=end(world, seconds),
        given_by=user_id("owner"),
        given_at=world.clock.now(),
    )


def end(world: Memory, seconds: int | None) -> datetime | None:
    return None if seconds is None else world.clock.now() + timedelta(seconds=seconds)


def outcome(tried: Coroutine[Any, Any, Any]) -> str:
    """The code of the refusal, or `done`."""
    try:
        finished(tried)
    except Refusal as refusal:
        return refusal.code
    return "done"


def perform(world: Memory, attempt: Attempt) -> tuple[str, str]:
    """Try it; returns who gives by it, and the outcome."""
    ctx, actor, whom = world.ctx, attempt.actor, user_id(attempt.whom)
    giver, update = str(user_id(actor)), world.request(actor, "member:update")
    inside = world.request(actor, "member:update", inside=True)
    match attempt.kind:
        case "override":
            tried: Any = overrides.put(
                ctx,
                inside,
                user_id=whom,
                grants=GRANTS[attempt.grants],
                expires_at=end(world, attempt.lasting),
            )
        case "lift":
            tried = overrides.remove(ctx, inside, user_id=whom)
        case "change_role":
            tried = members.change(
                ctx, update, user_id=whom, wanted=MemberChange(role=attempt.role)
            )
        case "attributes":
            wanted = MemberChange(attributes=CLEARED if attempt.grants != "nothing" else {})
            tried = members.change(ctx, update, user_id=whom, wanted=wanted)
        case "end" if attempt.actor == attempt.whom:
            tried = members.leave(ctx, world.request(actor, "account:view"))
        case "end":
            tried = members.remove(ctx, world.request(actor, "member:remove"), user_id=whom)
        case "invite":
            tried = invitations.create(
                ctx,
                world.request(actor, "member:invite"),
                address=parse_address(f"{GUESTS[len(attempt.grants) % 2]}@example.com"),
                role_id=attempt.role,
                delivery=Delivery.LINK,
            )
        case _:
            return on_invitation(world, attempt)
    return giver, outcome(tried)


def on_invitation(world: Memory, attempt: Attempt) -> tuple[str, str]:
    pending = [one for one in world.store.invited.values() if one.status == "pending"]
    if not pending:
        return user_id(attempt.actor), "nothing"
    invitation: Invitation = pending[0]
    if attempt.kind == "resend":
        request = world.request(attempt.actor, "member:invite")
        tried: Any = invitations.resend(
            world.ctx, request, invitation_id=InvitationId(invitation.invitation_id)
        )
        return user_id(attempt.actor), outcome(tried)
    was_open = invitation.open(world.clock.now())
    link = Link(invitation.invitation_id, invitation.generation)
    guest = invitation.email.partition("@")[0]
    tried = invitation_acceptance.accept(
        world.ctx,
        user_id=UserId(user_id(guest)),
        token=world.ctx.links.token(link),
        code=world.ctx.links.code(link),
        caller=caller_of(guest),
        operation="acceptInvitation",
    )
    said = outcome(tried)
    assert (said == "done") is was_open, "an open invitation opens (Rp5)"
    return invitation.inviter_user_id, said


OUTCOMES: Counter[tuple[str, str]] = Counter()


@settings(
    max_examples=2_000,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(start=starts, tries=st.lists(attempts, min_size=1, max_size=4))
def no_member_gains_what_no_giver_held(start: Start, tries: list[Attempt]) -> None:
    world = account_of(start)
    before = picture(world)
    check_invitations(before)
    for attempt in tries:
        giver, said = perform(world, attempt)
        OUTCOMES[attempt.kind, said] += 1
        after = picture(world)
        if said == "done":
            check_gain(before, after, giver, attempt)
            check_invitations(after)
        else:
            assert after == before, "a refused attempt changes nothing"
        owners = [one.user_id for one in world.store.memberships.values() if one.role == "owner"]
        assert owners == [user_id("owner")]
        before = after
        if attempt.wait:
            world.clock.move(attempt.wait)
            before = picture(world)
            check_invitations(before)


@pytest.mark.rule("B5", "Rp5", "Ci9", "T2")
def test_no_member_gains_what_no_giver_held() -> None:
    OUTCOMES.clear()
    no_member_gains_what_no_giver_held()
    for kind in ("override", "lift", "change_role", "invite", "resend", "attributes"):
        assert OUTCOMES[kind, "done"] > 15, (kind, OUTCOMES)
        assert OUTCOMES[kind, "grants-exceeded"] > 15, (kind, OUTCOMES)
    assert OUTCOMES["accept", "done"] > 15
    assert OUTCOMES["end", "done"] > 15
