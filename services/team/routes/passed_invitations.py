"""The invitations that a change passed to another inviter, as its answer lists them."""

from collections.abc import Sequence

from services.team.domain.invitations import Invitation
from shared.http.routes import Answer
from shared.ids import InvitationId, UserId


class PassedInvitationView(Answer):
    """An open invitation whose maker may not give its role any more; its link still works.

    `invited_by` is the inviter from now on. Delete the invitation if the person shall not join.
    """

    id: InvitationId
    email: str
    role: str
    passed_from: UserId
    passed_from_name: str
    invited_by: UserId
    invited_by_name: str


class PassedInvitations(Answer):
    """The answer of a removal after which invitations of the member have another inviter."""

    passed_invitations: list[PassedInvitationView]


def passed_views(passed: Sequence[Invitation]) -> list[PassedInvitationView]:
    """The invitations that passed, each with the members from whom and to whom."""
    return [
        PassedInvitationView(
            id=invitation.invitation_id,
            email=invitation.email,
            role=invitation.role,
            passed_from=invitation.passed_from,
            passed_from_name=invitation.passed_from_name or "",
            invited_by=invitation.inviter_user_id,
            invited_by_name=invitation.inviter_name,
        )
        for invitation in passed
        if invitation.passed_from is not None
    ]
