"""The projects of the account that an attempt changes, and the overrides in them."""

from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.use_cases.attempt import Attempt
from shared.ids import ProjectId, UserId


class ProjectWrites(Attempt):
    """Projects and overrides."""

    async def projects(self) -> list[Project]:
        """The account's projects."""
        return await self._store.projects(self._account_id, self._session)

    async def insert_project(self, project: Project) -> None:
        """Save a new project."""
        await self._store.insert_project(project, rev=self._write.rev, session=self._session)

    async def replace_project(self, project: Project) -> None:
        """Save a changed project."""
        await self._store.replace_project(project, rev=self._write.rev, session=self._session)

    async def delete_project(self, project: Project) -> None:
        """Delete a project and the overrides in it."""
        self._overrides.clear()
        await self._store.delete_project(project, self._session)
        await self._store.delete_overrides_in(self._account_id, project.project_id, self._session)

    async def overrides_of(self, user_id: UserId) -> list[ProjectOverride]:
        """The overrides of one member, in all projects."""
        if user_id in self._overrides:
            return self._overrides[user_id]
        return await self._store.overrides_of(self._account_id, user_id, self._session)

    async def count_overrides(self, *, limit: int) -> int:
        """How many overrides the account has, `limit` at most."""
        return await self._store.count_overrides(self._account_id, self._session, limit=limit)

    async def overrides_in(self, project_id: ProjectId) -> list[ProjectOverride]:
        """The overrides in one project."""
        return await self._store.overrides_in(self._account_id, project_id, self._session)

    async def override(self, project_id: ProjectId, user_id: UserId) -> ProjectOverride | None:
        """The member's override in the project."""
        return await self._store.override(self._account_id, project_id, user_id, self._session)

    async def put_override(self, override: ProjectOverride) -> None:
        """Save an override, in place of the member's earlier one in the project."""
        self._overrides.pop(override.user_id, None)
        await self._store.put_override(override, rev=self._write.rev, session=self._session)

    async def delete_overrides_of(self, user_id: UserId) -> None:
        """Delete the overrides of one member, in all projects."""
        self._overrides[user_id] = []
        await self._store.delete_overrides_of(self._account_id, user_id, self._session)

    async def delete_override(self, override: ProjectOverride) -> None:
        """Delete an override."""
        self._overrides.pop(override.user_id, None)
        await self._store.delete_override(override, self._session)
