"""Projects in the database."""

from collections.abc import Collection

from services.team.domain.projects import Project
from services.team.store.places import at, of_account
from services.team.store.policy_documents import policy_document
from shared.contracts.facts import shard_of
from shared.documents import read
from shared.ids import AccountId, ProjectId
from shared.mongo import Database, DbSession, Document, insert_once, majority
from shared.names import name_key

ProjectPlace = tuple[AccountId, ProjectId]


class ProjectRows:
    """The collection `projects`."""

    def __init__(self, database: Database) -> None:
        self._projects = majority(database, "projects")

    async def project(
        self, account_id: AccountId, project_id: ProjectId, session: DbSession | None = None
    ) -> Project | None:
        """The account's project of that id."""
        wanted = {**at(account_id, project_id), "account_id": account_id}
        found = await self._projects.find_one(wanted, session=session)
        return None if found is None else read(Project, found)

    async def projects(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[Project]:
        """The account's projects, the oldest first."""
        rows = self._projects.find(of_account(account_id), session=session)
        found = [read(Project, row) async for row in rows]
        return sorted(found, key=lambda project: project.project_id)

    async def projects_there(self, places: Collection[ProjectPlace]) -> set[ProjectPlace]:
        """Those of the projects that their accounts have."""
        if not places:
            return set()
        shards = {shard_of(account_id) for account_id, _ in places}
        wanted = {
            "_id": {"$in": sorted({project_id for _, project_id in places})},
            "shard": {"$in": sorted(shards)},
        }
        found = self._projects.find(wanted, {"account_id": 1})
        return {(row["account_id"], row["_id"]) async for row in found} & set(places)

    async def insert_project(self, project: Project, *, rev: int, session: DbSession) -> None:
        """Save a new project.

        Raises:
            AlreadyThere: the account has one of that name.
        """
        await insert_once(self._projects, _project(project, rev), session)

    async def replace_project(self, project: Project, *, rev: int, session: DbSession) -> None:
        """Save a changed project."""
        place = at(project.account_id, project.project_id)
        await self._projects.replace_one(place, _project(project, rev), session=session)

    async def delete_project(self, project: Project, session: DbSession) -> None:
        """Delete a project."""
        place = at(project.account_id, project.project_id)
        await self._projects.delete_one(place, session=session)


def _project(project: Project, rev: int) -> Document:
    row = policy_document(project, key=project.project_id, account_id=project.account_id, rev=rev)
    return row | {"name_key": name_key(project.name)}
