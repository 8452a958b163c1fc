"""Invitations: how they are created and revoked."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rolecall import AfterExpiry, CompiledCatalog, Delivery, InvitationPolicy, Role
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account, as_team
from services.team.domain.authority import require_end, require_to_give
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.invitation_delivery import delivery_of, expiry, withheld
from services.team.domain.invitation_mails import NotMailed
from services.team.domain.members import Membership, require_seat
from services.team.domain.roles import assignable_role
from shared.addresses import Address
from shared.contracts import team
from shared.contracts.facts import Fact, ResourceRef
from shared.ids import AccountId, InvitationId, MembershipId, UserId
from shared.problems import Invalid, Refusal, RefusalKind

MAX_WRONG_CODES = 10
"""After this number of wrong codes a link opens nothing until the invitation is sent again."""


class InvitationStatus(StrEnum):
    """The status that is stored; a pending invitation past `expires_at` has expired."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


class AlreadyMember(Refusal):
    """A member is not invited a second time."""

    kind = RefusalKind.CONFLICT
    code = "already-a-member"
    detail = "This person is a member of the account already. Change the member's role instead."


class AlreadyInvited(Refusal):
    """An address has one pending invitation per account."""

    kind = RefusalKind.CONFLICT
    code = "already-invited"
    detail = "This address has a pending invitation. Delete it before you create another."


class ExpiredInvitationThere(Refusal):
    """Under this catalog an expired invitation is deleted before another is made (`Ro12`)."""

    kind = RefusalKind.CONFLICT
    code = "expired-invitation-there"
    detail = "This address has an expired invitation. Delete it, then create another."


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation for one address with one role (`Rp4`); `email_key` compares addresses.

    `not_mailed` says why the newest mail was withheld. With it the newest link is an earlier one,
    or, if `link_withheld` is set, one that was made for no mail. `passed_from` names who made it,
    if it passed to another inviter.
    """

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
    not_mailed: NotMailed | None = None
    passed_from: UserId | None = None
    passed_from_name: str | None = None
    link_withheld: bool = False
    oldest_generation: int | None = None
    """The oldest link that works while the mail of the newest one waits for its mailbox."""
    bounced_generation: int | None = None
    """The link whose mail could not be delivered."""
    bounced_because: str | None = None
    """Why it could not; a `BounceCause`, or one of a later version."""
    membership_expires_at: datetime | None = None
    """When the membership that it gives will end; the link ends by then, too."""

    @property
    def locked(self) -> bool:
        """Whether too many codes were wrong: its links open nothing."""
        return self.wrong_codes >= MAX_WRONG_CODES

    @property
    def shown_not_mailed(self) -> NotMailed | None:
        """Why the newest link did not reach its mailbox, as lists show it."""
        if self.bounced_generation == self.generation:
            return NotMailed.BOUNCED
        return self.not_mailed

    @property
    def mailable(self) -> bool:
        """Whether its newest link was made for a mail."""
        return self.delivery is Delivery.EMAIL and not self.link_withheld

    def has_link(self, generation: int) -> bool:
        """Whether the link of this generation is the newest, or works until that is mailed."""
        return (self.oldest_generation or self.generation) <= generation <= self.generation

    def open(self, now: datetime) -> bool:
        """Whether the link can still be used: it is pending and has not expired."""
        return self.status is InvitationStatus.PENDING and not self.expired(now)

    def expired(self, now: datetime) -> bool:
        """Whether its time is over; an invitation without an end does not expire (`Rp5`)."""
        return self.expires_at is not None and self.expires_at <= now

    def ref(self) -> ResourceRef:
        """The invitation as an audit record names it."""
        return ResourceRef(type="invitation", id=self.invitation_id, name=self.email)


@dataclass(frozen=True, kw_only=True)
class InvitationContext:
    """The seats that are taken, and the invited address's membership or invitation."""

    members: int
    """Memberships other than the owner's."""
    open_invitations: int
    is_member: bool = False
    """A member of the account has the address."""
    pending: Invitation | None = None
    """The pending (or expired) invitation of the address."""
    not_mailed: NotMailed | None = None
    """Why a mail to the address would be withheld now."""
    mail_waits: bool = False
    """A mail to the address would wait for its mailbox; no account is told."""


@dataclass(frozen=True, kw_only=True)
class CreatedInvitation:
    """A new invitation, and the other changes that its creation makes."""

    invitation: Invitation
    account: Account
    """The account: a team from this invitation on, where the catalog has no conversion."""
    replaced: Invitation | None
    """The expired invitation of the same address that this one closes."""
    facts: tuple[Fact, ...]


