"""Members: the list, another role, removal and leaving."""

from dataclasses import dataclass

from rolecall import effective_table, milliseconds
from services.team.domain import members
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import member_state, require_to_give
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.roles import assignable_role
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.invitation_handover import hand_over_invitations
from shared.ids import ProjectId, UserId
from shared.journal import WriteResult
from shared.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class MemberList:
    """The members of an account and its pending invitations."""

    members: list[Membership]
    invitations: list[Invitation]


async def list_all(ctx: Ctx, access: AccountAccess) -> MemberList:
    """List members and pending invitations in one place (`Nv15`, `Ro13`)."""
    return MemberList(
        members=await ctx.store.members(access.account.account_id),
        invitations=await ctx.store.pending(access.account.account_id),
    )


async def get(ctx: Ctx, access: AccountAccess, user_id: UserId) -> Membership:
    """Return one member.

    Raises:
        NotFound: the user is not a member.
    """
    member = await ctx.store.member(access.account.account_id, user_id)
    if member is None:
        raise NotFound
    return member


async def change_role(
    ctx: Ctx, request: AccountRequest, *, user_id: UserId, role_id: str
) -> WriteResult[tuple[AccountAccess, Membership]]:
    """Give a member another role (`Ci3`), which the caller has to hold themselves (`B5`).

    Raises:
        RoleUnknown, GrantsExceeded, OwnerProtected: see the domain.
    """

    async def change(write: AccountWrite) -> tuple[AccountAccess, Membership]:
        access = write.access
        member = await write.member(user_id)
        role = assignable_role(access.catalog, role_id)
        changed, fact = members.change_role(
            member,
            role=role,
            is_owner=access.is_owner(member),
            ends_sessions=access.catalog.catalog.policies.role_change_ends_sessions,
            account_name=access.account.name,
        )
        if changed.role == member.role:
            return access, member
        require_to_give(access.state, access.member, role.id, now=access.now)
        await write.replace_member(changed)
        write.record(fact)
        overrides = await write.overrides_of(user_id)
        await hand_over_invitations(
            write, user_id, inviter=member_state(access.catalog, changed, overrides)
        )
        return access, changed

    return await ctx.change(request, change, effective_everywhere=True)


async def remove(ctx: Ctx, request: AccountRequest, *, user_id: UserId) -> WriteResult[None]:
    """Remove a member; their access ends with the answer (`Ro14`, `Ci5`, `Nv17`, `Nv20`).

    Raises:
        OwnerProtected: the member is the owner.
    """

    async def change(write: AccountWrite) -> None:
        member = await write.member(user_id)
        fact = members.remove(
            member,
            is_owner=write.access.is_owner(member),
            overridden=await _overridden(write, member),
            account_name=write.access.account.name,
        )
        await write.delete_member(member)
        write.record(fact)
        await hand_over_invitations(write, user_id, inviter=None)

    return await ctx.change(request, change, effective_everywhere=True)


async def leave(ctx: Ctx, request: AccountRequest) -> WriteResult[None]:
    """End the caller's own membership.

    Raises:
        OwnerCannotLeave: the caller is the owner.
    """

    async def change(write: AccountWrite) -> None:
        member = write.access.membership
        fact = members.leave(
            member,
            is_owner=write.access.is_owner(member),
            overridden=await _overridden(write, member),
            account_name=write.access.account.name,
        )
        await write.delete_member(member)
        write.record(fact)
        await hand_over_invitations(write, member.user_id, inviter=None)

    return await ctx.change(request, change, effective_everywhere=True)


async def own_permissions(
    ctx: Ctx, access: AccountAccess, project_id: ProjectId | None
) -> dict[str, dict[str, str | None]]:
    """Return what the caller may do, in one project or account-wide.

    Raises:
        NotFound: the account has no such project.
    """
    account_id = access.account.account_id
    if project_id is not None and await ctx.store.project(account_id, project_id) is None:
        raise NotFound
    now = milliseconds(access.now)
    return effective_table(access.state, access.member, project_id, now=now)


async def _overridden(write: AccountWrite, member: Membership) -> list[ProjectId]:
    return [override.project_id for override in await write.overrides_of(member.user_id)]
