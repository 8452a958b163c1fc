"""Where do projects and overrides stand in the database?"""

from rolecall import Scope
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.store.codec import policy_document, read
from shared.ids import AccountId, ProjectId, UserId
from shared.mongo import Database, DbSession, Document, insert_once, majority
from shared.names import name_key


class ProjectRows:
    """Projects and the overrides in them."""

    def __init__(self, database: Database) -> None:
        self._projects = majority(database, "projects")
        self._overrides = majority(database, "overrides")

    async def project(
        self, account_id: AccountId, project_id: ProjectId, session: DbSession | None = None
    ) -> Project | None:
        """The account's project of that id."""
        wanted = {"_id": project_id, "account_id": account_id}
        found = await self._projects.find_one(wanted, session=session)
        return None if found is None else read(Project, found)

    async def projects(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[Project]:
        """The account's projects, the oldest first."""
        rows = self._projects.find({"account_id": account_id}, session=session)
        found = [read(Project, row) async for row in rows]
        return sorted(found, key=lambda project: project.project_id)

    async def insert_project(self, project: Project, *, rev: int, session: DbSession) -> None:
        """Save a new project.

        Raises:
            AlreadyThere: the account has one of that name.
        """
        await insert_once(self._projects, _project(project, rev), session)

    async def replace_project(self, project: Project, *, rev: int, session: DbSession) -> None:
        """Save a changed project."""
        row = _project(project, rev)
        await self._projects.replace_one({"_id": row["_id"]}, row, session=session)

    async def delete_project(self, project: Project, session: DbSession) -> None:
        """Drop a project and every override in it."""
        await self._projects.delete_one({"_id": project.project_id}, session=session)
        inside = {"account_id": project.account_id, "project_id": project.project_id}
        await self._overrides.delete_many(inside, session=session)

    async def override(
        self,
        account_id: AccountId,
        project_id: ProjectId,
        user_id: UserId,
        session: DbSession | None = None,
    ) -> ProjectOverride | None:
        """The member's override in the project."""
        wanted = {"_id": _key(account_id, project_id, user_id)}
        found = await self._overrides.find_one(wanted, session=session)
        return None if found is None else read_override(found)

    async def overrides_in(
        self, account_id: AccountId, project_id: ProjectId, session: DbSession | None = None
    ) -> list[ProjectOverride]:
        """The overrides in a project, by user id."""
        wanted = {"account_id": account_id, "project_id": project_id}
        rows = self._overrides.find(wanted, session=session)
        found = [read_override(row) async for row in rows]
        return sorted(found, key=lambda override: override.user_id)

    async def overrides_of(
        self, account_id: AccountId, user_id: UserId, session: DbSession | None = None
    ) -> list[ProjectOverride]:
        """The overrides of one member, in all projects."""
        wanted = {"account_id": account_id, "user_id": user_id}
        rows = self._overrides.find(wanted, session=session)
        return [read_override(row) async for row in rows]

    async def put_override(
        self, override: ProjectOverride, *, rev: int, session: DbSession
    ) -> None:
        """Save an override, in place of the one that was there."""
        key = _key(override.account_id, override.project_id, override.user_id)
        row = policy_document(override, key=key, account_id=override.account_id, rev=rev)
        await self._overrides.replace_one({"_id": key}, row, upsert=True, session=session)

    async def delete_override(self, override: ProjectOverride, session: DbSession) -> None:
        """Drop an override."""
        key = _key(override.account_id, override.project_id, override.user_id)
        await self._overrides.delete_one({"_id": key}, session=session)

    async def delete_overrides_of(
        self, account_id: AccountId, user_id: UserId, session: DbSession
    ) -> None:
        """Drop every override of one member."""
        wanted = {"account_id": account_id, "user_id": user_id}
        await self._overrides.delete_many(wanted, session=session)


def read_override(row: Document) -> ProjectOverride:
    """The override of a document."""
    grants = {
        entry: {level: Scope(scope) for level, scope in levels.items()}
        for entry, levels in row["grants"].items()
    }
    return read(ProjectOverride, row | {"grants": grants})


def _project(project: Project, rev: int) -> Document:
    row = policy_document(project, key=project.project_id, account_id=project.account_id, rev=rev)
    return row | {"name_key": name_key(project.name)}


def _key(account_id: AccountId, project_id: ProjectId, user_id: UserId) -> str:
    return f"{account_id}/{project_id}/{user_id}"
