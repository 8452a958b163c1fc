"""How an invitation is sent again, and which of its links works then."""

from dataclasses import replace
from datetime import datetime

from rolecall import AfterExpiry, CompiledCatalog
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import require_end, require_to_give
from services.team.domain.invitation_delivery import expiry, withheld
from services.team.domain.invitations import (
    ExpiredInvitationThere,
    Invitation,
    InvitationContext,
    open_fields,
    with_inviter,
    withheld_field,
)
from services.team.domain.members import require_seat
from services.team.domain.roles import assignable_role
from shared.contracts import team
from shared.contracts.facts import Fact
from shared.problems import Refusal, RefusalKind


class ResendNotOffered(Refusal):
    """Under this catalog an invitation is not sent again (`Ro12`)."""

    kind = RefusalKind.CONFLICT
    code = "resend-not-offered"
    detail = (
        "The catalog of this account does not resend invitations. Delete this one and create"
        " another."
    )


class MembershipEndPast(Refusal):
    """The membership that the invitation gives would be over already."""

    kind = RefusalKind.CONFLICT
    code = "membership-end-past"
    detail = (
        "The membership that this invitation gives would have ended already. Delete the invitation"
        " and create another."
    )


def offered(catalog: CompiledCatalog, invitation: Invitation, *, now: datetime) -> bool:
    """Whether the catalog sends this invitation again; the caller may still lack a right."""
    policy = catalog.catalog.policies.invitations
    deleted_first = policy.after_expiry is AfterExpiry.DELETE_FIRST
    return policy.resend and not (deleted_first and invitation.expired(now))


def resend(
    access: AccountAccess, invitation: Invitation, *, context: InvitationContext
) -> tuple[Invitation, Fact]:
    """Make a new link with a new end (`Ci4`); earlier links stop working.

    A mail that is withheld makes no new link: the earlier one works until the new end. While the
    new mail waits for its mailbox, the earlier link works too.

    The caller is the inviter from then on: the earlier one may be gone, or may not give the role
    any more. An expired invitation takes a seat again.

    Raises:
        RoleUnknown, GrantsExceeded: the caller cannot give the role.
        ResendNotOffered: the catalog does not resend invitations.
        ExpiredInvitationThere: it has expired, and the catalog wants another one created.
        MembershipEndPast: the membership that it gives would be over.
        EndExceeded: the caller's own membership ends earlier than that one.
        MemberLimit: it has expired, and all seats are taken.
    """
    role = assignable_role(access.catalog, invitation.role, pointer=None)
    require_to_give(access.state, access.member, role.id, now=access.now)
    end = invitation.membership_expires_at
    require_end(access.member, end)
    policies, now = access.catalog.catalog.policies, access.now
    policy = policies.invitations
    if not policy.resend:
        raise ResendNotOffered
    if invitation.expired(now) and policy.after_expiry is AfterExpiry.DELETE_FIRST:
        raise ExpiredInvitationThere
    if end is not None and end <= now:
        raise MembershipEndPast
    if invitation.expired(now):
        taken = context.members + context.open_invitations
        require_seat(taken=taken, limit=policies.member_limit)
    again = replace(
        with_inviter(access.membership, invitation),
        expires_at=expiry(policy, now, at_most=end),
        not_mailed=withheld(invitation.delivery, context.not_mailed),
        passed_from=None,
        passed_from_name=None,
    )
    if again.not_mailed is None:
        again = _with_new_link(again, keep_earlier=context.mail_waits)
    fact = Fact(
        payload=team.InvitationResent(
            **open_fields(again, access.account, role, catalog=access.catalog)
        ),
        resource=again.ref(),
        before=_link(invitation),
        after=_link(again) | withheld_field(again),
    )
    return again, fact


def _with_new_link(invitation: Invitation, *, keep_earlier: bool) -> Invitation:
    earlier = invitation.oldest_generation or invitation.generation
    return replace(
        invitation,
        generation=invitation.generation + 1,
        wrong_codes=0,
        link_withheld=False,
        oldest_generation=earlier if keep_earlier else None,
    )


def _link(invitation: Invitation) -> dict[str, object]:
    return {
        "generation": invitation.generation,
        "inviter_user_id": invitation.inviter_user_id,
        "expires_at": invitation.expires_at,
    }
