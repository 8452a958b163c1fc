"""The collection of users."""

from collections.abc import Collection

from services.identity.domain.users import User
from shared.documents import changes, document, read
from shared.ids import UserId
from shared.mongo import (
    Database,
    DbSession,
    insert_once,
    majority,
    update_expected,
)

VERIFIED = {"verified": True}
"""Earlier versions kept unverified users beside the verified ones; they are never read."""


class UserRows:
    """Users; an address has at most one."""

    def __init__(self, database: Database) -> None:
        self._users = majority(database, "users")

    async def user(self, user_id: UserId, session: DbSession | None = None) -> User | None:
        """Find a user by id."""
        found = await self._users.find_one({"_id": user_id, **VERIFIED}, session=session)
        return None if found is None else read(User, found)

    async def users(self, user_ids: Collection[UserId]) -> dict[UserId, User]:
        """Those of these users who exist."""
        wanted = {"_id": {"$in": sorted(user_ids)}, **VERIFIED}
        found = [read(User, row) async for row in self._users.find(wanted)]
        return {user.id: user for user in found}

    async def user_of(self, email_key: str, session: DbSession | None = None) -> User | None:
        """Find the user of an address."""
        found = await self._users.find_one({"email_key": email_key, **VERIFIED}, session=session)
        return None if found is None else read(User, found)

    async def insert_user(self, user: User, session: DbSession) -> None:
        """Add a user.

        Raises:
            AlreadyThere: the address has a user.
        """
        await insert_once(self._users, document(user, **VERIFIED, lapses_at=None), session)

    async def update_user(self, before: User, after: User, session: DbSession) -> None:
        """Save a user over the state that was read.

        Raises:
            Lost: the user has changed since.
        """
        expected = {
            "_id": before.id,
            "name": before.name,
            "password_hash": before.password_hash,
        }
        await update_expected(self._users, expected, {"$set": changes(after)}, session)
