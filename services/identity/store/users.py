"""The collection of users."""

from collections.abc import Collection, Sequence

from services.identity.domain.users import User
from shared.documents import changes, document, read
from shared.ids import UserId
from shared.mongo import (
    Database,
    DbSession,
    insert_all_once,
    insert_once,
    majority,
    update_expected,
)

VERIFIED = {"verified": True}
"""Earlier versions kept users beside these who had signed up and not proved the address; they are
never read. A provisioned user is, also one whose address is not proved yet."""


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

    async def users_among(
        self, user_ids: Collection[UserId], session: DbSession | None = None
    ) -> dict[UserId, User]:
        """Find those of the users that exist."""
        wanted = {"_id": {"$in": sorted(user_ids)}, **VERIFIED}
        found = [read(User, row) async for row in self._users.find(wanted, session=session)]
        return {user.id: user for user in found}

    async def holders(
        self, email_keys: Collection[str], session: DbSession | None = None
    ) -> dict[str, User]:
        """Find the users of those of the addresses that have one, by the key of the address."""
        wanted = {"email_key": {"$in": sorted(email_keys)}, **VERIFIED}
        found = [read(User, row) async for row in self._users.find(wanted, session=session)]
        return {user.email_key: user for user in found}

    async def imported_passwords_left(self) -> bool:
        """Return whether a user has not signed in yet with a password of another system."""
        left = {"password_imported": True}
        return await self._users.find_one(left, {"_id": 1}) is not None

    async def insert_users(self, users: Sequence[User], session: DbSession) -> None:
        """Add users, all or none.

        Raises:
            AlreadyThere: one of the addresses has a user.
        """
        if users:
            rows = [document(user, **VERIFIED, lapses_at=None) for user in users]
            await insert_all_once(self._users, rows, session)

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
