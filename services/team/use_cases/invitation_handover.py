"""Hand open invitations to a new inviter, in the change that made it necessary."""

from collections import defaultdict

from rolecall import Member
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import member_state
from services.team.domain.invitation_handover import hand_over
from services.team.domain.invitations import Invitation
from services.team.use_cases.account_write import AccountWrite
from shared.ids import UserId


async def hand_over_invitations(
    write: AccountWrite, inviter_id: UserId, *, inviter: Member | None
) -> tuple[Invitation, ...]:
    """Hand over the open invitations of `inviter_id` whose role they may not give any more.

    `inviter` is that member after the change, `None` if the membership ends (`Rp5`). Returns the
    invitations that passed, with their new inviters.
    """
    open_invitations = await write.open_invitations_of(inviter_id)
    return await _hand_over(write, write.access, open_invitations, inviter=inviter)


async def hand_over_after_role_change(
    write: AccountWrite, access: AccountAccess, role_id: str
) -> tuple[Invitation, ...]:
    """Hand over the open invitations that a change of this role takes from their inviters.

    A member who has the role may give less now; one who invited with it may have to hold more.
    `access` is the acting member's after the change.
    """
    by_inviter: defaultdict[UserId, list[Invitation]] = defaultdict(list)
    for invitation in await write.open_invitations():
        by_inviter[invitation.inviter_user_id].append(invitation)
    passed: list[Invitation] = []
    for inviter_id, invitations in sorted(by_inviter.items()):
        membership = await write.find_member(inviter_id)
        has_role = membership is None or membership.role == role_id
        if not has_role and all(invitation.role != role_id for invitation in invitations):
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
