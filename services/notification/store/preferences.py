"""Preferences in MongoDB: one document for each person who changed them."""

from collections.abc import Collection

from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import Preferences, SwitchedOff
from shared.ids import UserId
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Document,
    Lost,
    insert_once,
    majority,
    update_expected,
)


class PreferenceRows:
    """The collection `preferences`."""

    def __init__(self, database: Database) -> None:
        self._preferences = majority(database, "preferences")

    async def find(self, user_id: UserId, session: DbSession | None = None) -> Preferences:
        """Find the preferences of a person; without a document every mail is wanted."""
        found = await self._preferences.find_one({"_id": user_id}, session=session)
        return Preferences(id=user_id) if found is None else _read(found)

    async def among(
        self, user_ids: Collection[str], session: DbSession
    ) -> dict[UserId, Preferences]:
        """Find the preferences of those of these people who changed them."""
        if not user_ids:
            return {}
        wanted = {"_id": {"$in": sorted(user_ids)}}
        found = [_read(row) async for row in self._preferences.find(wanted, session=session)]
        return {one.id: one for one in found}

    async def save(self, before: Preferences, after: Preferences, session: DbSession) -> None:
        """Save preferences over the state that was read.

        Raises:
            Lost: they have changed since.
        """
        content = {"off": [_off(one) for one in after.off], "changes": before.changes + 1}
        if before.changes:
            expected = {"_id": before.id, "changes": before.changes}
            await update_expected(self._preferences, expected, {"$set": content}, session)
            return
        try:
            await insert_once(self._preferences, {"_id": before.id, **content}, session)
        except AlreadyThere as there:
            raise Lost(self._preferences.name) from there

    async def forget_account(
        self, account_id: str, session: DbSession, *, user_id: UserId | None = None
    ) -> None:
        """Forget what is switched off in an account, of one person or of all."""
        wanted: Document = {"off.account_id": account_id}
        if user_id is not None:
            wanted = {"_id": user_id, **wanted}
        change = {"$pull": {"off": {"account_id": account_id}}, "$inc": {"changes": 1}}
        await self._preferences.update_many(wanted, change, session=session)

    async def delete_of(self, user_id: UserId, session: DbSession) -> None:
        """Delete the preferences of a person."""
        await self._preferences.delete_one({"_id": user_id}, session=session)


def _off(one: SwitchedOff) -> Document:
    return {"account_id": one.account_id, "kinds": list(one.kinds)}


def _read(stored: Document) -> Preferences:
    known = set(MessageKind)
    off = tuple(
        SwitchedOff(
            account_id=one["account_id"],
            kinds=tuple(MessageKind(kind) for kind in one["kinds"] if kind in known),
        )
        for one in stored["off"]
    )
    return Preferences(id=stored["_id"], off=off, changes=stored["changes"])
