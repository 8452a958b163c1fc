"""Overrides: the list, setting and removing one member's grants inside a project."""

from dataclasses import dataclass
from datetime import datetime

from services.team.domain import override_rules
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import member_state
from services.team.domain.invitations import Invitation
from services.team.domain.overrides import ShownOverride, shown_at
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.invitation_handover import hand_over_invitations
from shared.ids import UserId
from shared.journal import WriteResult
from shared.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class SetOverride:
    """An override that was set, and the invitations that passed to another inviter."""

    override: ShownOverride
    passed: tuple[Invitation, ...]


async def list_all(ctx: Ctx, access: AccountAccess) -> list[ShownOverride]:
    """List the overrides in the project of the path.

    Raises:
        NotInThisCatalog: the catalog does not offer overrides.
    """
    override_rules.require_offered(access)
    project_id = access.named_project.project_id
    found = await ctx.store.overrides_in(access.account.account_id, project_id)
    return [shown_at(override, access.now) for override in found]


async def get(ctx: Ctx, access: AccountAccess, user_id: UserId) -> ShownOverride:
    """Return one member's override in the project of the path.

    Raises:
        NotInThisCatalog: the catalog does not offer overrides.
        NotFound: the member has no override there.
    """
    override_rules.require_offered(access)
    project_id = access.named_project.project_id
    found = await ctx.store.override(access.account.account_id, project_id, user_id)
    if found is None:
        raise NotFound
    return shown_at(found, access.now)


async def put(
    ctx: Ctx,
    request: AccountRequest,
    *,
    user_id: UserId,
    grants: object,
    expires_at: datetime | None,
) -> WriteResult[SetOverride]:
    """Give a member other grants inside the project, in place of the role's (`Ci9`).

    Raises:
        NotInThisCatalog, OwnerNotOverridden, GrantsExceeded, Invalid, OverrideLimit: see the
            domain.
    """
    limit = ctx.settings.overrides_per_account

    async def change(write: AccountWrite) -> SetOverride:
        access = write.access
        override_rules.require_offered(access)
        member = await write.member(user_id)
        member_overrides = await write.overrides_of(user_id)
        project_id = access.named_project.project_id
        others = [other for other in member_overrides if other.project_id != project_id]
        replaced = next((other for other in member_overrides if other not in others), None)
        override, fact = override_rules.set_override(
            access, member, member_overrides=member_overrides, grants=grants, expires_at=expires_at
        )
        write.require_precondition(replaced and shown_at(replaced, write.now), applied=fact is None)
        if replaced is None:
            present = await write.count_overrides(limit=limit)
            override_rules.require_room(access, present=present, limit=limit)
        if fact is None:
            return SetOverride(override=shown_at(override, write.now), passed=())
        await write.put_override(override)
        write.record(fact)
        passed = await hand_over_invitations(
            write, user_id, inviter=member_state(access.catalog, member, [*others, override])
        )
        return SetOverride(override=shown_at(override, write.now), passed=passed)

    return await ctx.change(request, change, effective_everywhere=True)


async def remove(ctx: Ctx, request: AccountRequest, *, user_id: UserId) -> WriteResult[None]:
    """Remove a member's override: their role counts in the project again.

    Raises:
        NotInThisCatalog, GrantsExceeded: see the domain.
        NotFound: the member has no override there.
    """

    async def change(write: AccountWrite) -> None:
        access = write.access
        override_rules.require_offered(access)
        member = await write.member(user_id)
        present = await write.override(access.named_project.project_id, user_id)
        if present is not None:
            write.require_precondition(shown_at(present, write.now))
        override, fact = override_rules.remove_override(access, member, present)
        await write.delete_override(override)
        write.record(fact)

    return await ctx.change(request, change, effective_everywhere=True)
