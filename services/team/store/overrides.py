"""Overrides in the database."""

from collections.abc import Collection

from rolecall import read_grant
from services.team.domain.overrides import ProjectOverride, grants_as_json
from services.team.store.places import at, of_account
from services.team.store.policy_documents import policy_document
from shared.documents import read
from shared.ids import AccountId, ProjectId, UserId
from shared.mongo import Database, DbSession, Document, majority


class OverrideRows:
    """The collection `overrides`."""

    def __init__(self, database: Database) -> None:
        self._overrides = majority(database, "overrides")

    async def override(
        self,
        account_id: AccountId,
        project_id: ProjectId,
        user_id: UserId,
        session: DbSession | None = None,
    ) -> ProjectOverride | None:
        """The member's override in the project."""
        wanted = at(account_id, _key(account_id, project_id, user_id))
        found = await self._overrides.find_one(wanted, session=session)
        return None if found is None else read_override(found)

    async def count_overrides(
        self, account_id: AccountId, session: DbSession, *, limit: int
    ) -> int:
        """How many overrides the account has, `limit` at most."""
        wanted = of_account(account_id)
        return await self._overrides.count_documents(wanted, limit=limit, session=session)

    async def overrides_in(
        self, account_id: AccountId, project_id: ProjectId, session: DbSession | None = None
    ) -> list[ProjectOverride]:
        """The overrides in a project, by user id."""
        wanted = {**of_account(account_id), "project_id": project_id}
        rows = self._overrides.find(wanted, session=session)
        found = [read_override(row) async for row in rows]
        return sorted(found, key=lambda override: override.user_id)

    async def overrides_of_account(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[ProjectOverride]:
        """The overrides of all members, in all projects."""
        rows = self._overrides.find(of_account(account_id), session=session)
        return [read_override(row) async for row in rows]

    async def overrides_of(
        self, account_id: AccountId, user_id: UserId, session: DbSession | None = None
    ) -> list[ProjectOverride]:
        """The overrides of one member, in all projects."""
        return (await self.overrides_of_each(account_id, {user_id}, session))[user_id]

    async def overrides_of_each(
        self, account_id: AccountId, users: Collection[UserId], session: DbSession | None = None
    ) -> dict[UserId, list[ProjectOverride]]:
        """The overrides of each of the users, in all projects."""
        found: dict[UserId, list[ProjectOverride]] = {user_id: [] for user_id in users}
        wanted = {**of_account(account_id), "user_id": {"$in": sorted(users)}}
        async for row in self._overrides.find(wanted, session=session):
            override = read_override(row)
            found[override.user_id].append(override)
        return found

    async def put_override(
        self, override: ProjectOverride, *, rev: int, session: DbSession
    ) -> None:
        """Save an override, in place of the member's earlier one in the project."""
        key = _key(override.account_id, override.project_id, override.user_id)
        row = policy_document(override, key=key, account_id=override.account_id, rev=rev)
        row["grants"] = grants_as_json(override.grants)
        place = at(override.account_id, key)
        await self._overrides.replace_one(place, row, upsert=True, session=session)

    async def delete_override(self, override: ProjectOverride, session: DbSession) -> None:
        """Delete an override."""
        key = _key(override.account_id, override.project_id, override.user_id)
        await self._overrides.delete_one(at(override.account_id, key), session=session)

    async def delete_overrides_of(
        self, account_id: AccountId, user_id: UserId, session: DbSession
    ) -> None:
        """Delete every override of one member."""
        wanted = {**of_account(account_id), "user_id": user_id}
        await self._overrides.delete_many(wanted, session=session)

    async def delete_overrides_in(
        self, account_id: AccountId, project_id: ProjectId, session: DbSession
    ) -> None:
        """Delete every override in one project."""
        inside = {**of_account(account_id), "project_id": project_id}
        await self._overrides.delete_many(inside, session=session)

    async def delete_overrides_of_account(self, account_id: AccountId, session: DbSession) -> None:
        """Delete every override in the account."""
        await self._overrides.delete_many(of_account(account_id), session=session)


def read_override(row: Document) -> ProjectOverride:
    """The override of a document."""
    grants = {
        entry: {level: read_grant(grant) for level, grant in levels.items()}
        for entry, levels in row["grants"].items()
    }
    return read(ProjectOverride, row | {"grants": grants})


def _key(account_id: AccountId, project_id: ProjectId, user_id: UserId) -> str:
    return f"{account_id}/{project_id}/{user_id}"
