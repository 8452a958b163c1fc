"""How do projects come and go, and how do members get other grants inside one?"""

from dataclasses import replace
from datetime import datetime

from rolecall import Resource, Subject, decide, effective_matrix
from services.team.domain import overrides, projects
from services.team.domain.authority import (
    account_state,
    gained,
    member_state,
    milliseconds,
    require_to_grant,
)
from services.team.domain.members import Membership
from services.team.domain.overrides import NotInThisCatalog, OwnerNotOverridden, ProjectOverride
from services.team.domain.projects import Project, ProjectLimit, ProjectNameTaken
from services.team.use_cases.context import Act, Ctx
from services.team.use_cases.desk import Desk, commit, enter, member_of, save
from services.team.use_cases.passing import pass_invitations
from shared.ids import ProjectId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.names import name_key
from shared.problems import NotFound, PermissionMissing

MEMBER = "account:view"
"""Every role holds it: whoever lacks it is no member."""


async def visible(ctx: Ctx, act: Act) -> list[Project]:
    """The projects that the caller may see: where the entry is project-scoped, each for itself.

    Raises:
        PermissionMissing: they may see none, nor would they see another one.
    """
    desk = await enter(ctx, replace(act, permission=MEMBER))
    rows = await ctx.store.projects(act.account_id)
    ids = [project.project_id for project in rows]
    state = account_state(desk.account, desk.catalog, [desk.member], ids)

    def allowed(project_id: ProjectId | None) -> bool:
        place = Resource(project_id=project_id)
        now = milliseconds(desk.now)
        return decide(state, Subject(act.user_id), act.permission, place, now=now).allowed

    seen = [project for project in rows if allowed(project.project_id)]
    if not seen and not allowed(None):
        raise PermissionMissing(act.permission)
    return seen


async def one(ctx: Ctx, act: Act, project_id: ProjectId) -> Project:
    """One project."""
    return _project(await enter(ctx, act, project_id=project_id))


async def create(ctx: Ctx, act: Act, *, name: str) -> WriteResult[Project]:
    """Make a project.

    Raises:
        ProjectNameTaken, ProjectLimit: see the domain.
    """

    async def work(tx: JournalWrite) -> Project:
        desk = await enter(ctx, act, tx=tx)
        limit = ctx.settings.projects_per_account
        others = await ctx.store.projects(act.account_id, tx.session)
        _require_free(name, others)
        if len(others) >= limit:
            raise ProjectLimit(limit=limit)
        project = Project(
            account_id=act.account_id,
            project_id=ProjectId(new_id("prj")),
            name=name,
            created_at=tx.now,
        )
        await ctx.store.insert_project(project, rev=tx.rev, session=tx.session)
        await save(ctx, tx, desk.account, [projects.create(project)])
        return project

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def rename(ctx: Ctx, act: Act, *, project_id: ProjectId, name: str) -> WriteResult[Project]:
    """Give a project another name."""

    async def work(tx: JournalWrite) -> Project:
        desk = await enter(ctx, act, tx=tx, project_id=project_id)
        project = _project(desk)
        if name == project.name:
            return project
        others = await ctx.store.projects(act.account_id, tx.session)
        _require_free(name, [other for other in others if other.project_id != project_id])
        renamed, fact = projects.rename(project, name)
        await ctx.store.replace_project(renamed, rev=tx.rev, session=tx.session)
        await save(ctx, tx, desk.account, [fact])
        return renamed

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def delete(ctx: Ctx, act: Act, *, project_id: ProjectId) -> WriteResult[None]:
    """Delete a project and the overrides in it."""

    async def work(tx: JournalWrite) -> None:
        desk = await enter(ctx, act, tx=tx, project_id=project_id)
        project = _project(desk)
        inside = await ctx.store.overrides_in(act.account_id, project_id, tx.session)
        overridden = [override.user_id for override in inside]
        await ctx.store.delete_project(project, tx.session)
        await save(ctx, tx, desk.account, [projects.delete(project, overridden=overridden)])

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def overrides_in(ctx: Ctx, act: Act, project_id: ProjectId) -> list[ProjectOverride]:
    """The overrides in a project.

    Raises:
        NotInThisCatalog: the catalog does not offer overrides.
    """
    desk = await enter(ctx, act, project_id=project_id)
    _require_offered(desk)
    return await ctx.store.overrides_in(act.account_id, project_id)


