"""What can whoever holds a link and its code do with the invitation?"""

from dataclasses import dataclass, replace

from rolecall import AccountStatus, CompiledCatalog, Delivery, Role
from services.team.domain import joining
from services.team.domain.accounts import Account
from services.team.domain.authority import RoleUnknown, account_state, member_state, role_to_give
from services.team.domain.invitations import (
    AlreadyMember,
    Invitation,
    InvitationStatus,
    require_seat,
)
from services.team.domain.joining import WRONG_CODES, Invitee
from services.team.domain.members import Membership
from services.team.domain.refusals import refused
from services.team.use_cases.accounts import verified_person
from services.team.use_cases.context import Ctx
from services.team.use_cases.desk import catalog_of, commit, save
from services.team.use_cases.passing import may_invite_with
from shared.addresses import parse_address
from shared.contracts.facts import Caller
from shared.contracts.refusals import InvitationNotValid
from shared.ids import MembershipId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.links import Link
from shared.mongo import DbSession
from shared.problems import Refusal


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An invitation with what whoever opens it is shown."""

    invitation: Invitation
    account: Account
    catalog: CompiledCatalog


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The new membership."""

    account: Account
    catalog: CompiledCatalog
    membership: Membership


async def lookup(ctx: Ctx, *, token: str, code: str) -> Opened:
    """What the link shows; nothing changes by looking.

    Raises:
        InvitationNotValid: for every link that cannot be used, alike.
    """
    invitation = await _proven(ctx, token=token, code=code)
    if not invitation.open(ctx.clock.now()):
        raise InvitationNotValid
    account = await _account(ctx, invitation, None)
    return Opened(invitation=invitation, account=account, catalog=await catalog_of(ctx, account))


async def mailed_link(ctx: Ctx, link: Link) -> Link:
    """The link of a mail that is about to go out.

    Raises:
        InvitationNotValid: it is closed, over or superseded, so that nothing may be sent.
    """
    invitation = await ctx.store.invitation(link.id)
    if (
        invitation is None
        or invitation.generation != link.generation
        or invitation.delivery is not Delivery.EMAIL
        or not invitation.open(ctx.clock.now())
    ):
        raise InvitationNotValid
    return link


async def accept(
    ctx: Ctx,
    *,
    user_id: UserId,
    token: str,
    code: str,
    caller: Caller,
    effective_everywhere: bool,
    operation: str,
) -> WriteResult[Joined]:
    """The signed-in user joins, if the address they have verified is the invited one (`Nv14`).

    Accepting again answers the same to whoever accepted. Whoever holds an open invitation's link
    and is refused all the same is named in the account's audit log, as having tried `operation`; a
    dead link is refused to everybody, so nobody fills the log with one.

    Raises:
        InvitationNotValid: for every link that cannot be used by this user, alike.
        AlreadyMember, MemberLimit: see the domain.
        Unavailable: identity cannot be asked for the address.
    """
    proven = await _proven(ctx, token=token, code=code)
    person = await verified_person(ctx, user_id)
    if person is None:
        raise InvitationNotValid

    async def work(tx: JournalWrite) -> Joined:
        invitation = await ctx.store.invitation(proven.invitation_id, tx.session)
        if invitation is None or not _usable(invitation, proven.generation):
            raise InvitationNotValid
        account = await _account(ctx, invitation, tx.session)
        catalog = await catalog_of(ctx, account)
        present = await ctx.store.member(account.account_id, user_id, tx.session)
        if invitation.status is InvitationStatus.ACCEPTED:
            if present is None or present.membership_id != invitation.membership_id:
                raise InvitationNotValid
            return Joined(account=account, catalog=catalog, membership=present)
        name = await ctx.store.name_for_joining(user_id, otherwise=person.name, session=tx.session)
        role = await _given_role(ctx, tx, invitation, account, catalog)
        accepted, member, facts = joining.accept(
            invitation,
            account=account,
            invitee=Invitee(user_id=user_id, address=parse_address(person.email), name=name),
            role_title=role.title,
            email_lock=catalog.catalog.policies.invitations.email_lock,
            membership_id=MembershipId(new_id("mem")),
            now=tx.now,
        )
        if present is not None:
            raise AlreadyMember
        others = await ctx.store.count_members(account.account_id, tx.session) - 1
        limit = catalog.catalog.policies.member_limit
        require_seat(taken=others, limit=limit)
        await ctx.store.insert_member(member, rev=tx.rev, session=tx.session)
        await ctx.store.replace_invitation(accepted, tx.session)
        await save(ctx, tx, account, facts)
        return Joined(account=account, catalog=catalog, membership=member)

    shown = {"name": person.name, "email": person.email}
    named = replace(caller, actor=caller.actor.model_copy(update=shown))
    try:
        return await commit(
            ctx, proven.account_id, work, caller=named, effective_everywhere=effective_everywhere
        )
    except InvitationNotValid as refusal:
        if proven.open(ctx.clock.now()):
            await _record(ctx, proven, refusal, operation=operation, caller=named)
        raise


