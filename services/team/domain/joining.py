"""When does an invitation open the account, and for whom?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.team.domain.accounts import Account
from services.team.domain.invitations import Invitation, InvitationStatus, named
from services.team.domain.members import Membership
from shared.addresses import Address
from shared.contracts import team
from shared.contracts.facts import Fact
from shared.contracts.refusals import InvitationNotValid
from shared.ids import MembershipId, UserId

WRONG_CODES = 10
"""After this many wrong codes the link is dead until it is sent again."""


@dataclass(frozen=True, kw_only=True)
class Invitee:
    """The signed-in user who answers, as identity knows them at this moment."""

    user_id: UserId
    address: Address
    name: str


def decline(invitation: Invitation, *, account: Account) -> tuple[Invitation, Fact]:
    """Whoever holds the link says no."""
    declined = replace(invitation, status=InvitationStatus.DECLINED)
    fact = Fact(
        payload=team.InvitationDeclined(
            **named(invitation, account),
            inviter_user_id=invitation.inviter_user_id,
            inviter_email=invitation.inviter_email,
        ),
        resource=invitation.ref(),
        before={"status": invitation.status.value},
        after={"status": declined.status.value},
    )
    return declined, fact


def accept(
    invitation: Invitation,
    *,
    account: Account,
    invitee: Invitee,
    role_title: str,
    email_lock: bool,
    membership_id: MembershipId,
    now: datetime,
) -> tuple[Invitation, Membership, Sequence[Fact]]:
    """The invited user joins, with the invitation's role (`Rp7`, `Ro10`, `Nv14`).

    Raises:
        InvitationNotValid: it is closed or over, or the verified address is another (`Ro9`).
    """
    another_address = email_lock and invitee.address.key != invitation.email_key
    if not invitation.open(now) or another_address:
        raise InvitationNotValid
    member = Membership(
        account_id=account.account_id,
        user_id=invitee.user_id,
        membership_id=membership_id,
        role=invitation.role,
        email=invitee.address.typed,
        email_key=invitee.address.key,
        name=invitee.name,
        joined_at=now,
        invited_by=invitation.inviter_user_id,
    )
    accepted = replace(
        invitation,
        status=InvitationStatus.ACCEPTED,
        accepted_by=invitee.user_id,
        membership_id=membership_id,
    )
    joined = Fact(
        payload=team.MemberJoined(
            account_name=account.name,
            user_id=member.user_id,
            email=member.email,
            name=member.name,
            role=member.role,
            invitation_id=invitation.invitation_id,
        ),
        resource=member.ref(),
        after={"role": member.role, "membership_id": membership_id},
        policy_objects=(member.policy_object(),),
    )
    told = Fact(
        payload=team.InvitationAccepted(
            **named(invitation, account),
            role_title=role_title,
            user_id=invitee.user_id,
            name=invitee.name,
            inviter_user_id=invitation.inviter_user_id,
            inviter_email=invitation.inviter_email,
        ),
        resource=accepted.ref(),
        before={"status": invitation.status.value},
        after={"status": accepted.status.value, "user_id": invitee.user_id},
    )
    return accepted, member, (told, joined)
