"""Which routes are about projects and the overrides in them?"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field

from services.team.domain.authority import GrantsExceeded
from services.team.domain.overrides import (
    NotInThisCatalog,
    OwnerNotOverridden,
    ProjectOverride,
    plain,
)
from services.team.domain.projects import Project, ProjectLimit, ProjectNameTaken
from services.team.routes.gate import act_of, gated
from services.team.use_cases import projects
from services.team.use_cases.context import Ctx
from shared.http.access import Permission
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import MembershipId, ProjectId, UserId
from shared.names import parse_name

VIEW = Permission("project:view", decided_in_use_case=True)
MANAGE = Permission("project:manage", decided_in_use_case=True)
SEE_MEMBERS = Permission("member:view", decided_in_use_case=True)
CHANGE_MEMBERS = Permission("member:update", decided_in_use_case=True)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("Is outside of the calendar in UTC") from None


class NameProject(Body):
    """A project's name."""

    name: Annotated[str, Field(max_length=400), AfterValidator(parse_name)]


class PutOverride(Body):
    """Entry → level → `all` or `self`, as in a catalog's roles; nothing else counts there."""

    grants: dict[str, dict[str, str]] = Field(max_length=500)
    expires_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None


class ProjectView(Answer):
    """A project."""

    id: ProjectId
    name: str
    created_at: datetime


class OverrideView(Answer):
    """One member's grants inside the project."""

    project_id: ProjectId
    user_id: UserId
    membership_id: MembershipId
    grants: dict[str, Any]
    expires_at: datetime | None
    given_by: UserId
    given_at: datetime


def _view(project: Project) -> ProjectView:
    return ProjectView(id=project.project_id, name=project.name, created_at=project.created_at)


def _override_view(override: ProjectOverride) -> OverrideView:
    return OverrideView(
        project_id=override.project_id,
        user_id=override.user_id,
        membership_id=override.membership_id,
        grants=plain(override.grants),
        expires_at=override.expires_at,
        given_by=override.given_by,
        given_at=override.given_at,
    )


def _id(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])


async def list_projects(ctx: Ctx, call: Call[None, PageQuery]) -> Page[ProjectView]:
    """The projects that the caller may see, by name."""
    found = await projects.visible(ctx, act_of(call))
    page, following = paged(
        found, call, key=lambda project: (project.name.casefold(), project.project_id)
    )
    return Page[ProjectView](items=[_view(project) for project in page], next_cursor=following)


async def create(ctx: Ctx, call: Call[NameProject, None]) -> Reply:
    """A project is made."""
    written = await projects.create(ctx, act_of(call), name=call.body.name)
    return Reply(body=_view(written.result), written=written)


async def get(ctx: Ctx, call: Call[None, None]) -> ProjectView:
    """One project."""
    return _view(await projects.one(ctx, act_of(call), _id(call)))


async def rename(ctx: Ctx, call: Call[NameProject, None]) -> Reply:
    """Another name for a project."""
    written = await projects.rename(ctx, act_of(call), project_id=_id(call), name=call.body.name)
    return Reply(body=_view(written.result), written=written)


async def delete(ctx: Ctx, call: Call[None, None]) -> Reply:
    """A project is gone."""
    return Reply(written=await projects.delete(ctx, act_of(call), project_id=_id(call)))


async def list_overrides(ctx: Ctx, call: Call[None, PageQuery]) -> Page[OverrideView]:
    """The overrides in a project."""
    found = await projects.overrides_in(ctx, act_of(call), _id(call))
    page, following = paged(found, call, key=lambda override: (override.user_id, ""))
    return Page[OverrideView](
        items=[_override_view(override) for override in page], next_cursor=following
    )


async def put_override(ctx: Ctx, call: Call[PutOverride, None]) -> Reply:
    """Other grants for a member inside the project."""
    written = await projects.put_override(
        ctx,
        act_of(call),
        project_id=_id(call),
        user_id=UserId(call.path["user_id"]),
        grants=call.body.grants,
        expires_at=call.body.expires_at,
    )
    return Reply(body=_override_view(written.result), written=written)


async def remove_override(ctx: Ctx, call: Call[None, None]) -> Reply:
    """The role counts in the project again."""
    written = await projects.remove_override(
        ctx, act_of(call), project_id=_id(call), user_id=UserId(call.path["user_id"])
    )
    return Reply(written=written)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects",
        handler=gated(list_projects),
        operation_id="listProjects",
        summary="The account's projects",
        tag="projects",
        access=VIEW,
        query=PageQuery,
        gives=Page[ProjectView],
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/projects",
        handler=gated(create),
        operation_id="createProject",
        summary="Make a project",
        tag="projects",
        access=MANAGE,
        takes=NameProject,
        gives=ProjectView,
        status=201,
        refuses=(ProjectNameTaken, ProjectLimit),
        effective_everywhere=True,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects/{project_id}",
        handler=gated(get),
        operation_id="getProject",
        summary="One project",
        tag="projects",
        access=VIEW,
        gives=ProjectView,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}/projects/{project_id}",
        handler=gated(rename),
        operation_id="renameProject",
        summary="Give a project another name",
        tag="projects",
        access=MANAGE,
        takes=NameProject,
        gives=ProjectView,
        refuses=(ProjectNameTaken,),
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/projects/{project_id}",
        handler=gated(delete),
        operation_id="deleteProject",
        summary="Delete a project and the overrides in it",
        tag="projects",
        access=Permission("project:delete", decided_in_use_case=True),
        effective_everywhere=True,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides",
        handler=gated(list_overrides),
        operation_id="listOverrides",
        summary="The members with other grants in this project",
        tag="projects",
        access=SEE_MEMBERS,
        query=PageQuery,
        gives=Page[OverrideView],
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="PUT",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides/{user_id}",
        handler=gated(put_override),
        operation_id="setOverride",
        summary="Replace a member's grants inside a project",
        tag="projects",
        access=CHANGE_MEMBERS,
        takes=PutOverride,
        gives=OverrideView,
        refuses=(NotInThisCatalog, OwnerNotOverridden, GrantsExceeded),
        effective_everywhere=True,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides/{user_id}",
        handler=gated(remove_override),
        operation_id="removeOverride",
        summary="Let the role count in the project again",
        tag="projects",
        access=CHANGE_MEMBERS,
        refuses=(NotInThisCatalog, GrantsExceeded),
        effective_everywhere=True,
    ),
)
