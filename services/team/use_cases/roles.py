"""Roles: the list, and creating, editing and deleting custom ones."""

from dataclasses import dataclass
from datetime import datetime

from rolecall import CompiledCatalog, Role
from services.team.domain import guardrail_rules, role_rules
from services.team.domain.account_access import AccountAccess, after_change
from services.team.domain.accounts import Account
from services.team.domain.custom_roles import CustomRole
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.roles import RoleNotThere
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.invitation_handover import hand_over_after_role_change
from shared.ids import RoleId, new_id
from shared.journal import WriteResult


@dataclass(frozen=True, kw_only=True)
class ShownRole:
    """A role as the account has it; `custom` is `None` for one of the catalog."""

    role: Role
    custom: CustomRole | None


@dataclass(frozen=True, kw_only=True)
class EditedRole:
    """A custom role after a change, and the invitations that passed to another inviter."""

    role: ShownRole
    passed: tuple[Invitation, ...]


def list_all(access: AccountAccess) -> list[ShownRole]:
    """List the roles of the account's catalog in its order, then the custom ones by name."""
    custom = {role.role_id: role for role in access.account.roles}
    return [
        ShownRole(role=role, custom=custom.get(RoleId(role.id)))
        for role in access.catalog.all_roles()
    ]


def built_in(catalog: CompiledCatalog) -> list[ShownRole]:
    """List the roles that come with a catalog."""
    return [ShownRole(role=role, custom=None) for role in catalog.all_roles()]


def get(access: AccountAccess, role_id: str) -> ShownRole:
    """Return one role.

    Raises:
        RoleNotThere: the account has no such role.
    """
    for shown in list_all(access):
        if shown.role.id == role_id:
            return shown
    raise RoleNotThere(role_id, access.catalog)


async def create(
    ctx: Ctx, request: AccountRequest, *, name: str, description: str, grants: object
) -> WriteResult[ShownRole]:
    """Define a role of the account (`Ci8`, `Ro5`).

    Raises:
        NotInThisCatalog, Invalid, GrantsExceeded, RoleNameTaken, RoleLimit: see the domain.
    """

    async def change(write: AccountWrite) -> ShownRole:
        access = write.access
        role_rules.require_offered(access)
        account, role, fact = role_rules.create(
            access,
            role_id=RoleId(new_id("rol")),
            name=name,
            description=description,
            grants=grants,
            limit=ctx.settings.roles_per_account,
        )
        write.account = account
        write.record(fact)
        return get(await _after(ctx, write, account), role.role_id)

    return await ctx.change(request, change, effective_everywhere=True)


async def edit(
    ctx: Ctx,
    request: AccountRequest,
    *,
    role_id: str,
    name: str | None,
    description: str | None,
    grants: object | None,
) -> WriteResult[EditedRole]:
    """Change a custom role. What it loses is out of force with the answer.

    Open invitations whose inviter may not give their role any more pass to another inviter.

    Raises:
        NotInThisCatalog, RoleBuiltIn, RoleNotThere: there is no such role to change.
        Invalid, GrantsExceeded, EndExceeded, RoleNameTaken: see the domain.
    """

    async def change(write: AccountWrite) -> EditedRole:
        access = write.access
        role_rules.require_offered(access)
        role = role_rules.custom_role(access, role_id)
        account, changed, fact = role_rules.edit(
            access,
            role,
            name=name,
            description=description,
            grants=grants,
            ends=await _ends(write, role_id),
        )
        write.require_precondition(get(access, role_id), applied=fact is None)
        if fact is None:
            return EditedRole(role=get(access, role_id), passed=())
        write.account = account
        write.record(fact)
        after = await _after(ctx, write, account)
        passed = await hand_over_after_role_change(write, after, role_id)
        return EditedRole(role=get(after, changed.role_id), passed=passed)

    return await ctx.change(request, change, effective_everywhere=True)


async def delete(
    ctx: Ctx, request: AccountRequest, *, role_id: str, replacement_id: str | None
) -> WriteResult[tuple[Invitation, ...]]:
    """Delete a custom role; its members and pending invitations get the replacement.

    Returns the invitations that passed to another inviter.

    Raises:
        NotInThisCatalog, RoleBuiltIn, RoleNotThere: there is no such role to delete.
        RoleInGuardrail, RoleInUse, RoleUnknown, GrantsExceeded, EndExceeded: see the domain.
    """

    async def change(write: AccountWrite) -> tuple[Invitation, ...]:
        access = write.access
        role_rules.require_offered(access)
        role = role_rules.custom_role(access, role_id)
        write.require_precondition(get(access, role_id))
        guardrail_rules.require_unnamed(access.account, [role])
        deleted = role_rules.delete(
            access,
            role,
            replacement_id=replacement_id,
            members=await _holders(write, role_id),
            invitations=await write.pending_with_role(role_id),
        )
        write.account = deleted.account
        await write.replace_members(deleted.members)
        await write.replace_invitations(deleted.invitations)
        write.record(*deleted.facts)
        if replacement_id is None:
            return ()
        after = await _after(ctx, write, deleted.account)
        return await hand_over_after_role_change(write, after, replacement_id)

    return await ctx.change(request, change, effective_everywhere=True)


async def _holders(write: AccountWrite, role_id: str) -> list[Membership]:
    return [member for member in await write.members() if member.role == role_id]


async def _ends(write: AccountWrite, role_id: str) -> list[datetime | None]:
    """When the memberships with the role end; nothing is read for a caller without an end."""
    if write.access.membership.expires_at is None:
        return []
    return role_rules.ends_of(
        await _holders(write, role_id), await write.pending_with_role(role_id)
    )


async def _after(ctx: Ctx, write: AccountWrite, account: Account) -> AccountAccess:
    """The acting member's access with the account's roles as they are from now on."""
    membership = await write.member(write.access.membership.user_id)
    return after_change(
        write.access,
        account=account,
        catalog=await ctx.store.catalog_of(account),
        membership=membership,
        overrides=await write.overrides_of(membership.user_id),
    )