async def put_override(
    ctx: Ctx,
    act: Act,
    *,
    project_id: ProjectId,
    user_id: UserId,
    grants: object,
    expires_at: datetime | None,
) -> WriteResult[ProjectOverride]:
    """Give a member other grants inside a project, in place of the role's (`Ci9`).

    Raises:
        NotInThisCatalog, OwnerNotOverridden, Invalid: see the domain.
        GrantsExceeded: the caller lacks what it gives, or what comes back because it ends before
            the override that it replaces.
    """

    async def work(tx: JournalWrite) -> ProjectOverride:
        desk = await enter(ctx, act, tx=tx, project_id=project_id)
        _require_offered(desk)
        project = _project(desk)
        member = await member_of(ctx, desk.account, user_id, tx.session)
        if desk.is_owner(member):
            raise OwnerNotOverridden
        override = ProjectOverride(
            account_id=act.account_id,
            project_id=project_id,
            user_id=user_id,
            membership_id=member.membership_id,
            grants=overrides.parse_grants(desk.catalog.catalog, grants),
            expires_at=expires_at,
            given_by=act.user_id,
            given_at=tx.now,
        )
        matrix = desk.catalog.override_matrix(project_id, override.grants)
        require_to_grant(
            desk.state, desk.member, project_id, matrix, now=desk.now, until=expires_at
        )
        present = await ctx.store.overrides_of(act.account_id, user_id, tx.session)
        replaced = next((other for other in present if other.project_id == project_id), None)
        if replaced is not None and replaced.outlasts(override):
            _require_to_lift(desk, member, replaced)
        fact = overrides.put(
            override,
            replaced=replaced,
            member=member,
            project=project,
            account_name=desk.account.name,
            now=desk.now,
        )
        await ctx.store.put_override(override, rev=tx.rev, session=tx.session)
        others = [other for other in present if other.project_id != project_id]
        passed = await pass_invitations(
            ctx, tx, desk, inviter_id=user_id, now_is=member, overrides=[*others, override]
        )
        await save(ctx, tx, desk.account, [fact, *passed])
        return override

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def remove_override(
    ctx: Ctx, act: Act, *, project_id: ProjectId, user_id: UserId
) -> WriteResult[None]:
    """Let the member's role count in the project again.

    Raises:
        GrantsExceeded: the role gives more there than the caller holds; an override that lowers
            somebody is not lifted by whoever it lowers.
    """

    async def work(tx: JournalWrite) -> None:
        desk = await enter(ctx, act, tx=tx, project_id=project_id)
        _require_offered(desk)
        member = await member_of(ctx, desk.account, user_id, tx.session)
        override = await ctx.store.override(act.account_id, project_id, user_id, tx.session)
        if override is None:
            raise NotFound
        _require_to_lift(desk, member, override)
        fact = overrides.remove(
            override, member=member, project=_project(desk), account_name=desk.account.name
        )
        await ctx.store.delete_override(override, tx.session)
        await save(ctx, tx, desk.account, [fact])

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


def _require_to_lift(desk: Desk, member: Membership, override: ProjectOverride) -> None:
    """Let the caller end an override early: until its own end, the role gives back what it took."""
    place, now = override.project_id, desk.now
    overridden = member_state(desk.catalog, member, [override])
    before = effective_matrix(desk.state, overridden, place, now=milliseconds(now))
    more = gained(desk.catalog, before=before, after=overridden.role)
    until = override.expires_at
    require_to_grant(desk.state, desk.member, place, more, now=now, until=until)


def _project(desk: Desk) -> Project:
    if desk.project is None:
        raise NotFound
    return desk.project


def _require_offered(desk: Desk) -> None:
    if not desk.catalog.catalog.policies.features.overrides:
        raise NotInThisCatalog


def _require_free(name: str, others: list[Project]) -> None:
    if any(name_key(other.name) == name_key(name) for other in others):
        raise ProjectNameTaken
