"""How are people invited, again and no longer?"""

from collections.abc import Callable
from typing import Any

from rolecall import AccountKind, Conversion, Delivery
from services.team.domain import accounts, invitations
from services.team.domain.accounts import Account, NotATeam
from services.team.domain.authority import require_to_give, role_to_give
from services.team.domain.invitations import AlreadyMember, Invitation
from services.team.use_cases.context import Act, Ctx
from services.team.use_cases.desk import Desk, commit, enter, save
from shared.addresses import Address
from shared.contracts.facts import Fact
from shared.http.idempotency import Once
from shared.ids import InvitationId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound


async def pending(ctx: Ctx, act: Act) -> tuple[Desk, list[Invitation]]:
    """The account's pending and expired invitations (`Rp6`)."""
    desk = await enter(ctx, act)
    return desk, await ctx.store.pending(act.account_id)


async def create(
    ctx: Ctx,
    act: Act,
    *,
    address: Address,
    role_id: str,
    delivery: Delivery | None,
    once: Once,
    answer: Callable[[Desk, Invitation], dict[str, Any]],
) -> WriteResult[tuple[Desk, Invitation]]:
    """Invite an address with one role (`Rp4`); `answer` is kept for `once`, so it has no link.

    Raises:
        NotATeam, RoleUnknown, GrantsExceeded, AlreadyMember, AlreadyInvited: see the domain.
        ExpiredInvitationThere, MemberLimit, InvitationRateLimited, Invalid: as well.
        Repeated: see `commit`.
    """

    async def work(tx: JournalWrite) -> tuple[Desk, Invitation]:
        desk = await enter(ctx, act, tx=tx)
        account, facts = _as_team(desk)
        role = role_to_give(desk.catalog, role_id)
        require_to_give(desk.state, desk.member, role.id, now=desk.now)
        policy = desk.catalog.catalog.policies.invitations
        invitation = Invitation(
            account_id=act.account_id,
            invitation_id=InvitationId(new_id("inv")),
            email=address.typed,
            email_key=address.key,
            role=role.id,
            delivery=invitations.delivery_of(policy, delivery),
            inviter_user_id=act.user_id,
            inviter_name=desk.membership.name,
            inviter_email=desk.membership.email,
            created_at=desk.now,
            expires_at=invitations.expiry(policy, desk.now),
        )
        if await ctx.store.is_member(act.account_id, address.key, tx.session):
            raise AlreadyMember
        earlier = await ctx.store.pending_for(act.account_id, address.key, tx.session)
        replaced = invitations.make_room(earlier, policy=policy, account=account, now=desk.now)
        await _require_seat(ctx, tx, desk)
        await _spend(ctx, tx, invitation)
        if replaced is not None:
            closed, fact = replaced
            await ctx.store.replace_invitation(closed, tx.session)
            facts.append(fact)
        await ctx.store.insert_invitation(invitation, tx.session)
        facts.append(invitations.create(invitation, account=account, role=role))
        await save(ctx, tx, account, facts)
        await once.keep(tx.session, answer(desk, invitation))
        return desk, invitation

    return await commit(
        ctx,
        act.account_id,
        work,
        caller=act.caller,
        effective_everywhere=act.effective_everywhere,
        once=once,
    )


async def resend(
    ctx: Ctx, act: Act, *, invitation_id: InvitationId
) -> WriteResult[tuple[Desk, Invitation]]:
    """Make a new link; earlier ones are dead (`Ci4`), and the caller is the inviter from now on.

    Raises:
        NotFound, GrantsExceeded, ResendNotOffered, MemberLimit, InvitationRateLimited: see the
            domain.
    """

    async def work(tx: JournalWrite) -> tuple[Desk, Invitation]:
        desk = await enter(ctx, act, tx=tx)
        invitation = await _pending(ctx, tx, act, invitation_id)
        role = role_to_give(desk.catalog, invitation.role)
        require_to_give(desk.state, desk.member, role.id, now=desk.now)
        policy = desk.catalog.catalog.policies.invitations
        again, fact = invitations.resend(
            invitation,
            policy=policy,
            account=desk.account,
            role=role,
            sender=desk.membership,
            now=desk.now,
        )
        if invitation.expired(desk.now):
            await _require_seat(ctx, tx, desk)
        await _spend(ctx, tx, again)
        await ctx.store.replace_invitation(again, tx.session)
        await save(ctx, tx, desk.account, [fact])
        return desk, again

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def revoke(ctx: Ctx, act: Act, *, invitation_id: InvitationId) -> WriteResult[None]:
    """Kill the link at once (`Ro18`, `Nv18`)."""

    async def work(tx: JournalWrite) -> None:
        desk = await enter(ctx, act, tx=tx)
        invitation = await _pending(ctx, tx, act, invitation_id)
        revoked, fact = invitations.revoke(invitation, account=desk.account)
        await ctx.store.replace_invitation(revoked, tx.session)
        await save(ctx, tx, desk.account, [fact])

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


def _as_team(desk: Desk) -> tuple[Account, list[Fact]]:
    """The account as the invitation finds it: where no step makes a team, this one does."""
    if desk.account.kind is AccountKind.TEAM:
        return desk.account, []
    if desk.catalog.catalog.policies.conversion is not Conversion.NONE:
        raise NotATeam
    account, fact = accounts.become_team(desk.account)
    return account, [fact]


async def _pending(ctx: Ctx, tx: JournalWrite, act: Act, invitation_id: InvitationId) -> Invitation:
    found = await ctx.store.pending_invitation(act.account_id, invitation_id, tx.session)
    if found is None:
        raise NotFound
    return found


async def _require_seat(ctx: Ctx, tx: JournalWrite, desk: Desk) -> None:
    """One more open invitation has to fit under the catalog's limit (`Nv12`)."""
    account_id = desk.account.account_id
    members = await ctx.store.count_members(account_id, tx.session) - 1
    invited = await ctx.store.count_open(account_id, now=desk.now, session=tx.session)
    limit = desk.catalog.catalog.policies.member_limit
    invitations.require_seat(taken=members + invited, limit=limit)


async def _spend(ctx: Ctx, tx: JournalWrite, invitation: Invitation) -> None:
    mailed = invitation.delivery is Delivery.EMAIL
    await ctx.store.spend(
        address=invitation.email_key if mailed else None,
        account_id=invitation.account_id,
        per_address=ctx.settings.mails_per_address,
        per_account=ctx.settings.invitations_per_account,
        now=tx.now,
        session=tx.session,
    )
