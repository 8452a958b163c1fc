"""Routes of projects."""

from datetime import datetime

from services.team.domain.account_access import AccountAccess
from services.team.domain.projects import Project, ProjectLimit, ProjectNameTaken
from services.team.domain.resource_rules import ProjectHasResources
from services.team.routes.accounts import DisplayName
from services.team.use_cases import projects
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import ProjectId

VIEW = Permission("project:view")
VIEW_IN_EACH = Permission("project:view", in_each_project=True)
MANAGE = Permission("project:manage")
CREATE = Permission("project:create")


class NameProject(Body):
    """The name of a project."""

    name: DisplayName


class ProjectView(TaggedAnswer):
    """A project."""

    id: ProjectId
    name: str
    created_at: datetime


def _view(project: Project) -> ProjectView:
    return ProjectView(id=project.project_id, name=project.name, created_at=project.created_at)


async def list_projects(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[ProjectView]:
    """List the projects that the caller may see, by name."""
    found = await projects.visible(ctx, access, permission=call.permission)
    page, following = paged(
        found, call, key=lambda project: (project.name.casefold(), project.project_id)
    )
    return Page[ProjectView](items=[_view(project) for project in page], next_cursor=following)


async def create(ctx: Ctx, call: Call[NameProject, None], request: AccountRequest) -> Reply:
    """Create a project."""
    written = await projects.create(ctx, request, name=call.body.name)
    return Reply(body=_view(written.result), written=written)


async def get(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> ProjectView:
    """Return one project."""
    return _view(access.named_project)


async def rename(ctx: Ctx, call: Call[NameProject, None], request: AccountRequest) -> Reply:
    """Give a project another name."""
    written = await projects.rename(ctx, request, name=call.body.name)
    return Reply(body=_view(written.result), written=written)


async def delete(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Delete a project."""
    return Reply(written=await projects.delete(ctx, request))


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects",
        handler=list_projects,
        operation_id="listProjects",
        summary="The account's projects",
        tag="projects",
        access=VIEW_IN_EACH,
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
        idempotent=True,
        repeat_answer=_view,
        has_preview=True,
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
        represent=_view,
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
        represent=_view,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/projects/{project_id}",
        handler=delete,
        operation_id="deleteProject",
        summary="Delete a project and the overrides in it",
        tag="projects",
        access=Permission("project:delete"),
        refuses=(ProjectHasResources,),
        effective_everywhere=True,
        represent=_view,
        has_preview=True,
    ),
)
