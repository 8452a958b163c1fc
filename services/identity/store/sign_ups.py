"""The collection of pending sign-ups."""

from collections.abc import Collection

from services.identity.domain.sign_up import PendingSignUp
from shared.documents import changes, document, read
from shared.ids import SignUpId
from shared.mongo import Database, DbSession, insert_once, majority, update_expected


class SignUpRows:
    """Pending sign-ups, one for each address; the database deletes them at their end."""

    def __init__(self, database: Database) -> None:
        self._sign_ups = majority(database, "sign_ups")

    async def sign_up(
        self, sign_up_id: SignUpId, session: DbSession | None = None
    ) -> PendingSignUp | None:
        """Find a pending sign-up by id."""
        found = await self._sign_ups.find_one({"_id": sign_up_id}, session=session)
        return None if found is None else read(PendingSignUp, found)

    async def sign_up_of(
        self, email_key: str, session: DbSession | None = None
    ) -> PendingSignUp | None:
        """Find the pending sign-up of an address."""
        found = await self._sign_ups.find_one({"email_key": email_key}, session=session)
        return None if found is None else read(PendingSignUp, found)

    async def save_sign_up(
        self, before: PendingSignUp | None, after: PendingSignUp, session: DbSession
    ) -> None:
        """Save a pending sign-up over the state that was read, if there was any.

        Raises:
            Lost: it has changed since, or the database has deleted it.
            AlreadyThere: another one of the address was added since.
        """
        if before is None:
            await insert_once(self._sign_ups, document(after, delete_at=after.delete_at), session)
            return
        expected = {
            "_id": before.id,
            "generation": before.generation,
            "used_at": before.used_at,
            "name": before.name,
        }
        change = {"$set": changes(after, delete_at=after.delete_at)}
        await update_expected(self._sign_ups, expected, change, session)

    async def delete_sign_ups_of(self, email_keys: Collection[str], session: DbSession) -> None:
        """Delete the pending sign-ups of these addresses."""
        if email_keys:
            wanted = {"email_key": {"$in": sorted(email_keys)}}
            await self._sign_ups.delete_many(wanted, session=session)

    async def delete_sign_up_of(self, email_key: str, session: DbSession) -> None:
        """Delete the pending sign-up of an address, if there is one."""
        await self._sign_ups.delete_one({"email_key": email_key}, session=session)
