"""Projects: the list, creation, renaming and deletion."""

from services.team.domain import projects
from services.team.domain.account_access import AccountAccess, visible_projects
from services.team.domain.projects import Project
from services.team.domain.resource_rules import ProjectHasResources
from services.team.domain.resources import ResourceFilter
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from shared.ids import ProjectId, new_id
from shared.journal import WriteResult


async def visible(ctx: Ctx, access: AccountAccess, *, permission: str) -> list[Project]:
    """List the projects that the caller may see; the permission is decided inside each.

    Raises:
        PermissionMissing: the caller may see none of them, nor a new one.
    """
    projects_of_account = await ctx.store.projects(access.account.account_id)
    return visible_projects(access, projects_of_account, permission)


async def create(ctx: Ctx, request: AccountRequest, *, name: str) -> WriteResult[Project]:
    """Create a project.

    Raises:
        ProjectNameTaken, ProjectLimit: see the domain.
    """

    async def change(write: AccountWrite) -> Project:
        project, fact = projects.create(
            account_id=request.account_id,
            project_id=ProjectId(new_id("prj")),
            name=name,
            others=await write.projects(),
            limit=ctx.settings.projects_per_account,
            words=write.access.words,
            now=write.now,
        )
        await write.insert_project(project)
        write.record(fact)
        return project

    return await ctx.change(request, change, effective_everywhere=True)


async def rename(ctx: Ctx, request: AccountRequest, *, name: str) -> WriteResult[Project]:
    """Give a project another name.

    Raises:
        ProjectNameTaken: another project of the account has the name.
    """

    async def change(write: AccountWrite) -> Project:
        project = write.access.named_project
        applied = name == project.name
        write.require_precondition(project, applied=applied)
        if applied:
            return project
        renamed, fact = projects.rename(
            project, name, account_projects=await write.projects(), words=write.access.words
        )
        await write.replace_project(renamed)
        write.record(fact)
        return renamed

    return await ctx.change(request, change, effective_everywhere=False)


async def delete(ctx: Ctx, request: AccountRequest) -> WriteResult[None]:
    """Delete a project and the overrides in it.

    Raises:
        ProjectHasResources: resources are registered in it.
    """

    async def change(write: AccountWrite) -> None:
        project = write.access.named_project
        write.require_precondition(project)
        count = await write.count_resources(ResourceFilter(project_id=project.project_id))
        if count:
            raise ProjectHasResources(project=write.access.words.project, count=count)
        inside = await write.overrides_in(project.project_id)
        overridden = [override.user_id for override in inside]
        await write.delete_project(project)
        write.record(projects.delete(project, overridden=overridden))

    return await ctx.change(request, change, effective_everywhere=True)
