"""When an invitation opens an account and for whom, and what accepting and declining change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import AccountStatus, CompiledCatalog, Role
from services.team.domain.accounts import Account
from services.team.domain.authority import account_state, may_invite_with, member_state
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.invitations import (
    AlreadyMember,
    Invitation,
    InvitationStatus,
    membership_end_field,
    payload_fields,
)
from services.team.domain.members import Membership, NoFreeSeat, require_seat
from services.team.domain.overrides import ProjectOverride
from services.team.domain.roles import RoleUnknown, assignable_role
from shared.addresses import Address
from shared.contracts import team
from shared.contracts.facts import Fact
from shared.contracts.refusals import InvitationNotValid, InvitationsPaused
from shared.ids import MembershipId, UserId


class AlreadyJoined(AlreadyMember):
    """`AlreadyMember`, as the invitee is told it."""

    detail = "You are a member of this account already."


@dataclass(frozen=True, kw_only=True)
class Invitee:
    """The signed-in user who accepts, as identity knows them at this moment."""

    user_id: UserId
    address: Address
    name: str


@dataclass(frozen=True, kw_only=True)
class Inviter:
    """The member who gives the role, with their overrides, at the moment of the acceptance."""

    membership: Membership
    overrides: Sequence[ProjectOverride] = ()


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What accepting an invitation makes."""

    invitation: Invitation
    membership: Membership
    facts: tuple[Fact, ...]


def require_current_link(invitation: Invitation | None, generation: int) -> Invitation:
    """The invitation of a link of this generation.

    Raises:
        InvitationNotValid: there is none, a newer link exists, or too many codes were wrong.
    """
    if invitation is None or not invitation.has_link(generation) or invitation.locked:
        raise InvitationNotValid
    return invitation


def require_open_link(
    invitation: Invitation | None, generation: int, *, now: datetime
) -> Invitation:
    """The invitation of a link of this generation, if it is pending and has not expired.

    Raises:
        InvitationNotValid: as `require_current_link`, or it is closed or over.
    """
    found = require_current_link(invitation, generation)
    if not found.open(now):
        raise InvitationNotValid
    return found


def check_mailable(invitation: Invitation | None, *, generation: int, now: datetime) -> Invitation:
    """Check that a mail with the link of this generation may be sent.

    Raises:
        InvitationNotValid: the invitation is closed, over, superseded or not mailed.
    """
    if (
        invitation is None
        or invitation.generation != generation
        or not invitation.mailable
        or not invitation.open(now)
    ):
        raise InvitationNotValid
    return invitation


def require_mailing(account: Account | None) -> None:
    """Check that the account of an invitation sends mails now.

    Raises:
        InvitationNotValid: there is no such account any more.
        InvitationsPaused: it is suspended or being deleted; the invitation lives on if it returns.
    """
    if account is None:
        raise InvitationNotValid
    if account.status is not AccountStatus.ACTIVE:
        raise InvitationsPaused


def active(account: Account | None) -> Account:
    """The account that an invitation opens.

    Raises:
        InvitationNotValid: there is none, or it is suspended or being deleted.
    """
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise InvitationNotValid
    return account


def accepted_before(
    invitation: Invitation, current_membership: Membership | None
) -> Membership | None:
    """The membership that an earlier acceptance by the same user made.

    `current_membership` is the user's membership in the account, if there is one.

    Raises:
        InvitationNotValid: the invitation was accepted, and its membership is another user's or has
            ended.
    """
    if invitation.status is not InvitationStatus.ACCEPTED:
        return None
    if current_membership is None or current_membership.membership_id != invitation.membership_id:
        raise InvitationNotValid
    return current_membership


def decline(invitation: Invitation, *, account: Account) -> tuple[Invitation, Fact]:
    """Decline the invitation; the address can be invited again."""
    declined = replace(invitation, status=InvitationStatus.DECLINED)
    fact = Fact(
        payload=team.InvitationDeclined(
            **payload_fields(invitation, account),
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
    catalog: CompiledCatalog,
    invitee: Invitee,
    inviter: Inviter | None,
    current_membership: Membership | None,
    members: int,
    membership_id: MembershipId,
    now: datetime,
) -> Acceptance:
    """Make the invited user a member with the invitation's role (`Rp7`, `Ro10`, `Nv14`).

    `current_membership` is the user's membership in the account, if there is one. `members` counts
    the memberships other than the owner's.

    Raises:
        InvitationNotValid: the role cannot be given any more, the invitation is closed or over, or
            the user's verified address is another (`Ro9`).
        AlreadyJoined: the user joined by another invitation.
        NoFreeSeat: all seats are taken.
    """
    role = _given_role(invitation, account=account, catalog=catalog, inviter=inviter, now=now)
    policies = catalog.catalog.policies
    locked_out = policies.invitations.email_lock and invitee.address.key != invitation.email_key
    if not invitation.open(now) or locked_out:
        raise InvitationNotValid
    if current_membership is not None:
        raise AlreadyJoined
    require_seat(taken=members, limit=policies.member_limit, refusal=NoFreeSeat)
    member = Membership(
        account_id=account.account_id,
        user_id=invitee.user_id,
        membership_id=membership_id,
        role=invitation.role,
        email=invitee.address.typed,
        email_key=invitee.address.key,
        name=invitee.name,
        joined_at=now,
        expires_at=invitation.membership_expires_at,
        invited_by=invitation.inviter_user_id,
        last_active_at=now,
    )
    accepted = replace(
        invitation,
        status=InvitationStatus.ACCEPTED,
        accepted_by=invitee.user_id,
        membership_id=membership_id,
    )
    facts = _facts(invitation, accepted, member, account=account, role=role, catalog=catalog)
    return Acceptance(invitation=accepted, membership=member, facts=facts)


def _given_role(
    invitation: Invitation,
    *,
    account: Account,
    catalog: CompiledCatalog,
    inviter: Inviter | None,
    now: datetime,
) -> Role:
    """The invitation's role, if the catalog still has it and the inviter may still give it."""
    try:
        role = assignable_role(catalog, invitation.role, pointer=None)
    except RoleUnknown as unknown:
        raise InvitationNotValid from unknown
    if inviter is None:
        raise InvitationNotValid
    giver = member_state(catalog, inviter.membership, inviter.overrides)
    state = account_state(account, catalog, [giver])
    until = invitation.membership_expires_at
    if not may_invite_with(state, giver, role.id, now=now, until=until):
        raise InvitationNotValid
    return role


def _facts(
    invitation: Invitation,
    accepted: Invitation,
    member: Membership,
    *,
    account: Account,
    role: Role,
    catalog: CompiledCatalog,
) -> tuple[Fact, Fact]:
    """The facts of the acceptance, which is mailed to the inviter, and of the membership."""
    acceptance = Fact(
        payload=team.InvitationAccepted(
            **payload_fields(invitation, account),
            role_title=role.title,
            translations=translations(catalog, role_title=own_title(catalog, role.id)),
            user_id=member.user_id,
            name=member.name,
            inviter_user_id=invitation.inviter_user_id,
            inviter_email=invitation.inviter_email,
        ),
        resource=accepted.ref(),
        before={"status": invitation.status.value},
        after={"status": accepted.status.value, "user_id": member.user_id},
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
        after={"role": member.role, "membership_id": member.membership_id}
        | membership_end_field(invitation),
        policy_objects=(member.policy_object(),),
    )
    return acceptance, joined
