"""What a member gives is bounded by their role and by each override of theirs: a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Delivery, Matrix
from services.team.domain import invitation_resend, invitations
from services.team.domain.account_access import AccessRows, AccountAccess, authorize
from services.team.domain.authority import GrantsExceeded, grants_gained, may_invite_with
from services.team.domain.invitations import Invitation, InvitationContext
from services.team.domain.member_rules import MemberChange, change
from services.team.domain.overrides import ProjectOverride, parse_grants
from shared.addresses import parse_address
from shared.ids import InvitationId, ProjectId
from tests.services.team.led_catalog import CATALOG, GRANTS
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, memory, user_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.team.domain.members import Membership

OTHER_PROJECT = ProjectId("prj_" + "0d" * 16)
GUEST = parse_address("guest@example.com")
INVITATION = InvitationId("inv_" + "0c" * 16)
NONE_THERE = InvitationContext(members=0, open_invitations=0)
# the giver's role, their overrides (in one project, in another), may they give `developer`
GIVERS: list[tuple[str, Sequence[str], bool]] = [
    ("admin", (), True),
    ("admin", ("everything",), True),
    ("admin", ("everything", "everything"), True),
    ("admin", ("look",), False),
    ("admin", ("nothing",), False),
    ("admin", ("everything", "look"), False),
    ("admin", ("look", "everything"), False),
    ("lead", (), False),
    ("lead", ("everything",), False),
    ("lead", ("everything", "everything"), False),
    ("lead", ("look",), False),
]


def access_of(world: Memory, giver: Membership, overrides: Sequence[str]) -> AccountAccess:
    """The giver, with an override in one project or in two."""
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=CATALOG,
        membership=giver,
        overrides=[
            ProjectOverride(
                account_id=ACCOUNT,
                project_id=project_id,
                user_id=giver.user_id,
                membership_id=giver.membership_id,
                grants=parse_grants(CATALOG.catalog, GRANTS[name]),
                expires_at=None,
                given_by=user_id("owner"),
                given_at=START,
            )
            for project_id, name in zip((PROJECT, OTHER_PROJECT), overrides, strict=False)
        ],
    )
    return authorize(rows, "account:view", now=START)


def invite(access: AccountAccess) -> Invitation:
    made = invitations.create(
        access,
        invitation_id=INVITATION,
        address=GUEST,
        role_id="developer",
        delivery=Delivery.LINK,
        context=NONE_THERE,
    )
    return made.invitation


def give_role(access: AccountAccess) -> str:
    world = memory(CATALOG)
    changed, _ = change(
        access, world.add("bea", "basic"), [], MemberChange(role="developer"), all_overrides=[]
    )
    return changed.role


def resend(access: AccountAccess) -> Invitation:
    """An invitation that the owner made."""
    world = memory(CATALOG)
    owner = access_of(world, world.store.memberships[user_id("owner")], ())
    again, _ = invitation_resend.resend(access, invite(owner), context=NONE_THERE)
    return again


WAYS: dict[str, Any] = {"invite": invite, "change a role": give_role, "send again": resend}


@pytest.mark.rule("B5", "T2")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("role", "overrides", "allowed"), GIVERS)
def test_a_member_gives_no_role_beyond_their_own_or_an_override(
    role: str, overrides: Sequence[str], way: str, *, allowed: bool
) -> None:
    world = memory(CATALOG)
    access = access_of(world, world.add("ana", role), overrides)
    assert allowed is may_invite_with(
        access.state, access.member, "developer", now=START, until=None
    )
    if allowed:
        assert WAYS[way](access)
        return
    with pytest.raises(GrantsExceeded):
        WAYS[way](access)


def test_an_override_that_is_over_bounds_nothing() -> None:
    world = memory(CATALOG)
    access = access_of(world, world.add("ana", "admin"), ["nothing"])
    [over] = [replace(one, expires_at=1) for one in access.member.overrides.values()]
    terms = replace(access.member.terms, overrides={PROJECT: over})
    member = replace(access.member, terms=terms)
    assert may_invite_with(access.state, member, "developer", now=START, until=None)


# what is held for all and for own resources, before and after; what is gained of each
GAINS: list[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = [
    ((0b00, 0b00), (0b01, 0b10), (0b01, 0b10)),
    ((0b01, 0b10), (0b01, 0b10), (0b00, 0b00)),
    ((0b11, 0b00), (0b00, 0b11), (0b00, 0b00)),
    ((0b00, 0b11), (0b01, 0b10), (0b01, 0b00)),
    ((0b10, 0b01), (0b00, 0b00), (0b00, 0b00)),
]


@pytest.mark.parametrize(("before", "after", "gained"), GAINS)
def test_who_holds_all_gains_no_own_resources(
    before: tuple[int, int], after: tuple[int, int], gained: tuple[int, int]
) -> None:
    held, then = (Matrix(source="x", all_mask=a, self_mask=own) for a, own in (before, after))
    more = grants_gained(held, then)
    assert (more.all_mask, more.self_mask) == gained
