"""The collection of access tokens that were revoked before their end."""

from collections.abc import Sequence
from datetime import datetime

from services.identity.domain.revocation import RevokedToken
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.documents import document, read
from shared.ids import TokenId
from shared.mongo import Database, DbSession, insert_once, majority


class RevokedTokenRows:
    """Revoked access tokens by their id; the database deletes those whose time is over."""

    def __init__(self, database: Database) -> None:
        self._revoked = majority(database, "revoked_tokens")

    async def add_revoked_token(self, token: RevokedToken, session: DbSession) -> bool:
        """Add a token; return whether it is new."""
        if await self._revoked.find_one({"_id": token.id}, session=session) is not None:
            return False
        delete_at = token.expires_at + SESSION_END_RETENTION
        await insert_once(self._revoked, document(token, delete_at=delete_at), session)
        return True

    async def any_revoked(self, token_ids: Sequence[TokenId]) -> bool:
        """Return whether one of these access tokens was revoked."""
        return await self._revoked.find_one({"_id": {"$in": list(token_ids)}}) is not None

    async def revoked_tokens(self, *, now: datetime, session: DbSession) -> list[RevokedToken]:
        """Find the revoked tokens that a verifier may still take for valid."""
        wanted = {"delete_at": {"$gt": now}}
        return [
            read(RevokedToken, row) async for row in self._revoked.find(wanted, session=session)
        ]
