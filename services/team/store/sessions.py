"""Sessions that ended while their access tokens have not expired."""

from datetime import datetime

from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.ids import SessionId
from shared.mongo import Database, DbSession, majority


class EndedSessionRows:
    """The collection `ended_sessions`: recently ended sessions, from identity's facts."""

    def __init__(self, database: Database) -> None:
        self._ended_sessions = majority(database, "ended_sessions")

    async def session_ended(self, session_id: SessionId) -> bool:
        """Whether the session is known to have ended."""
        return await self._ended_sessions.find_one({"_id": session_id}) is not None

    async def end_session(
        self, session_id: SessionId, *, ended_at: datetime, session: DbSession
    ) -> None:
        """Record that the session ended; safe to repeat."""
        await self._ended_sessions.update_one(
            {"_id": session_id},
            {"$set": {"expires_at": ended_at + SESSION_END_RETENTION}},
            upsert=True,
            session=session,
        )
