"""Routes of projects."""

from datetime import datetime

from services.team.domain.projects import Project, ProjectLimit, ProjectNameTaken
from services.team.routes.account_routes import request_of
from services.team.routes.accounts import DisplayName
from services.team.use_cases import projects
from services.team.use_cases.context import Ctx
from shared.http.access import Permission
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import ProjectId

VIEW = Permission("project:view", decided_in_use_case=True)
MANAGE = Permission("project:manage", decided_in_use_case=True)
CREATE = Permission("project:create", decided_in_use_case=True)


class NameProject(Body):
    """The name of a project."""

    name: DisplayName


class ProjectView(Answer):
    """A project."""

    id: ProjectId
    name: str
    created_at: datetime


def _view(project: Project) -> ProjectView:
    return ProjectView(id=project.project_id, name=project.name, created_at=project.created_at)


async def list_projects(ctx: Ctx, call: Call[None, PageQuery]) -> Page[ProjectView]:
    """List the projects that the caller may see, by name."""
    found = await projects.visible(ctx, request_of(call))
    page, following = paged(
        found, call, key=lambda project: (project.name.casefold(), project.project_id)
    )
    return Page[ProjectView](items=[_view(project) for project in page], next_cursor=following)


async def create(ctx: Ctx, call: Call[NameProject, None]) -> Reply:
    """Create a project."""
    written = await projects.create(ctx, request_of(call), name=call.body.name)
    return Reply(body=_view(written.result), written=written)


async def get(ctx: Ctx, call: Call[None, None]) -> ProjectView:
    """Return one project."""
    return _view(await projects.get(ctx, request_of(call)))


async def rename(ctx: Ctx, call: Call[NameProject, None]) -> Reply:
    """Give a project another name."""
    written = await projects.rename(ctx, request_of(call), name=call.body.name)
    return Reply(body=_view(written.result), written=written)


async def delete(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Delete a project."""
    return Reply(written=await projects.delete(ctx, request_of(call)))


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects",
        handler=list_projects,
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
        handler=create,
        operation_id="createProject",
        summary="Create a project",
        tag="projects",
        access=CREATE,
        takes=NameProject,
        gives=ProjectView,
        status=201,
        refuses=(ProjectNameTaken, ProjectLimit),
        effective_everywhere=True,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects/{project_id}",
        handler=get,
        operation_id="getProject",
        summary="One project",
        tag="projects",
        access=VIEW,
        gives=ProjectView,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}/projects/{project_id}",
        handler=rename,
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
        handler=delete,
        operation_id="deleteProject",
        summary="Delete a project and the overrides in it",
        tag="projects",
        access=Permission("project:delete", decided_in_use_case=True),
        effective_everywhere=True,
    ),
)
