"""Hand open invitations to a new inviter, in the change that made it necessary."""

from collections import defaultdict
from collections.abc import Callable, Mapping

from rolecall import Member
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import member_state
from services.team.domain.invitation_handover import hand_over
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.use_cases.account_write import AccountWrite
from shared.ids import UserId


async def hand_over_invitations(
    write: AccountWrite,
    inviter_id: UserId,
    *,
    inviter: Member | None,
    access: AccountAccess | None = None,
) -> tuple[Invitation, ...]:
    """Hand over the open invitations of `inviter_id` whose role they may not give any more.

    `inviter` is that member after the change, `None` if the membership ends (`Rp5`). `access` is
    the acting member's after the change, if it has changed. Returns the invitations that passed,
    with their new inviters.
    """
    open_invitations = await write.open_invitations_of(inviter_id)
    return await _hand_over(write, access or write.access, open_invitations, inviter=inviter)


async def hand_over_after_provisioning(
    write: AccountWrite, access: AccountAccess, changed: Mapping[UserId, Membership | None]
) -> None:
    """Hand over the open invitations that these changes of members take from their inviters.

    `changed` has each member after the change, or `None`. `access` is the owner's.
    """
    by_inviter: defaultdict[UserId, list[Invitation]] = defaultdict(list)
    for invitation in await write.open_invitations():
        if invitation.inviter_user_id in changed:
            by_inviter[invitation.inviter_user_id].append(invitation)
    for inviter_id, open_invitations in sorted(by_inviter.items()):
        inviter, member = None, changed[inviter_id]
        if member is not None:
            overrides = await write.overrides_of(inviter_id)
            inviter = member_state(access.catalog, member, overrides)
        await _hand_over(write, access, open_invitations, inviter=inviter)


async def hand_over_after_role_change(
    write: AccountWrite, access: AccountAccess, role_id: str
) -> tuple[Invitation, ...]:
    """Hand over the open invitations that a change of this role takes from their inviters.

    A member who has the role may give less now; one who invited with it may have to hold more.
    `access` is the acting member's after the change.
    """

    def concerned(inviter: Membership | None, invitations: list[Invitation]) -> bool:
        has_role = inviter is None or inviter.role == role_id
        return has_role or any(invitation.role == role_id for invitation in invitations)

    return await _hand_over_each(write, access, concerned)


async def hand_over_after_move(
    write: AccountWrite, access: AccountAccess
) -> tuple[Invitation, ...]:
    """Hand over the open invitations whose inviter may not give their role in the new catalog.

    `access` is the owner's after the move.
    """
    return await _hand_over_each(write, access)


async def _hand_over_each(
    write: AccountWrite,
    access: AccountAccess,
    concerned: Callable[[Membership | None, list[Invitation]], bool] | None = None,
) -> tuple[Invitation, ...]:
    """Look at the open invitations of each inviter who is concerned, by default of each one."""
    by_inviter: defaultdict[UserId, list[Invitation]] = defaultdict(list)
    for invitation in await write.open_invitations():
        by_inviter[invitation.inviter_user_id].append(invitation)
    passed: list[Invitation] = []
    for inviter_id, invitations in sorted(by_inviter.items()):
        membership = await write.find_member(inviter_id)
        if concerned is not None and not concerned(membership, invitations):
            continue
        inviter = None
        if membership is not None:
            overrides = await write.overrides_of(inviter_id)
            inviter = member_state(access.catalog, membership, overrides)
        passed += await _hand_over(write, access, invitations, inviter=inviter)
    return tuple(passed)


async def _hand_over(
    write: AccountWrite,
    access: AccountAccess,
    open_invitations: list[Invitation],
    *,
    inviter: Member | None,
) -> tuple[Invitation, ...]:
    if not open_invitations:
        return ()
    owner = await write.member(access.account.owner_user_id)
    handover = hand_over(access, open_invitations, inviter=inviter, owner=owner)
    await write.replace_invitations(handover.invitations)
    write.record(*handover.facts)
    return handover.invitations
