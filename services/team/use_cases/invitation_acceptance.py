"""Look up, accept and decline an invitation by its link and code."""

from dataclasses import dataclass

from rolecall import CompiledCatalog
from services.team.domain import invitation_acceptance
from services.team.domain.accounts import Account
from services.team.domain.invitation_acceptance import (
    Invitee,
    Inviter,
    require_current_link,
    require_open_link,
)
from services.team.domain.invitations import MAX_WRONG_CODES, Invitation
from services.team.domain.members import Membership
from services.team.domain.refusals import refused
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.accounts import VerifiedUser, verified_user
from services.team.use_cases.callers import with_name
from services.team.use_cases.context import Ctx, NonMemberRequest
from services.team.use_cases.invitation_mails import takes_place
from shared.addresses import parse_address
from shared.contracts.facts import Caller
from shared.contracts.refusals import InvitationNotValid, MailboxFull
from shared.ids import MembershipId, UserId, new_id
from shared.journal import WriteResult
from shared.links import Link


@dataclass(frozen=True, kw_only=True)
class LinkPreview:
    """An invitation, with what its link shows."""

    invitation: Invitation
    account: Account
    catalog: CompiledCatalog


@dataclass(frozen=True, kw_only=True)
class JoinedAccount:
    """The membership that an acceptance made."""

    account: Account
    catalog: CompiledCatalog
    membership: Membership


async def lookup(ctx: Ctx, *, token: str, code: str) -> LinkPreview:
    """Show what the link is for; nothing changes.

    Raises:
        InvitationNotValid: for every link that cannot be used.
    """
    proven = await _proven(ctx, token=token, code=code)
    invitation = require_open_link(proven, proven.generation, now=ctx.clock.now())
    account = invitation_acceptance.active(await ctx.store.account(invitation.account_id))
    catalog = await ctx.store.catalog_of(account)
    return LinkPreview(invitation=invitation, account=account, catalog=catalog)


async def mailed_link(ctx: Ctx, link: Link) -> Link:
    """Return the link of a mail that is about to be sent, and count the mail for its mailbox.

    Earlier links that worked while the mail waited stop working.

    Raises:
        InvitationNotValid: the invitation is closed, over, superseded or not mailed.
        InvitationsPaused: the account is suspended or being deleted; the mail has to wait.
        MailboxFull: the mailbox had its mails of the day; the mail has to wait (`T14`).
    """
    invitation = invitation_acceptance.check_mailable(
        await ctx.store.invitation_of_link(link.id), generation=link.generation, now=ctx.clock.now()
    )
    invitation_acceptance.require_mailing(await ctx.store.account(invitation.account_id))
    if not await takes_place(ctx, invitation):
        raise MailboxFull
    if invitation.oldest_generation is not None:
        await ctx.store.close_earlier_links(invitation)
    return link


async def accept(
    ctx: Ctx, *, user_id: UserId, token: str, code: str, caller: Caller, operation: str
) -> WriteResult[JoinedAccount]:
    """Make the signed-in user a member, if their verified address is the invited one (`Nv14`).

    A second acceptance by the same user gets the same answer. When the user holds the link of an
    open invitation and is refused, the account's audit log names them, as having tried `operation`.
    A dead link is not recorded, since any number of requests could fill the log with it.

    Raises:
        InvitationNotValid: for every link that this user cannot use.
        AlreadyJoined, NoFreeSeat: see the domain.
        Unavailable: identity cannot be asked for the address.
    """
    proven = await _proven(ctx, token=token, code=code)
    user = await verified_user(ctx, user_id)
    if user is None:
        raise InvitationNotValid

    async def change(write: AccountWrite) -> JoinedAccount:
        invitation = require_current_link(
            await write.invitation(proven.invitation_id), proven.generation
        )
        account = invitation_acceptance.active(write.account)
        catalog = await ctx.store.catalog_of(account)
        current_membership = await write.find_member(user_id)
        before = invitation_acceptance.accepted_before(invitation, current_membership)
        if before is not None:
            return JoinedAccount(account=account, catalog=catalog, membership=before)
        acceptance = invitation_acceptance.accept(
            invitation,
            account=account,
            catalog=catalog,
            invitee=await _invitee(write, user),
            inviter=await _inviter(write, invitation),
            current_membership=current_membership,
            members=await write.count_members(),
            membership_id=MembershipId(new_id("mem")),
            now=write.now,
        )
        await write.admit(acceptance.membership)
        await write.replace_invitations([acceptance.invitation])
        write.record(*acceptance.facts)
        return JoinedAccount(account=account, catalog=catalog, membership=acceptance.membership)

    named = with_name(caller, name=user.name, email=user.email)
    request = NonMemberRequest(caller=named, account_id=proven.account_id)
    try:
        return await ctx.change(request, change, effective_everywhere=True)
    except InvitationNotValid as refusal:
        if proven.open(ctx.clock.now()):
            await _record(ctx, proven, refusal, operation=operation, caller=named)
        raise


async def decline(ctx: Ctx, *, token: str, code: str, caller: Caller) -> WriteResult[None]:
    """Decline the invitation of a link and its code; the address can be invited again.

    Raises:
        InvitationNotValid: for every link that cannot be used.
    """
    proven = await _proven(ctx, token=token, code=code)

    async def change(write: AccountWrite) -> None:
        found = await write.invitation(proven.invitation_id)
        invitation = require_open_link(found, proven.generation, now=write.now)
        account = invitation_acceptance.active(write.account)
        declined, fact = invitation_acceptance.decline(invitation, account=account)
        await write.replace_invitations([declined])
        write.record(fact)

    request = NonMemberRequest(caller=caller, account_id=proven.account_id)
    return await ctx.change(request, change, effective_everywhere=False)


async def _proven(ctx: Ctx, *, token: str, code: str) -> Invitation:
    """The invitation that token and code open.

    A wrong code counts as a try only with a genuine token. A token cannot be guessed, and a caller
    who merely knows an invitation's id must not use its tries up. The row is read after the code
    was compared, to see every try that was counted until then.
    """
    link = ctx.links.read(token)
    if link is None:
        raise InvitationNotValid
    if not ctx.links.fits(link, code):
        await ctx.store.count_wrong_code(link.id, link.generation, limit=MAX_WRONG_CODES)
        raise InvitationNotValid
    return require_current_link(await ctx.store.invitation_of_link(link.id), link.generation)


async def _invitee(write: AccountWrite, user: VerifiedUser) -> Invitee:
    name = await write.name_for_joining(user.user_id, otherwise=user.name)
    return Invitee(user_id=user.user_id, address=parse_address(user.email), name=name)


async def _inviter(write: AccountWrite, invitation: Invitation) -> Inviter | None:
    membership = await write.find_member(invitation.inviter_user_id)
    if membership is None:
        return None
    overrides = await write.overrides_of(membership.user_id)
    return Inviter(membership=membership, overrides=overrides)


async def _record(
    ctx: Ctx,
    invitation: Invitation,
    refusal: InvitationNotValid,
    *,
    operation: str,
    caller: Caller,
) -> None:
    account_id = invitation.account_id
    fact = refused(refusal, operation=operation, resource=invitation.ref(), account_id=account_id)
    await ctx.journal.refused(account_id, fact, caller=caller)
