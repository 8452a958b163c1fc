"""Entries in MongoDB: the list of each person, which the database shortens at its old end.

A document for each list has its newest number, and counts its changes. Every change writes it in
the same transaction. So numbers are given in the order of the commits, and a reader who looks at
that document alone learns of each change.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from pymongo import ReturnDocument

from services.notification.domain.entries import ListedMessage
from services.notification.domain.live_list import BEGINNING, ListPlace
from shared.documents import document, read
from shared.ids import MessageId, UserId
from shared.mongo import Database, DbSession, Document, majority

MAX_COUNTED = 100
"""Unread entries beyond this number are not counted."""
_ENTRIES_WITH_NAME = 5
"""The newest entries in which the name of an account is looked for: nearly each one has it."""
_LISTS_AT_ONCE = 100
"""The lists that one query looks at."""


@dataclass(frozen=True, slots=True)
class ListState:
    """How far a list is: the place behind its newest entry, and the number of its changes."""

    place: ListPlace = BEGINNING
    changes: int = 0


class Entries:
    """The collections `entries` and `lists`; ids of messages sort by the time of their facts."""

    def __init__(self, database: Database) -> None:
        self._entries = majority(database, "entries")
        self._lists = majority(database, "lists")

    async def add(self, entry: ListedMessage, session: DbSession) -> None:
        """Add an entry with the next number; one with the same id stays as it is."""
        found = await self._lists.find_one_and_update(
            {"_id": entry.user_id},
            {"$inc": {"number": 1, "changes": 1}, "$set": {"last": entry.id}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        content = document(replace(entry, number=found["number"]), delete_at=entry.delete_at)
        await self._entries.update_one(
            {"_id": content.pop("_id")}, {"$setOnInsert": content}, upsert=True, session=session
        )

    async def states(self, user_ids: Collection[UserId]) -> Mapping[UserId, ListState]:
        """How far the lists of these people are; one without a document never changed."""
        states = dict.fromkeys(user_ids, ListState())
        asked = sorted(user_ids)
        for first in range(0, len(asked), _LISTS_AT_ONCE):
            some = {"_id": {"$in": asked[first : first + _LISTS_AT_ONCE]}}
            async for found in self._lists.find(some):
                place = ListPlace(found["number"], found["last"])
                states[found["_id"]] = ListState(place, found["changes"])
        return states

    async def has_place(self, user_id: UserId, place: ListPlace) -> bool:
        """Whether the entry with the number of a place is the one that the place names."""
        wanted = {"_id": place.last, "user_id": user_id, "number": place.number}
        return await self._entries.find_one(wanted) is not None

    async def after(self, user_id: UserId, number: int, *, limit: int) -> list[ListedMessage]:
        """Find the entries of a person behind the one with a number, in the order of numbers."""
        wanted = {"user_id": user_id, "number": {"$gt": number}}
        found = self._entries.find(wanted).sort("number", 1).limit(limit)
        return [read(ListedMessage, row) async for row in found]

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

    async def known(
        self, user_id: UserId, ids: Collection[MessageId], session: DbSession
    ) -> set[MessageId]:
        """Those of these ids that the list of a person has."""
        wanted = {"user_id": user_id, "_id": {"$in": sorted(ids)}}
        found = self._entries.find(wanted, {"_id": 1}, session=session)
        return {MessageId(entry["_id"]) async for entry in found}

    async def mark_read(
        self,
        user_id: UserId,
        session: DbSession,
        *,
        ids: Collection[MessageId] | None,
        up_to: str | None,
    ) -> None:
        """Mark entries of a person as read: these, or all up to one."""
        wanted: Document = {"user_id": user_id, "unread": True}
        if ids is not None:
            wanted["_id"] = {"$in": sorted(ids)}
        if up_to is not None:
            wanted["_id"] = {"$lte": up_to}
        marked = await self._entries.update_many(
            wanted, {"$set": {"unread": False}}, session=session
        )
        if marked.modified_count:
            change = {"$inc": {"changes": 1}, "$setOnInsert": {"number": 0, "last": ""}}
            await self._lists.update_one({"_id": user_id}, change, upsert=True, session=session)

    async def delete_of(self, user_id: UserId, session: DbSession) -> None:
        """Delete the entries of a person."""
        await self._entries.delete_many({"user_id": user_id}, session=session)
        await self._lists.delete_one({"_id": user_id}, session=session)
