"""Hand open invitations to a new inviter, in the change that made it necessary."""

from rolecall import Member
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
    if not open_invitations:
        return ()
    handover = hand_over(write.access, open_invitations, inviter=inviter, owner=await write.owner())
    await write.replace_invitations(handover.invitations)
    write.record(*handover.facts)
    return handover.invitations
