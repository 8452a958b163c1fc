"""Entries in MongoDB: the list of each person, which the database shortens at its old end."""

from collections.abc import Collection

from services.notification.domain.entries import ListedMessage
from shared.documents import document, read
from shared.ids import MessageId, UserId
from shared.mongo import Database, DbSession, Document, majority

MAX_COUNTED = 100
"""Unread entries beyond this number are not counted."""
_ENTRIES_WITH_NAME = 5
"""The newest entries in which the name of an account is looked for: nearly each one has it."""


class Entries:
    """The collection `entries`; ids of messages sort by the time of their facts."""

    def __init__(self, database: Database) -> None:
        self._entries = majority(database, "entries")

    async def add(self, entry: ListedMessage, session: DbSession) -> None:
        """Add an entry; one with the same id stays as it is."""
        content = document(entry, delete_at=entry.delete_at)
        await self._entries.update_one(
            {"_id": content.pop("_id")}, {"$setOnInsert": content}, upsert=True, session=session
        )

    async def page(
        self,
        user_id: UserId,
        *,
        account_id: str | None,
        unread: bool | None,
        before: str | None,
        limit: int,
    ) -> list[ListedMessage]:
        """Find entries of a person, the newest first, from before the entry with an id."""
        wanted: Document = {"user_id": user_id}
        if account_id is not None:
            wanted["account_id"] = account_id
        if unread is not None:
            wanted["unread"] = unread
        if before is not None:
            wanted["_id"] = {"$lt": before}
        found = self._entries.find(wanted).sort("_id", -1).limit(limit)
        return [read(ListedMessage, row) async for row in found]

    async def count_unread(self, user_id: UserId) -> int:
        """Count the unread entries of a person, up to `MAX_COUNTED`."""
        unread = {"user_id": user_id, "unread": True}
        return await self._entries.count_documents(unread, limit=MAX_COUNTED)

    async def account_name(self, user_id: UserId, account_id: str) -> str:
        """The name of an account in the newest entry of a person about it, or nothing."""
        wanted = {"user_id": user_id, "account_id": account_id}
        found = self._entries.find(wanted).sort("_id", -1).limit(_ENTRIES_WITH_NAME)
        names = [entry["words"].get("account", "") async for entry in found]
        return next(filter(None, names), "")

    async def mark_read(
        self, user_id: UserId, *, ids: Collection[MessageId] | None, up_to: str | None
    ) -> None:
        """Mark entries of a person as read: these, or all up to one."""
        wanted: Document = {"user_id": user_id, "unread": True}
        if ids is not None:
            wanted["_id"] = {"$in": sorted(ids)}
        if up_to is not None:
            wanted["_id"] = {"$lte": up_to}
        await self._entries.update_many(wanted, {"$set": {"unread": False}})

    async def delete_of(self, user_id: UserId, session: DbSession) -> None:
        """Delete the entries of a person."""
        await self._entries.delete_many({"user_id": user_id}, session=session)
