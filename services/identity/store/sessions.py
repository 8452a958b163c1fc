"""The collection of sessions."""

from collections.abc import Collection
from datetime import datetime, timedelta

from services.identity.domain.sessions import UserSession
from shared.documents import changes, document, read
from shared.ids import AccountId, SessionId, UserId
from shared.mongo import Database, DbSession, Document, Lost, insert_once, majority

LAST_END_KEY = "~"
ENDED_SESSION_RETENTION = timedelta(days=1)
"""Within this time a refresh token of an ended session is recognised; later it is unknown."""


class SessionRows:
    """Sessions; the database deletes expired and ended ones."""

    def __init__(self, database: Database) -> None:
        self._sessions = majority(database, "sessions")

    async def session(
        self, session_id: SessionId, session: DbSession | None = None
    ) -> UserSession | None:
        """Find a session by id, active or ended."""
        found = await self._sessions.find_one({"_id": session_id}, session=session)
        return None if found is None else read(UserSession, found)

    async def sessions_in(
        self, user_id: UserId, account_id: AccountId, session: DbSession
    ) -> list[UserSession]:
        """Find the user's sessions that have this current account and did not end."""
        wanted = {"user_id": user_id, "account_id": account_id, "ended": False}
        found = self._sessions.find(wanted, session=session)
        return [read(UserSession, row) async for row in found]

    async def sessions_of_account(
        self, account_id: AccountId, *, without: Collection[UserId], limit: int
    ) -> list[UserSession]:
        """Find sessions with this current account that did not end, but none of some users."""
        wanted = {"account_id": account_id, "ended": False, "user_id": {"$nin": sorted(without)}}
        found = self._sessions.find(wanted).limit(limit)
        return [read(UserSession, row) async for row in found]

    async def active_sessions(
        self, user_id: UserId, session: DbSession, *, limit: int
    ) -> list[UserSession]:
        """Find sessions of the user that did not end, `limit` at most."""
        wanted = {"user_id": user_id, "ended": False}
        found = self._sessions.find(wanted, session=session).limit(limit)
        return [read(UserSession, row) async for row in found]

    async def insert_session(self, row: UserSession, session: DbSession) -> None:
        """Add a session."""
        await insert_once(self._sessions, document(row, **_ending(row)), session)

    async def update_session(
        self, before: UserSession, after: UserSession, session: DbSession | None = None
    ) -> None:
        """Save a session over the state that was read.

        Raises:
            Lost: the session has changed since.
        """
        expected = {
            "_id": before.id,
            "generation": before.generation,
            "account_id": before.account_id,
            "ended": before.ended_at is not None,
        }
        change = {"$set": changes(after, **_ending(after))}
        outcome = await self._sessions.update_one(expected, change, session=session)
        if outcome.matched_count != 1:
            raise Lost(self._sessions.name)

    async def ended_sessions(
        self, *, since: datetime, after: str, limit: int, session: DbSession
    ) -> list[UserSession]:
        """Find sessions that ended since a moment, in order of their end, after an `end_key`."""
        start = max(after, _end_key(since, ""))
        page = {"ended": True, "end_key": {"$gt": start, "$lt": LAST_END_KEY}}
        found = self._sessions.find(page, session=session).sort("end_key", 1).limit(limit)
        return [read(UserSession, row) async for row in found]


def end_key(row: UserSession) -> str:
    """Return the cursor of an ended session: sortable text, as ids cannot be queried by range."""
    assert row.ended_at is not None, "an active session has no end"  # noqa: S101
    return _end_key(row.ended_at, row.id)


def _end_key(moment: datetime, session_id: str) -> str:
    return f"{int(moment.timestamp() * 1000):015d}.{session_id}"


def _ending(row: UserSession) -> Document:
    if row.ended_at is None:
        return {"ended": False, "end_key": None, "delete_at": row.expires_at}
    delete_at = row.ended_at + ENDED_SESSION_RETENTION
    return {"ended": True, "end_key": end_key(row), "delete_at": delete_at}
