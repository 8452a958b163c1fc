"""Saved searches in MongoDB."""

import json

from services.audit.domain.saved_searches import SavedSearch
from shared.documents import changes, document, read
from shared.mongo import (
    Database,
    DbSession,
    Document,
    insert_once,
    majority,
    update_expected,
)


class SavedSearchRows:
    """The collection `saved_searches`; a member has few."""

    def __init__(self, database: Database) -> None:
        self._searches = majority(database, "saved_searches")

    async def saved_search(
        self, account_id: str, search_id: str, session: DbSession | None = None
    ) -> SavedSearch | None:
        """Find a saved search of an account."""
        wanted = {"_id": search_id, "account_id": account_id}
        found = await self._searches.find_one(wanted, session=session)
        return None if found is None else _search(found)

    async def searches_of(
        self, account_id: str, user_id: str, session: DbSession | None = None
    ) -> list[SavedSearch]:
        """The searches that a member has saved, the oldest first."""
        return await self._found({"account_id": account_id, "created_by": user_id}, session)

    async def shared_searches(
        self, account_id: str, session: DbSession | None = None
    ) -> list[SavedSearch]:
        """The searches that every reader of an account's log sees, the oldest first."""
        return await self._found({"account_id": account_id, "shared": True}, session)

    async def searches_in(self, account_id: str) -> list[SavedSearch]:
        """All searches of an account, the oldest first."""
        return await self._found({"account_id": account_id}, None)

    async def add_search(self, search: SavedSearch, session: DbSession) -> None:
        """Add a search."""
        saved = {**document(search), "filters": json.dumps(dict(search.filters))}
        await insert_once(self._searches, saved, session)

    async def update_search(
        self, before: SavedSearch, after: SavedSearch, session: DbSession
    ) -> None:
        """Save a changed search over the state that was read.

        Raises:
            Lost: it has changed since.
        """
        expected = {"_id": before.id, "account_id": before.account_id, "changes": before.changes}
        saved = {**changes(after), "filters": json.dumps(dict(after.filters))}
        await update_expected(self._searches, expected, {"$set": saved}, session)

    async def delete_search(self, search: SavedSearch, session: DbSession | None = None) -> None:
        """Delete a search."""
        wanted = {"_id": search.id, "account_id": search.account_id}
        await self._searches.delete_one(wanted, session=session)

    async def delete_searches_of(self, account_id: str, user_id: str, session: DbSession) -> None:
        """Delete what a member has saved for themselves."""
        wanted = {"account_id": account_id, "created_by": user_id, "shared": False}
        await self._searches.delete_many(wanted, session=session)

    async def delete_searches(self, account_id: str, session: DbSession) -> None:
        """Delete all searches of an account."""
        await self._searches.delete_many({"account_id": account_id}, session=session)

    async def _found(self, wanted: Document, session: DbSession | None) -> list[SavedSearch]:
        found = self._searches.find(wanted, session=session).sort("_id", 1)
        return [_search(each) async for each in found]


def _search(found: Document) -> SavedSearch:
    # As text: the database restricts the names of members.
    return read(SavedSearch, {**found, "filters": json.loads(found["filters"])})
