"""Which sessions ended while their access tokens still run?"""

from datetime import datetime, timedelta

from shared.auth.access_tokens import ACCESS_SECONDS
from shared.ids import SessionId
from shared.mongo import Database, DbSession, majority

_KEPT = timedelta(seconds=2 * ACCESS_SECONDS)
"""No token of an ended session lives longer, with room for clocks that differ."""


class EndedSessionRows:
    """The sessions that ended a moment ago, as identity told; older ones have no token left."""

    def __init__(self, database: Database) -> None:
        self._ended_sessions = majority(database, "ended_sessions")

    async def session_ended(self, session_id: SessionId) -> bool:
        """Whether the session is known to have ended."""
        return await self._ended_sessions.find_one({"_id": session_id}) is not None

    async def end_session(
        self, session_id: SessionId, *, ended_at: datetime, session: DbSession
    ) -> None:
        """Remember that the session ended; harmless to repeat."""
        await self._ended_sessions.update_one(
            {"_id": session_id},
            {"$set": {"expires_at": ended_at + _KEPT}},
            upsert=True,
            session=session,
        )
