"""The names and addresses of users, for records that do not carry the name of their actor."""

from collections.abc import Iterable
from datetime import UTC, datetime

from services.audit.domain.records import KnownUser
from shared.mongo import Database, DbSession, Document, majority

FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
"""No fact is newer than that a user was erased."""


class PeopleRows:
    """The newest name and address of each user."""

    def __init__(self, database: Database) -> None:
        self._people = majority(database, "people")

    async def remember_user(self, user: KnownUser) -> None:
        """Store a user's name and address unless newer ones are stored; safe to repeat."""
        name = {"name": user.name, "email": user.email.casefold(), "as_of": user.as_of}
        await self._people.update_one({"_id": user.user_id}, {"$setOnInsert": name}, upsert=True)
        await self._people.update_one(
            {"_id": user.user_id, "as_of": {"$lt": user.as_of}}, {"$set": name}
        )

    async def forget_user(self, user_id: str, session: DbSession) -> KnownUser | None:
        """Forget the name and address of an erased user; no later fact brings them back.

        Returns:
            What was known of them.
        """
        forgotten = {"name": None, "email": None, "as_of": FAR_FUTURE}
        found = await self._people.find_one_and_update(
            {"_id": user_id}, {"$set": forgotten}, upsert=True, session=session
        )
        return _known(found) if found and found["name"] is not None else None

    async def known_users(self, user_ids: Iterable[str]) -> dict[str, KnownUser]:
        """The users whose names are stored, by id."""
        found = self._people.find({"_id": {"$in": sorted(set(user_ids))}, "name": {"$ne": None}})
        return {user["_id"]: _known(user) async for user in found}

    async def erased_users(self, user_ids: Iterable[str]) -> set[str]:
        """Those of the users who are erased."""
        erased = {"_id": {"$in": sorted(set(user_ids))}, "as_of": FAR_FUTURE}
        return {user["_id"] async for user in self._people.find(erased, {"_id": 1})}

    async def user_ids_with_email(self, email: str) -> list[str]:
        """The ids of the users with this address, in any case."""
        return [user["_id"] async for user in self._people.find({"email": email.casefold()})]


def _known(user: Document) -> KnownUser:
    return KnownUser(
        user_id=user["_id"], name=user["name"], email=user["email"], as_of=user["as_of"]
    )
