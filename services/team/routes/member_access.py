"""Routes that show what members may do."""

from datetime import datetime

from pydantic import Field

from rolecall import Reason
from services.team.domain.account_access import AccountAccess
from services.team.domain.catalog_texts import Translations
from services.team.domain.member_access import AccessTable, CellSource
from services.team.domain.member_list import MemberListStatus
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.use_cases import member_access
from services.team.use_cases.context import Ctx
from services.team.use_cases.member_access import MemberAccess
from shared.http.access import Permission
from shared.http.paging import MAX_PAGE_ROWS, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Route
from shared.ids import ProjectId, UserId

PROJECT_PATTERN = r"^prj_[0-9a-f]{32}$"


class PermissionsQuery(Body):
    """The project; without one, the answer is about account-wide permissions."""

    project: str | None = Field(
        default=None, pattern=PROJECT_PATTERN, description="Answer for this project"
    )


class AccessQuery(PageQuery):
    """The tables are long, so a page has fewer of them than other lists have items."""

    limit: int = Field(
        default=10, ge=1, le=MAX_PAGE_ROWS, description="The most projects of the page"
    )
    project: str | None = Field(
        default=None, pattern=PROJECT_PATTERN, description="Only this project"
    )


class OverrideTimeView(Answer):
    """A member's override in a project; if it is `expired`, the role counts again."""

    expires_at: datetime | None
    expired: bool


class PermissionsView(Answer):
    """What the caller may do: every cell of the table, and every permission held.

    A grant is `all`, `self`, or a scope with its conditions in words: `all when …`.

    `override` is the caller's override in the project, if there is one.
    """

    account_id: str
    user_id: UserId
    role: str
    project_id: str | None
    override: OverrideTimeView | None = None
    table: dict[str, dict[str, str | None]]
    permissions: dict[str, str]


class CellView(Answer):
    """The grant of one cell, or null, and what decides it.

    `scope` is `all`, `self`, or a scope with its conditions in words: `all when …`.

    `override`: the member's override in this project, also where it takes the cell away. `owner`:
    the role of the account's owner. `nothing`: no grant.
    """

    scope: str | None
    source: CellSource


TableView = dict[str, dict[str, CellView]]


class ProjectAccessView(Answer):
    """What the member may do in one project: entry → level → cell."""

    project_id: ProjectId
    name: str
    override: OverrideTimeView | None
    cells: TableView


class MemberAccessView(Answer):
    """What a member may do: `cells` is for what is outside of all projects.

    `items` are the projects that the caller may see. `denied` is the reason for which every check
    is denied, for example `membership-expired`. `translations` has the title of the role in other
    languages, as the catalog has them.
    """

    user_id: UserId | None
    status: MemberListStatus
    denied: Reason | None
    owner: bool
    role: str
    role_title: str
    translations: Translations
    cells: TableView
    items: list[ProjectAccessView]
    next_cursor: str | None


async def own_permissions(
    ctx: Ctx, call: Call[None, PermissionsQuery], access: AccountAccess
) -> PermissionsView:
    """Return what the caller may do."""
    project_id = None if call.query.project is None else ProjectId(call.query.project)
    own = await member_access.own_permissions(ctx, access, project_id)
    return PermissionsView(
        account_id=access.account.account_id,
        user_id=access.membership.user_id,
        role=access.membership.role,
        project_id=project_id,
        override=_override_view(own.override, now=access.now),
        table=own.table,
        permissions=own.permissions,
    )


async def of_member(
    ctx: Ctx, call: Call[None, AccessQuery], access: AccountAccess
) -> MemberAccessView:
    """Return what one member may do."""
    return await _access_of(ctx, call, access, UserId(call.path["user_id"]))


async def of_myself(
    ctx: Ctx, call: Call[None, AccessQuery], access: AccountAccess
) -> MemberAccessView:
    """Return what the caller may do, as others see it."""
    return await _access_of(ctx, call, access, access.membership.user_id)


async def _access_of(
    ctx: Ctx, call: Call[None, AccessQuery], access: AccountAccess, user_id: UserId
) -> MemberAccessView:
    project_id = None if call.query.project is None else ProjectId(call.query.project)
    found = await member_access.of_member(ctx, access, user_id, project_id=project_id)
    page, following = paged(
        found.projects, call, key=lambda project: (project.name.casefold(), project.project_id)
    )
    row = found.row
    return MemberAccessView(
        user_id=row.user_id,
        status=row.status,
        denied=found.denied,
        owner=row.owner,
        role=row.role,
        role_title=row.role_title,
        translations=row.translations,
        cells=_table_view(found.table(None)),
        items=[_project_view(found, project, now=access.now) for project in page],
        next_cursor=following,
    )


def _project_view(found: MemberAccess, project: Project, *, now: datetime) -> ProjectAccessView:
    return ProjectAccessView(
        project_id=project.project_id,
        name=project.name,
        override=_override_view(found.overrides.get(project.project_id), now=now),
        cells=_table_view(found.table(project)),
    )


def _table_view(table: AccessTable) -> TableView:
    return {
        entry: {
            level: CellView.model_validate({"scope": cell.scope, "source": cell.source})
            for level, cell in levels.items()
        }
        for entry, levels in table.items()
    }


def _override_view(override: ProjectOverride | None, *, now: datetime) -> OverrideTimeView | None:
    if override is None:
        return None
    return OverrideTimeView(expires_at=override.expires_at, expired=override.expired(now))


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/me/permissions",
        handler=own_permissions,
        operation_id="getMyPermissions",
        summary="What I may do in the account or one project; tells a page what to offer",
        tag="members",
        access=Permission("account:view"),
        query=PermissionsQuery,
        gives=PermissionsView,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/me/access",
        handler=of_myself,
        operation_id="getMyAccess",
        summary="What I may do in each project, and why; explains it to people",
        tag="members",
        access=Permission("account:view"),
        query=AccessQuery,
        gives=MemberAccessView,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/members/{user_id}/access",
        handler=of_member,
        operation_id="getMemberAccess",
        summary="What a member may do in each project, and why",
        tag="members",
        access=Permission("member:view"),
        query=AccessQuery,
        gives=MemberAccessView,
    ),
)
