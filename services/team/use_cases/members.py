"""Members: another role or end, suspension, removal and leaving."""

from dataclasses import dataclass, replace

from services.team.domain import member_list, member_rules, members
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import member_state
from services.team.domain.invitations import Invitation
from services.team.domain.member_list import MemberListRow
from services.team.domain.member_rules import MemberChange
from services.team.domain.members import Membership
from services.team.domain.resource_rules import require_few_to_reassign, require_two_users
from services.team.domain.resources import ResourceFilter
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.invitation_handover import hand_over_invitations
from services.team.use_cases.resources import give_resources
from shared.ids import ProjectId, UserId
from shared.journal import WriteResult
from shared.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class ChangedMember:
    """A member after a change, and the invitations that passed to another inviter."""

    row: MemberListRow
    passed: tuple[Invitation, ...]


@dataclass(frozen=True, kw_only=True)
class RemovedMember:
    """What became of a removed member's invitations and resources.

    `passed` went to another inviter. `kept` resources have the former member as their owner still,
    `reassigned` ones another member.
    """

    passed: tuple[Invitation, ...]
    kept: int = 0
    reassigned: int = 0


async def get(ctx: Ctx, access: AccountAccess, user_id: UserId) -> MemberListRow:
    """Return one member.

    Raises:
        NotFound: the user is not a member.
    """
    member = await ctx.store.member(access.account.account_id, user_id)
    if member is None:
        raise NotFound
    return member_list.member_row(access, member)


async def change(
    ctx: Ctx, request: AccountRequest, *, user_id: UserId, wanted: MemberChange
) -> WriteResult[ChangedMember]:
    """Give a member another role (`Ci3`), another end (`B4`) or other attributes.

    The caller has to hold what they give, for as long as they give it (`B5`).

    Raises:
        RoleUnknown, GrantsExceeded, EndExceeded, OwnerProtected, Invalid: see the domain.
    """

    async def attempt(write: AccountWrite) -> ChangedMember:
        access = write.access
        member, overrides = await write.member(user_id), await write.overrides_of(user_id)
        every = [] if wanted.attributes is None else await write.all_overrides()
        changed, facts = member_rules.change(access, member, overrides, wanted, all_overrides=every)
        write.require_precondition(member_list.member_row(access, member), applied=not facts)
        if not facts:
            return ChangedMember(row=member_list.member_row(access, changed), passed=())
        await write.replace_member(changed)
        write.record(*facts)
        passed = await hand_over_invitations(
            write, user_id, inviter=member_state(access.catalog, changed, overrides)
        )
        return ChangedMember(row=member_list.member_row(access, changed), passed=passed)

    return await ctx.change(request, attempt, effective_everywhere=True)


async def suspend(
    ctx: Ctx, request: AccountRequest, *, user_id: UserId
) -> WriteResult[ChangedMember]:
    """Suspend a member; every check denies with the answer, and nothing is lost.

    Raises:
        OwnerProtected, NotYourself: see the domain.
    """

    async def change(write: AccountWrite) -> ChangedMember:
        access, member = write.access, await write.member(user_id)
        suspended, fact = member_rules.suspend(access, member)
        passed: tuple[Invitation, ...] = ()
        if fact is not None:
            await write.replace_member(suspended)
            write.record(fact)
            passed = await hand_over_invitations(write, user_id, inviter=None)
        return ChangedMember(row=member_list.member_row(access, suspended), passed=passed)

    return await ctx.change(request, change, effective_everywhere=True)


async def resume(
    ctx: Ctx, request: AccountRequest, *, user_id: UserId
) -> WriteResult[MemberListRow]:
    """Resume a suspended member with their role and overrides.

    Raises:
        GrantsExceeded, EndExceeded: see the domain.
    """

    async def change(write: AccountWrite) -> MemberListRow:
        access, member = write.access, await write.member(user_id)
        overrides = await write.overrides_of(user_id)
        resumed, fact = member_rules.resume(access, member, overrides)
        if fact is not None:
            await write.replace_member(resumed)
            write.record(fact)
        return member_list.member_row(access, resumed)

    return await ctx.change(request, change, effective_everywhere=True)


async def remove(
    ctx: Ctx, request: AccountRequest, *, user_id: UserId, reassign_to: UserId | None = None
) -> WriteResult[RemovedMember]:
    """Remove a member; their access ends with the answer (`Ro14`, `Ci5`, `Nv17`, `Nv20`).

    With `reassign_to` the resources that the member owns are given to that member in the same
    change. Without it they keep their owner.

    Raises:
        OwnerProtected: the member is the owner.
        TooManyToReassign, NewOwnerNotMember, GrantsExceeded: the resources cannot be reassigned.
    """
    pointer = "/query/reassign_to"
    if reassign_to is not None:
        require_two_users(user_id, reassign_to, pointer=pointer)

    async def change(write: AccountWrite) -> RemovedMember:
        member = await write.member(user_id)
        write.require_precondition(member_list.member_row(write.access, member))
        owned = ResourceFilter(owner_id=user_id)
        kept = await write.count_resources(owned)
        fact = members.remove(
            member,
            is_owner=write.access.is_owner(member),
            overridden=await _overridden(write, member),
            account_name=write.access.account.name,
            owned_resources=kept if reassign_to is None else 0,
        )
        reassigned = 0
        if reassign_to is not None:
            require_few_to_reassign(kept)
            reassigned = await give_resources(write, owned, user_id, reassign_to, pointer=pointer)
        await write.delete_member(member)
        write.record(fact)
        passed = await hand_over_invitations(write, user_id, inviter=None)
        return RemovedMember(passed=passed, kept=kept - reassigned, reassigned=reassigned)

    return await ctx.change(request, change, effective_everywhere=True)


async def leave(ctx: Ctx, request: AccountRequest) -> WriteResult[None]:
    """End the caller's own membership, and tell those who manage members.

    A member whom the account shuts out, because they have no second factor, can leave it.

    Raises:
        OwnerCannotLeave: the caller is the owner.
    """

    async def change(write: AccountWrite) -> None:
        member = write.access.membership
        managers = member_rules.managers(write.access, await write.members())
        fact = members.leave(
            member,
            is_owner=write.access.is_owner(member),
            overridden=await _overridden(write, member),
            account_name=write.access.account.name,
            manager_emails=[manager.email for manager in managers if manager != member],
            owned_resources=await write.count_resources(ResourceFilter(owner_id=member.user_id)),
        )
        await write.delete_member(member)
        write.record(fact)
        await hand_over_invitations(write, member.user_id, inviter=None)

    request = replace(request, without_factor=True)
    return await ctx.change(request, change, effective_everywhere=True)


async def _overridden(write: AccountWrite, member: Membership) -> list[ProjectId]:
    return [override.project_id for override in await write.overrides_of(member.user_id)]
