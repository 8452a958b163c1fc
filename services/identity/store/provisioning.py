"""The collection of external ids: by which id a service client knows which user."""

from collections.abc import Collection, Mapping

from shared.ids import ClientId, UserId
from shared.mongo import Database, DbSession, insert_all_once, majority


class ExternalIdRows:
    """External ids; one of a client names one user, and a user has one of each client at most."""

    def __init__(self, database: Database) -> None:
        self._external_ids = majority(database, "external_ids")

    async def users_of_external_ids(
        self,
        client_id: ClientId,
        external_ids: Collection[str],
        session: DbSession | None = None,
    ) -> dict[str, UserId]:
        """Find the users of those of a client's external ids that are known."""
        keys = [_key(client_id, external_id) for external_id in sorted(external_ids)]
        found = self._external_ids.find({"_id": {"$in": keys}}, session=session)
        return {row["external_id"]: UserId(row["user_id"]) async for row in found}

    async def external_ids_of_users(
        self, client_id: ClientId, user_ids: Collection[UserId], session: DbSession | None = None
    ) -> dict[UserId, str]:
        """Find the external ids by which a client knows these users."""
        wanted = {"client_id": client_id, "user_id": {"$in": sorted(user_ids)}}
        found = self._external_ids.find(wanted, session=session)
        return {UserId(row["user_id"]): row["external_id"] async for row in found}

    async def external_ids_of(self, user_id: UserId) -> dict[ClientId, str]:
        """Find the ids by which service clients know a user."""
        found = self._external_ids.find({"user_id": user_id})
        return {ClientId(row["client_id"]): row["external_id"] async for row in found}

    async def insert_external_ids(
        self, client_id: ClientId, users: Mapping[str, UserId], session: DbSession
    ) -> None:
        """Save new external ids of a client, all or none.

        Raises:
            AlreadyThere: one of them is known, or one of the users has another one.
        """
        if users:
            rows = [
                {
                    "_id": _key(client_id, external_id),
                    "client_id": client_id,
                    "external_id": external_id,
                    "user_id": user_id,
                }
                for external_id, user_id in users.items()
            ]
            await insert_all_once(self._external_ids, rows, session)

    async def delete_external_ids_of(self, user_id: UserId, session: DbSession) -> None:
        """Delete every external id of a user."""
        await self._external_ids.delete_many({"user_id": user_id}, session=session)


def _key(client_id: ClientId, external_id: str) -> str:
    return f"{client_id}/{external_id}"
