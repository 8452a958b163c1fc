"""Members and open invitations take seats; an expired invitation takes none and frees none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Catalog, CompiledCatalog, Delivery, load_catalog
from services.team.domain.catalog_mapping import NO_MAPPING
from services.team.domain.invitations import Invitation
from services.team.use_cases import invitation_acceptance, invitations
from services.team.use_cases.catalog_moves import move_account
from shared.addresses import parse_address
from shared.ids import InvitationId
from shared.links import Link
from shared.problems import Refusal
from tests.services.team.memory import ACCOUNT, START, Memory, caller_of, finished, memory, user_id
from tests.services.team.provisioning import know, provision

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LIMIT = 3
OPEN, EXPIRED, NO_INVITATION = timedelta(days=1), timedelta(days=-1), None
INVITATION = InvitationId("inv_" + "0c" * 16)


def limited_to(members: int) -> CompiledCatalog:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    policies = content["policies"] | {"member_limit": members}
    return CompiledCatalog(Catalog.from_mapping(content | {"policies": policies}))


LIMITED, ROOMY = limited_to(LIMIT), limited_to(LIMIT + 5)


def invite_another(world: Memory) -> str | None:
    created = invitations.create(
        world.ctx,
        world.request("owner", "member:invite"),
        address=parse_address("other@example.com"),
        role_id="basic",
        delivery=Delivery.LINK,
    )
    return refusal_of(created)


def resend(world: Memory) -> str | None:
    request = world.request("owner", "member:invite")
    return refusal_of(invitations.resend(world.ctx, request, invitation_id=INVITATION))


def accept(world: Memory) -> str | None:
    link = Link(INVITATION, world.store.invited[INVITATION].generation)
    accepted = invitation_acceptance.accept(
        world.ctx,
        user_id=user_id("guest"),
        token=world.ctx.links.token(link),
        code=world.ctx.links.code(link),
        caller=caller_of("guest"),
        operation="acceptInvitation",
    )
    return refusal_of(accepted)


def provision_invitee(world: Memory) -> str | None:
    [outcome] = provision(world, {"external_id": "guest", "role": "basic"})
    return None if outcome == "added" else outcome


def provision_another(world: Memory) -> str | None:
    [outcome] = provision(world, {"external_id": "other", "role": "basic"})
    return None if outcome == "added" else outcome


def move(world: Memory) -> str | None:
    world.store.compiled[LIMITED.id] = LIMITED
    request = world.request("owner", "account:update")
    return refusal_of(move_account(world.ctx, request, catalog_name=LIMITED.id, mapping=NO_MAPPING))


def refusal_of(work: Coroutine[Any, Any, object]) -> str | None:
    try:
        finished(work)
    except Refusal as refused:
        return refused.code
    return None


# what is done, and how many seats more it takes by the invitation that the guest has
TAKES: dict[Callable[[Memory], str | None], dict[timedelta | None, int]] = {
    invite_another: {OPEN: 1, EXPIRED: 1, NO_INVITATION: 1},
    resend: {OPEN: 0, EXPIRED: 1},
    accept: {OPEN: 0},
    provision_invitee: {OPEN: 0, EXPIRED: 1, NO_INVITATION: 1},
    provision_another: {OPEN: 1, EXPIRED: 1, NO_INVITATION: 1},
    move: {OPEN: 0, EXPIRED: 0, NO_INVITATION: 0},
}
CASES = [
    (act, invited, taken, taken + more)
    for act, seats in TAKES.items()
    for taken in range(1, LIMIT + (2 if act is move else 1))
    for invited, more in seats.items()
]


@pytest.mark.rule("Nv12", "Ro12")
@pytest.mark.parametrize(("act", "invited", "taken", "after"), CASES)
def test_each_use_of_a_seat_counts_members_and_open_invitations(
    act: Callable[[Memory], str | None], invited: timedelta | None, taken: int, after: int
) -> None:
    """`taken` are all seats or fewer, for a move also more; an expired one is beside them."""
    world = memory(ROOMY if act is move else LIMITED)
    know(world, "guest", "other")
    for number in range(taken - (invited == OPEN)):
        world.add(f"member{number}", "basic")
    if invited is not None:
        world.store.invited[INVITATION] = invitation_until(invited)

    refused = act(world)

    fits = after <= LIMIT
    assert refused == (None if fits else "catalog-too-small" if act is move else "member-limit")
    seats = len(world.store.memberships) - 1
    seats += sum(one.open(START) for one in world.store.invited.values())
    assert seats == (after if fits else taken)


def invitation_until(lasts: timedelta) -> Invitation:
    return Invitation(
        account_id=ACCOUNT,
        invitation_id=INVITATION,
        email="guest@example.com",
        email_key="guest@example.com",
        role="basic",
        delivery=Delivery.LINK,
        inviter_user_id=user_id("owner"),
        inviter_name="Owner",
        inviter_email="owner@example.com",
        created_at=START - timedelta(days=8),
        expires_at=START + lasts,
    )
