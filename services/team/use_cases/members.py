"""How do members get another role, leave, and get removed?"""

from rolecall import effective_table
from services.team.domain import members
from services.team.domain.authority import milliseconds, require_to_give, role_to_give
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.use_cases.context import Act, Ctx
from services.team.use_cases.desk import Desk, commit, enter, member_of, save
from services.team.use_cases.passing import pass_invitations
from shared.ids import ProjectId, UserId
from shared.journal import JournalWrite, WriteResult


async def everyone(ctx: Ctx, act: Act) -> tuple[Desk, list[Membership], list[Invitation]]:
    """Members and pending invitations in one place (`Nv15`, `Ro13`)."""
    desk = await enter(ctx, act)
    return (
        desk,
        await ctx.store.members(act.account_id),
        await ctx.store.pending(act.account_id),
    )


async def one(ctx: Ctx, act: Act, user_id: UserId) -> tuple[Desk, Membership]:
    """One member."""
    desk = await enter(ctx, act)
    return desk, await member_of(ctx, desk.account, user_id, None)


async def change_role(
    ctx: Ctx, act: Act, *, user_id: UserId, role_id: str
) -> WriteResult[tuple[Desk, Membership]]:
    """Give a member another role (`Ci3`); nobody gives what they do not hold (`B5`).

    Raises:
        RoleUnknown, GrantsExceeded, OwnerProtected: see the domain.
    """

    async def work(tx: JournalWrite) -> tuple[Desk, Membership]:
        desk = await enter(ctx, act, tx=tx)
        member = await member_of(ctx, desk.account, user_id, tx.session)
        role = role_to_give(desk.catalog, role_id)
        changed, fact = members.change_role(
            member,
            role=role,
            is_owner=desk.is_owner(member),
            ends_sessions=desk.catalog.catalog.policies.role_change_ends_sessions,
            account_name=desk.account.name,
        )
        if changed.role == member.role:
            return desk, member
        require_to_give(desk.state, desk.member, role.id, now=desk.now)
        await ctx.store.replace_member(changed, rev=tx.rev, session=tx.session)
        overrides = await ctx.store.overrides_of(act.account_id, user_id, tx.session)
        passed = await pass_invitations(
            ctx, tx, desk, inviter_id=user_id, now_is=changed, overrides=overrides
        )
        await save(ctx, tx, desk.account, [fact, *passed])
        return desk, changed

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def remove(ctx: Ctx, act: Act, *, user_id: UserId) -> WriteResult[None]:
    """End a membership: access ends with the answer (`Ro14`, `Ci5`, `Nv17`, `Nv20`).

    Raises:
        OwnerProtected: the member is the owner.
    """

    async def work(tx: JournalWrite) -> None:
        desk = await enter(ctx, act, tx=tx)
        member = await member_of(ctx, desk.account, user_id, tx.session)
        fact = members.remove(
            member,
            is_owner=desk.is_owner(member),
            overridden=await _overridden(ctx, tx, member),
            account_name=desk.account.name,
        )
        await _end(ctx, tx, desk, member)
        passed = await pass_invitations(ctx, tx, desk, inviter_id=user_id, now_is=None)
        await save(ctx, tx, desk.account, [fact, *passed])

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def leave(ctx: Ctx, act: Act) -> WriteResult[None]:
    """End one's own membership.

    Raises:
        OwnerCannotLeave: the owner stays.
    """

    async def work(tx: JournalWrite) -> None:
        desk = await enter(ctx, act, tx=tx)
        fact = members.leave(
            desk.membership,
            is_owner=desk.is_owner(desk.membership),
            overridden=await _overridden(ctx, tx, desk.membership),
            account_name=desk.account.name,
        )
        await _end(ctx, tx, desk, desk.membership)
        passed = await pass_invitations(ctx, tx, desk, inviter_id=act.user_id, now_is=None)
        await save(ctx, tx, desk.account, [fact, *passed])

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def own_permissions(
    ctx: Ctx, act: Act, project_id: ProjectId | None
) -> tuple[Desk, dict[str, dict[str, str | None]]]:
    """What the caller may do, in a project or outside of any.

    Raises:
        NotFound: the account has no such project.
    """
    desk = await enter(ctx, act, project_id=project_id)
    table = effective_table(desk.state, desk.member, project_id, now=milliseconds(desk.now))
    return desk, table


async def _overridden(ctx: Ctx, tx: JournalWrite, member: Membership) -> list[ProjectId]:
    found = await ctx.store.overrides_of(member.account_id, member.user_id, tx.session)
    return [override.project_id for override in found]


async def _end(ctx: Ctx, tx: JournalWrite, desk: Desk, member: Membership) -> None:
    await ctx.store.delete_member(member, tx.session)
    await ctx.store.delete_overrides_of(desk.account.account_id, member.user_id, tx.session)
