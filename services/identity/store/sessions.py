"""The collection of sessions."""

from collections.abc import Collection
from datetime import datetime, timedelta

from services.identity.domain.sessions import UserSession
from services.identity.store.places import at, of_user
from shared.contracts.facts import shard_of
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
        self, user_id: UserId, session_id: SessionId, session: DbSession | None = None
    ) -> UserSession | None:
        """Find a session of the user by id, active or ended."""
        found = await self._sessions.find_one(at(user_id, session_id), session=session)
        if found is None:
            place = {"_id": session_id, "shard": None}
            found = await self._numbered(
                await self._sessions.find_one(place, session=session), session
            )
        return None if found is None else read(UserSession, found)

    async def session_by_id(self, session_id: SessionId) -> UserSession | None:
        """Find a session by id alone, active or ended.

        The id of a session has the shard of its user. Those of earlier versions may be anywhere.
        """
        own = {"_id": session_id, "shard": shard_of(session_id)}
        found = await self._sessions.find_one(own)
        if found is None:
            found = await self._numbered(await self._sessions.find_one({"_id": session_id}), None)
        return None if found is None else read(UserSession, found)

    async def sessions_in(
        self, user_id: UserId, account_id: AccountId, session: DbSession
    ) -> list[UserSession]:
        """Find the user's sessions that have this current account and did not end."""
        wanted = {**of_user(user_id), "account_id": account_id, "ended": False}
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
        self, user_id: UserId, session: DbSession | None = None, *, limit: int
    ) -> list[UserSession]:
        """Find sessions of the user that did not end, `limit` at most."""
        wanted = {**of_user(user_id), "ended": False}
        found = self._sessions.find(wanted, session=session).limit(limit)
        return [read(UserSession, row) async for row in found]

    async def live_sessions(
        self, user_id: UserId, *, before: str | None, limit: int, now: datetime
    ) -> list[UserSession]:
        """Find sessions of the user that may still act, the newest first.

        `before` is the id of the last one of the page before; ids sort by their creation.
        """
        wanted: Document = {**of_user(user_id), "ended": False, "expires_at": {"$gt": now}}
        if before is not None:
            wanted["_id"] = {"$lt": before}
        found = self._sessions.find(wanted).sort("_id", -1).limit(limit)
        return [read(UserSession, row) async for row in found]

    async def sessions_of(self, user_id: UserId, *, limit: int) -> list[UserSession]:
        """Find sessions of the user that are stored still, live or ended."""
        wanted: Document = {**of_user(user_id), "ended": {"$in": [False, True]}}
        found = self._sessions.find(wanted).limit(limit)
        return [read(UserSession, row) async for row in found]

    async def insert_session(self, row: UserSession, session: DbSession) -> None:
        """Add a session."""
        await insert_once(self._sessions, _session(row), session)

    async def update_session(
        self, before: UserSession, after: UserSession, session: DbSession | None = None
    ) -> None:
        """Save a session over the state that was read.

        Raises:
            Lost: the session has changed since.
        """
        expected = {
            **at(before.user_id, before.id),
            "generation": before.generation,
            "account_id": before.account_id,
            "proved_at": before.proved_at,
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

    async def _numbered(self, found: Document | None, session: DbSession | None) -> Document | None:
        """Give a session its number that a replica of an earlier version has just written.

        Without it, a refresh would not find the session that it has to save.
        """
        if found is not None and "shard" not in found:
            place = {"_id": found["_id"], "shard": None}
            change = {"$set": {"shard": shard_of(found["user_id"])}}
            await self._sessions.update_one(place, change, session=session)
        return found


async def end_every_session(database: Database, at: datetime) -> int:
    """End all sessions, without a fact of each; return how many there were.

    A backup does not know which of them have ended since. No service runs meanwhile, so nothing
    follows them: the snapshots of the next start name them.
    """
    place = {"$concat": [_end_key(at, ""), "$_id"]}
    ending = {
        "ended": True,
        "ended_at": at,
        "end_key": place,
        "delete_at": at + ENDED_SESSION_RETENTION,
    }
    sessions = majority(database, "sessions")
    outcome = await sessions.update_many({"ended": False}, [{"$set": ending}])
    return outcome.matched_count


def end_key(row: UserSession) -> str:
    """Return the cursor of an ended session: sortable text, as ids cannot be queried by range."""
    assert row.ended_at is not None, "an active session has no end"  # noqa: S101
    return _end_key(row.ended_at, row.id)


def _end_key(moment: datetime, session_id: str) -> str:
    return f"{int(moment.timestamp() * 1000):015d}.{session_id}"


def _session(row: UserSession) -> Document:
    return document(row, shard=shard_of(row.user_id), **_ending(row))


def _ending(row: UserSession) -> Document:
    if row.ended_at is None:
        return {"ended": False, "end_key": None, "delete_at": row.expires_at}
    delete_at = row.ended_at + ENDED_SESSION_RETENTION
    return {"ended": True, "end_key": end_key(row), "delete_at": delete_at}
