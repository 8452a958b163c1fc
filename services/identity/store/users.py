"""The collection of users."""

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from services.identity.domain.users import UNVERIFIED_LIFETIME, User
from shared.documents import changes, document, read
from shared.ids import UserId
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    insert_once,
    majority,
    update_expected,
)


class UserRows:
    """Users, verified and not; the database deletes those that are not verified in time."""

    def __init__(self, database: Database) -> None:
        self._users = majority(database, "users")

    async def user(self, user_id: UserId, session: DbSession | None = None) -> User | None:
        """Find a user by id."""
        found = await self._users.find_one({"_id": user_id}, session=session)
        return None if found is None else read(User, found)

    async def verified_user(self, email_key: str, session: DbSession | None = None) -> User | None:
        """Find the verified user of an address."""
        wanted = {"email_key": email_key, "verified": True}
        found = await self._users.find_one(wanted, session=session)
        return None if found is None else read(User, found)

    async def newest_unverified_user(self, email_key: str) -> User | None:
        """Find the unverified user that signed up last with an address."""
        unverified = self._users.find({"email_key": email_key, "verified": False})
        newest = await unverified.sort("created_at", -1).limit(1).to_list(1)
        return read(User, newest[0]) if newest else None

    async def insert_user(self, user: User, session: DbSession) -> None:
        """Add a user.

        Raises:
            AlreadyThere: the user is verified, and the address has a verified user.
        """
        await insert_once(self._users, document(user, **_verification(user)), session)

    async def update_user(self, before: User, after: User, session: DbSession) -> None:
        """Save a user over the state that was read.

        Raises:
            Lost: the user has changed since.
            AlreadyThere: another user of the address was verified in the meantime.
        """
        expected = {
            "_id": before.id,
            "generation": before.generation,
            "verified": before.verified,
            "name": before.name,
        }
        change = {"$set": changes(after, **_verification(after))}
        try:
            await update_expected(self._users, expected, change, session)
        except DuplicateKeyError as duplicate:
            raise AlreadyThere(self._users.name) from duplicate

    async def delete_unverified_users(self, email_key: str, session: DbSession) -> None:
        """Delete every user that signed up with an address and did not verify it."""
        await self._users.delete_many({"email_key": email_key, "verified": False}, session=session)


def _verification(user: User) -> dict[str, bool | datetime | None]:
    lapses_at = None if user.verified else user.created_at + UNVERIFIED_LIFETIME
    return {"verified": user.verified, "lapses_at": lapses_at}
