"""Who is invited, by whom, with which role, and until when?"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rolecall import AfterExpiry, Delivery, InvitationPolicy, Role
from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from shared.contracts import team
from shared.contracts.facts import Fact, ResourceRef
from shared.ids import AccountId, InvitationId, MembershipId, UserId
from shared.problems import Invalid, Refusal, RefusalKind


class InvitationStatus(StrEnum):
    """Where an invitation stands; a pending one past `expires_at` has expired."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


class AlreadyMember(Refusal):
    """Nobody joins twice."""

    kind = RefusalKind.CONFLICT
    code = "already-a-member"
    detail = "This person is a member of the account already."


class AlreadyInvited(Refusal):
    """One pending invitation per address and account."""

    kind = RefusalKind.CONFLICT
    code = "already-invited"
    detail = "There is a pending invitation for this address."


class ExpiredInvitationThere(Refusal):
    """Under this catalog an expired invitation is deleted before another is made (`Ro12`)."""

    kind = RefusalKind.CONFLICT
    code = "expired-invitation-there"
    detail = "An expired invitation for this address is still there; delete it first."


class MemberLimit(Refusal):
    """The catalog's limit: memberships other than the owner's, and open invitations (`Nv12`)."""

    kind = RefusalKind.CONFLICT
    code = "member-limit"
    detail = "The account may have {limit} members, open invitations included."


class ResendNotOffered(Refusal):
    """Under this catalog an invitation is never sent again (`Ro12`)."""

    kind = RefusalKind.CONFLICT
    code = "resend-not-offered"
    detail = "Invitations of this account cannot be sent again; delete it and create another."


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation for one address with one role (`Rp4`); `email_key` compares addresses."""

    account_id: AccountId
    invitation_id: InvitationId
    email: str
    email_key: str
    role: str
    delivery: Delivery
    inviter_user_id: UserId
    inviter_name: str
    inviter_email: str
    created_at: datetime
    expires_at: datetime | None
    status: InvitationStatus = InvitationStatus.PENDING
    generation: int = 1
    wrong_codes: int = 0
    accepted_by: UserId | None = None
    membership_id: MembershipId | None = None

    def open(self, now: datetime) -> bool:
        """Whether the link can still be used, as far as time and use go."""
        return self.status is InvitationStatus.PENDING and not self.expired(now)

    def expired(self, now: datetime) -> bool:
        """Whether its time is over; an invitation without an end never is (`Rp5`)."""
        return self.expires_at is not None and self.expires_at <= now

    def ref(self) -> ResourceRef:
        """The invitation as an audit record names it."""
        return ResourceRef(type="invitation", id=self.invitation_id, name=self.email)


def delivery_of(policy: InvitationPolicy, wished: Delivery | None) -> Delivery:
    """How the invitation goes out; the catalog's first choice unless another is wished.

    Raises:
        Invalid: the catalog does not offer it.
    """
    if wished is None:
        return policy.deliveries[0]
    if wished not in policy.deliveries:
        raise Invalid(errors=[("/delivery", f"one of {', '.join(policy.deliveries)}")])
    return wished


def expiry(policy: InvitationPolicy, now: datetime) -> datetime | None:
    """When a link made now ends."""
    if policy.lifetime_seconds is None:
        return None
    return now + timedelta(seconds=policy.lifetime_seconds)


def require_seat(*, taken: int, limit: int) -> None:
    """Let one more in.

    Raises:
        MemberLimit: all seats are taken.
    """
    if taken >= limit:
        raise MemberLimit(limit=limit)


def make_room(
    pending: Invitation | None, *, policy: InvitationPolicy, account: Account, now: datetime
) -> tuple[Invitation, Fact] | None:
    """What becomes of the pending invitation that the address has already.

    Raises:
        AlreadyInvited: it is open.
        ExpiredInvitationThere: it has expired, and the catalog wants it deleted by hand.
    """
    if pending is None:
        return None
    if not pending.expired(now):
        raise AlreadyInvited
    if policy.after_expiry is AfterExpiry.DELETE_FIRST:
        raise ExpiredInvitationThere
    return revoke(pending, account=account, reason="replaced")


def create(invitation: Invitation, *, account: Account, role: Role) -> Fact:
    """Somebody is invited."""
    return Fact(
        payload=team.InvitationCreated(**_open(invitation, account, role)),
        resource=invitation.ref(),
        after={"role": invitation.role, "delivery": invitation.delivery.value},
    )


def resend(
    invitation: Invitation,
    *,
    policy: InvitationPolicy,
    account: Account,
    role: Role,
    sender: Membership,
    now: datetime,
) -> tuple[Invitation, Fact]:
    """A new link with a new time; every earlier one is dead (`Ci4`), and `sender` answers for it.

    The inviter of an expired one may be gone, or may not give the role any more.

    Raises:
        ResendNotOffered: the catalog does not know it.
        ExpiredInvitationThere: it has expired, and the catalog wants another one made.
    """
    if not policy.resend:
        raise ResendNotOffered
    if invitation.expired(now) and policy.after_expiry is AfterExpiry.DELETE_FIRST:
        raise ExpiredInvitationThere
    again = replace(
        _given_by(sender, invitation),
        generation=invitation.generation + 1,
        wrong_codes=0,
        expires_at=expiry(policy, now),
    )
    fact = Fact(
        payload=team.InvitationResent(**_open(again, account, role)),
        resource=again.ref(),
        before=_link(invitation),
        after=_link(again),
    )
    return again, fact


def revoke(
    invitation: Invitation, *, account: Account, reason: str | None = None
) -> tuple[Invitation, Fact]:
    """The link dies at once (`Ro18`, `Nv18`), and the address can be invited again (`Ro19`)."""
    fact = Fact(
        payload=team.InvitationRevoked(**named(invitation, account)),
        resource=invitation.ref(),
        reason=reason,
        before={"role": invitation.role},
    )
    return replace(invitation, status=InvitationStatus.REVOKED), fact


def pass_on(
    invitation: Invitation, *, account: Account, heir: Membership
) -> tuple[Invitation, Fact]:
    """Somebody else answers for it, because the inviter may no longer give the role (`Rp5`)."""
    passed = _given_by(heir, invitation)
    fact = Fact(
        payload=team.InvitationPassed(
            **named(invitation, account),
            from_user_id=invitation.inviter_user_id,
            to_user_id=heir.user_id,
        ),
        resource=passed.ref(),
        before={"inviter_user_id": invitation.inviter_user_id},
        after={"inviter_user_id": heir.user_id},
    )
    return passed, fact


def named(invitation: Invitation, account: Account) -> dict[str, str]:
    """What every fact of an invitation says."""
    return {
        "account_name": account.name,
        "invitation_id": invitation.invitation_id,
        "email": invitation.email,
        "role": invitation.role,
    }


def _link(invitation: Invitation) -> dict[str, object]:
    ends = invitation.expires_at
    return {
        "generation": invitation.generation,
        "inviter_user_id": invitation.inviter_user_id,
        "expires_at": None if ends is None else ends.isoformat(),
    }


def _given_by(giver: Membership, invitation: Invitation) -> Invitation:
    return replace(
        invitation,
        inviter_user_id=giver.user_id,
        inviter_name=giver.name,
        inviter_email=giver.email,
    )


def _open(invitation: Invitation, account: Account, role: Role) -> dict[str, object]:
    return {
        **named(invitation, account),
        "role_title": role.title,
        "inviter_name": invitation.inviter_name,
        "delivery": invitation.delivery.value,
        "generation": invitation.generation,
        "expires_at": invitation.expires_at,
    }
