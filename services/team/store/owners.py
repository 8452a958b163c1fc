"""Owners in the database: what makes two changes of one user's accounts conflict."""

from shared.contracts.facts import shard_of
from shared.ids import AccountId, UserId
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Lost,
    insert_once,
    majority,
    update_expected,
)


class OwnerRows:
    """The collection `owners`: a document for each user whose accounts have been counted."""

    def __init__(self, database: Database) -> None:
        self._owners = majority(database, "owners")

    async def touch_owner(self, user_id: UserId, session: DbSession) -> int:
        """Change the user's row, so that a transaction that does so at the same moment fails.

        Returns:
            How often it has been changed.

        Raises:
            Lost: another transaction was first.
        """
        place = {"_id": user_id, "shard": shard_of(user_id)}
        known = await self._owners.find_one(place, session=session)
        if known is None:
            try:
                await insert_once(self._owners, {**place, "changes": 1}, session)
            except AlreadyThere as there:
                raise Lost(self._owners.name) from there
            return 1
        changes: int = known["changes"] + 1
        await update_expected(self._owners, place, {"$set": {"changes": changes}}, session)
        return changes

    async def home_of(self, user_id: UserId, session: DbSession) -> AccountId | None:
        """The account that replaced the user's first one as their home, if one did."""
        place = {"_id": user_id, "shard": shard_of(user_id)}
        known = await self._owners.find_one(place, session=session)
        return None if known is None else known.get("home")

    async def set_home(self, user_id: UserId, account_id: AccountId, session: DbSession) -> None:
        """Save the account that is the user's home from now on, in a row that was touched."""
        place = {"_id": user_id, "shard": shard_of(user_id)}
        await update_expected(self._owners, place, {"$set": {"home": account_id}}, session)
