"""What members may do: the caller's own permissions, and the access table of any member."""

from dataclasses import dataclass, replace

from rolecall import AccountState, Member, Reason, effective_matrix, milliseconds
from services.team.domain import member_access, member_list
from services.team.domain.account_access import AccountAccess, seen_projects
from services.team.domain.authority import account_state, member_state
from services.team.domain.member_access import AccessTable
from services.team.domain.member_list import MemberListRow
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.use_cases.context import Ctx
from shared.ids import ProjectId, UserId
from shared.problems import NotFound

SEE_PROJECT = "project:view"


@dataclass(frozen=True, kw_only=True)
class OwnPermissions:
    """What a member may do: every cell of the table, and every permission held.

    `override` is the member's override in the project that was asked about, also an expired one.
    """

    override: ProjectOverride | None
    table: dict[str, dict[str, str | None]]
    permissions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class MemberAccess:
    """What one member may do: outside of all projects, and in the projects that the caller sees.

    `denied` is the reason for which every check of the member is denied, if it is.
    """

    row: MemberListRow
    denied: Reason | None
    projects: list[Project]
    overrides: dict[ProjectId, ProjectOverride]
    state: AccountState
    member: Member
    now: int

    def table(self, project: Project | None) -> AccessTable:
        """The table in one of the projects, or outside of all."""
        project_id = None if project is None else project.project_id
        return member_access.access_table(self.state, self.member, project_id, now=self.now)


async def own_permissions(
    ctx: Ctx, access: AccountAccess, project_id: ProjectId | None
) -> OwnPermissions:
    """Return what the caller may do, in one project or account-wide.

    Raises:
        NotFound: the account has no such project.
    """
    account_id = access.account.account_id
    if project_id is not None and await ctx.store.project(account_id, project_id) is None:
        raise NotFound
    override = None
    if project_id is not None:
        user_id = access.membership.user_id
        override = await ctx.store.override(account_id, project_id, user_id)
    held = effective_matrix(access.state, access.member, project_id, now=milliseconds(access.now))
    return OwnPermissions(
        override=override,
        table=access.catalog.table(held),
        permissions=access.catalog.held(held),
    )


async def of_member(
    ctx: Ctx, access: AccountAccess, user_id: UserId, *, project_id: ProjectId | None
) -> MemberAccess:
    """Return what a member may do, in one project or in all that the caller may see.

    Raises:
        NotFound: the user is not a member, or the caller sees no such project.
    """
    account_id, now = access.account.account_id, milliseconds(access.now)
    membership = await ctx.store.member(account_id, user_id)
    if membership is None:
        raise NotFound
    overrides = await ctx.store.overrides_of(account_id, user_id)
    projects = seen_projects(access, await ctx.store.projects(account_id), SEE_PROJECT)
    if project_id is not None:
        projects = [project for project in projects if project.project_id == project_id]
        if not projects:
            raise NotFound
    member = member_state(access.catalog, membership, overrides)
    ids = [project.project_id for project in projects]
    lacking = access.account.require_second_factor and not ctx.callers.has_second_factor(user_id)
    state = replace(
        account_state(access.account, access.catalog, [member], ids), require_second_factor=lacking
    )
    return MemberAccess(
        row=member_list.member_row(access, membership),
        denied=member_access.denial(state, member, now=now),
        projects=projects,
        overrides={override.project_id: override for override in overrides},
        state=state,
        member=member,
        now=now,
    )
