"""Invitations: the list, creation, resending and revoking."""

from dataclasses import replace
from datetime import datetime

from rolecall import Delivery
from services.team.domain import invitation_mails, invitation_resend, invitations
from services.team.domain.account_access import AccountAccess
from services.team.domain.doubtful_addresses import require_no_doubt
from services.team.domain.invitation_mails import NotMailed
from services.team.domain.invitations import Invitation, InvitationContext
from services.team.domain.member_list import (
    ListPage,
    MemberListField,
    MemberListQuery,
    Place,
    check_place,
    sortable,
)
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.invitation_mails import next_mail_waits
from shared.addresses import Address
from shared.contracts.topology import Service
from shared.ids import InvitationId, new_id
from shared.journal import WriteResult
from shared.mailboxes import mailbox_key
from shared.withheld_mails import note_withheld_mail

INVITATION_MAIL = "invitation"
"""The kind of mail in the count of withheld mails."""


async def list_pending(
    ctx: Ctx, access: AccountAccess, *, after: Place | None, limit: int
) -> ListPage[Invitation]:
    """List the account's pending and expired invitations, the newest first (`Rp6`).

    Raises:
        NoSuchPlace: the list has no such place as `after`.
    """
    query = MemberListQuery(
        field=MemberListField.SINCE,
        descending=True,
        limit=limit + 1,
        role_keys={},
        after=after,
    )
    check_place(query)
    account_id = access.account.account_id
    found = await ctx.store.list_invitations(account_id, query, now=access.now)
    page = found[:limit]
    following = None
    if len(found) > limit:
        following = sortable(page[-1].created_at), page[-1].invitation_id
    return ListPage(rows=page, following=following)


async def create(
    ctx: Ctx,
    request: AccountRequest,
    *,
    address: Address,
    role_id: str,
    delivery: Delivery | None,
    membership_expires_at: datetime | None = None,
    check_address: bool = False,
) -> WriteResult[tuple[AccountAccess, Invitation]]:
    """Invite an address with one role (`Rp4`).

    Beyond the account's allowance or its share of the mailbox the invitation is made, not mailed.
    With `check_address` an address that deserves a second look is not invited.

    Raises:
        NotATeam, RoleUnknown, GrantsExceeded, EndExceeded, AlreadyMember, AlreadyInvited: see the
            domain.
        ExpiredInvitationThere, MemberLimit, Invalid: as well.
        ThrowAwayAddress, SimilarDomain: see `doubtful_addresses`.
        InvitationRateLimited: the account had its invitations for today.
    """

    async def change(write: AccountWrite) -> tuple[AccountAccess, Invitation]:
        access = write.access
        if check_address:
            members = await write.members()
            require_no_doubt(address.key, member_keys=[one.email_key for one in members])
        created = invitations.create(
            access,
            invitation_id=InvitationId(new_id("inv")),
            address=address,
            role_id=role_id,
            delivery=delivery,
            context=await _context(ctx, write, address.key),
            membership_expires_at=membership_expires_at,
        )
        await _count(ctx, write, created.invitation)
        if created.replaced is not None:
            await write.replace_invitations([created.replaced])
        await write.insert_invitation(created.invitation)
        write.account = created.account
        write.record(*created.facts)
        return access, created.invitation

    written = await ctx.change(request, change, effective_everywhere=False)
    _note(written.result[1])
    return written


async def resend(
    ctx: Ctx, request: AccountRequest, *, invitation_id: InvitationId
) -> WriteResult[tuple[AccountAccess, Invitation]]:
    """Make a new link (`Ci4`); earlier links stop working, and the caller is the inviter.

    If no mail is sent now, because of the account's share or because of the mailbox's total, the
    newest mailed link keeps working.

    Raises:
        RoleUnknown, GrantsExceeded, ResendNotOffered, ExpiredInvitationThere: see the domain.
        EndExceeded, MembershipEndPast, MemberLimit, InvitationRateLimited: as well.
        NotFound: the account has no such pending invitation.
    """

    async def change(write: AccountWrite) -> tuple[AccountAccess, Invitation]:
        access = write.access
        invitation = await write.pending_invitation(invitation_id)
        context = replace(
            await _context(ctx, write, invitation.email_key),
            mail_waits=invitation.mailable and await next_mail_waits(ctx, invitation),
        )
        again, fact = invitation_resend.resend(access, invitation, context=context)
        await _count(ctx, write, again)
        await write.replace_invitations([again])
        write.record(fact)
        return access, again

    written = await ctx.change(request, change, effective_everywhere=False)
    _note(written.result[1])
    return written


async def revoke(
    ctx: Ctx, request: AccountRequest, *, invitation_id: InvitationId
) -> WriteResult[None]:
    """Close an invitation's link at once (`Ro18`, `Nv18`).

    Raises:
        NotFound: the account has no such pending invitation.
    """

    async def change(write: AccountWrite) -> None:
        invitation = await write.pending_invitation(invitation_id)
        revoked, fact = invitations.revoke(invitation, account=write.access.account)
        await write.replace_invitations([revoked])
        write.record(fact)

    return await ctx.change(request, change, effective_everywhere=False)


async def _context(ctx: Ctx, write: AccountWrite, email_key: str) -> InvitationContext:
    """What the address has already, and why a mail to it would be withheld now (`T14`)."""
    context = await write.invitation_context(email_key)
    recent, mailbox = await write.recent_mails(), mailbox_key(email_key)
    first, most = ctx.settings.first_mails_of_account, ctx.settings.invitations_per_account
    reason = invitation_mails.not_mailed(recent, mailbox, allowance=min(first, most))
    if reason is NotMailed.ALLOWANCE:
        accepted = await write.accepted_mailboxes()
        grown = invitation_mails.allowance(accepted, first=first, most=most)
        reason = invitation_mails.not_mailed(recent, mailbox, allowance=grown)
    return replace(context, not_mailed=reason)


async def _count(ctx: Ctx, write: AccountWrite, invitation: Invitation) -> None:
    await write.count_invitation(limit=ctx.settings.invitations_per_account)
    if invitation.delivery is Delivery.EMAIL and invitation.not_mailed is None:
        await write.count_mail(mailbox_key(invitation.email_key))


def _note(invitation: Invitation) -> None:
    if invitation.not_mailed is not None:
        note_withheld_mail(
            Service.TEAM,
            kind=INVITATION_MAIL,
            reason=invitation.not_mailed,
            invitation_id=invitation.invitation_id,
        )