async def decline(ctx: Ctx, *, token: str, code: str, caller: Caller) -> WriteResult[None]:
    """Whoever holds link and code says no; the address may be invited again.

    Raises:
        InvitationNotValid: for every link that cannot be used, alike.
    """
    proven = await _proven(ctx, token=token, code=code)

    async def work(tx: JournalWrite) -> None:
        invitation = await ctx.store.invitation(proven.invitation_id, tx.session)
        if invitation is None or not _usable(invitation, proven.generation):
            raise InvitationNotValid
        if not invitation.open(tx.now):
            raise InvitationNotValid
        account = await _account(ctx, invitation, tx.session)
        declined, fact = joining.decline(invitation, account=account)
        await ctx.store.replace_invitation(declined, tx.session)
        await save(ctx, tx, account, [fact])

    return await commit(ctx, proven.account_id, work, caller=caller, effective_everywhere=False)


async def _record(
    ctx: Ctx, invitation: Invitation, refusal: Refusal, *, operation: str, caller: Caller
) -> None:
    account_id = invitation.account_id
    fact = refused(refusal, operation=operation, resource=invitation.ref(), account_id=account_id)
    await ctx.journal.refused(account_id, fact, caller=caller)


async def _proven(ctx: Ctx, *, token: str, code: str) -> Invitation:
    """The invitation that token and code open.

    Only a wrong code with a genuine token counts as a try: a token cannot be guessed, and whoever
    merely knows an invitation's id must not be able to use its tries up. The row is read after the
    code was compared, so that every try that is counted by then counts.
    """
    link = ctx.links.read(token)
    if link is None:
        raise InvitationNotValid
    if not ctx.links.fits(link, code):
        await ctx.store.count_wrong_code(link.id, link.generation, limit=WRONG_CODES)
        raise InvitationNotValid
    invitation = await ctx.store.invitation(link.id)
    if invitation is None or not _usable(invitation, link.generation):
        raise InvitationNotValid
    return invitation


def _usable(invitation: Invitation, generation: int) -> bool:
    return invitation.generation == generation and invitation.wrong_codes < WRONG_CODES


async def _account(ctx: Ctx, invitation: Invitation, session: DbSession | None) -> Account:
    account = await ctx.store.account(invitation.account_id, session)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise InvitationNotValid
    return account


async def _given_role(
    ctx: Ctx, tx: JournalWrite, invitation: Invitation, account: Account, catalog: CompiledCatalog
) -> Role:
    """The invitation's role, if there still is one and the inviter may still give it."""
    try:
        role = role_to_give(catalog, invitation.role)
    except RoleUnknown as unknown:
        raise InvitationNotValid from unknown
    inviter_id = invitation.inviter_user_id
    membership = await ctx.store.member(account.account_id, inviter_id, tx.session)
    if membership is None:
        raise InvitationNotValid
    overrides = await ctx.store.overrides_of(account.account_id, inviter_id, tx.session)
    inviter = member_state(catalog, membership, overrides)
    state = account_state(account, catalog, [inviter])
    if not may_invite_with(state, inviter, role.id, now=tx.now):
        raise InvitationNotValid
    return role
