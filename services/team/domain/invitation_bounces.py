"""What follows when the mail of an invitation could not be delivered."""

from dataclasses import replace
from datetime import datetime

from rolecall import CompiledCatalog
from services.team.domain.accounts import Account
from services.team.domain.invitation_resend import offered
from services.team.domain.invitations import Invitation, InvitationStatus, payload_fields
from shared.contracts import team
from shared.contracts.facts import Fact, Outcome


def bounce(
    invitation: Invitation | None,
    *,
    account: Account,
    catalog: CompiledCatalog,
    generation: int,
    reply: str,
    because: str | None,
    now: datetime,
) -> tuple[Invitation, Fact] | None:
    """Mark the invitation, and tell its inviter; `None` if its newest link is another one.

    `generation` is that of the link in the mail, and `reply` what the mail server said; `because`
    says why in a word.
    """
    if invitation is None or invitation.account_id != account.account_id:
        return None
    if invitation.status is not InvitationStatus.PENDING or invitation.generation != generation:
        return None
    fact = Fact(
        payload=team.InvitationBounced(
            **payload_fields(invitation, account),
            inviter_user_id=invitation.inviter_user_id,
            inviter_email=invitation.inviter_email,
            resend_offered=offered(catalog, invitation, now=now),
            because=because,
        ),
        resource=invitation.ref(),
        outcome=Outcome.FAILED,
        reason=reply,
    )
    marked = replace(invitation, bounced_generation=generation, bounced_because=because)
    return marked, fact