def create(
    access: AccountAccess,
    *,
    invitation_id: InvitationId,
    address: Address,
    role_id: str,
    delivery: Delivery | None,
    context: InvitationContext,
    membership_expires_at: datetime | None = None,
) -> CreatedInvitation:
    """Invite an address with one role (`Rp4`), for a membership that may have an end (`B4`).

    Raises:
        NotATeam: the personal account has to be converted first.
        RoleUnknown, GrantsExceeded: the caller cannot give the role.
        EndExceeded: the caller's own membership ends before the new one would.
        Invalid: the catalog does not offer the delivery, or the end of the membership is past.
        AlreadyMember, AlreadyInvited, ExpiredInvitationThere: the address is taken.
        MemberLimit: all seats are taken.
    """
    account, team_facts = as_team(access.account, access.catalog)
    role = assignable_role(access.catalog, role_id)
    require_to_give(access.state, access.member, role.id, now=access.now)
    require_end(access.member, membership_expires_at)
    if membership_expires_at is not None and membership_expires_at <= access.now:
        raise Invalid(errors=[("/membership_expires_at", "Must be in the future.")])
    policies = access.catalog.catalog.policies
    way = delivery_of(policies.invitations, delivery)
    invitation = Invitation(
        account_id=account.account_id,
        invitation_id=invitation_id,
        email=address.typed,
        email_key=address.key,
        role=role.id,
        delivery=way,
        inviter_user_id=access.membership.user_id,
        inviter_name=access.membership.name,
        inviter_email=access.membership.email,
        created_at=access.now,
        expires_at=expiry(policies.invitations, access.now, at_most=membership_expires_at),
        membership_expires_at=membership_expires_at,
        not_mailed=withheld(way, context.not_mailed),
        link_withheld=withheld(way, context.not_mailed) is not None,
    )
    if context.is_member:
        raise AlreadyMember
    replaced, replaced_facts = _replace(
        context.pending, policy=policies.invitations, account=account, now=access.now
    )
    require_seat(taken=context.members + context.open_invitations, limit=policies.member_limit)
    created = Fact(
        payload=team.InvitationCreated(
            **open_fields(invitation, account, role, catalog=access.catalog)
        ),
        resource=invitation.ref(),
        after={"role": invitation.role, "delivery": invitation.delivery.value}
        | membership_end_field(invitation)
        | withheld_field(invitation),
    )
    facts = (*team_facts, *replaced_facts, created)
    return CreatedInvitation(invitation=invitation, account=account, replaced=replaced, facts=facts)


def revoke(
    invitation: Invitation, *, account: Account, reason: str | None = None
) -> tuple[Invitation, Fact]:
    """Close the link at once (`Ro18`, `Nv18`); the address can be invited again (`Ro19`)."""
    fact = Fact(
        payload=team.InvitationRevoked(**payload_fields(invitation, account)),
        resource=invitation.ref(),
        reason=reason,
        before={"role": invitation.role},
    )
    return replace(invitation, status=InvitationStatus.REVOKED), fact


def payload_fields(invitation: Invitation, account: Account) -> dict[str, str]:
    """What every fact about an invitation says."""
    return {
        "account_name": account.name,
        "invitation_id": invitation.invitation_id,
        "email": invitation.email,
        "role": invitation.role,
    }


def withheld_field(invitation: Invitation) -> dict[str, object]:
    """What an audit record says of a mail that was withheld."""
    return {"not_mailed": invitation.not_mailed.value} if invitation.not_mailed else {}


def membership_end_field(invitation: Invitation) -> dict[str, object]:
    """What an audit record says of the end of the membership that the invitation gives."""
    end = invitation.membership_expires_at
    return {} if end is None else {"membership_expires_at": end}


def with_inviter(giver: Membership, invitation: Invitation) -> Invitation:
    """The invitation with another inviter."""
    return replace(
        invitation,
        inviter_user_id=giver.user_id,
        inviter_name=giver.name,
        inviter_email=giver.email,
    )


def _replace(
    pending: Invitation | None, *, policy: InvitationPolicy, account: Account, now: datetime
) -> tuple[Invitation | None, tuple[Fact, ...]]:
    """Close the expired invitation that the address has already."""
    if pending is None:
        return None, ()
    if not pending.expired(now):
        raise AlreadyInvited
    if policy.after_expiry is AfterExpiry.DELETE_FIRST:
        raise ExpiredInvitationThere
    closed, fact = revoke(pending, account=account, reason="replaced")
    return closed, (fact,)


def open_fields(
    invitation: Invitation, account: Account, role: Role, *, catalog: CompiledCatalog
) -> dict[str, object]:
    """What a fact about an open invitation says, for its mail."""
    return {
        **payload_fields(invitation, account),
        "role_title": role.title,
        "translations": translations(catalog, role_title=own_title(catalog, role.id)),
        "inviter_name": invitation.inviter_name,
        "delivery": invitation.delivery.value,
        "generation": invitation.generation,
        "expires_at": invitation.expires_at,
        "withheld": invitation.not_mailed is not None,
    }
