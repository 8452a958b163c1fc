"""The collection of API tokens, in the shards of their users."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.identity.domain.api_tokens import ApiToken
from services.identity.store.places import of_user
from shared.auth.api_tokens import shard_of_token
from shared.contracts.facts import SHARDS, shard_of
from shared.documents import changes, document, read
from shared.ids import AccountId, TokenId, UserId
from shared.mongo import Database, DbSession, Document, insert_once, majority, update_expected

ENDED_TOKEN_RETENTION = timedelta(days=30)
"""How long a token is listed after its end."""
LAST_USE_STEP = timedelta(minutes=10)
SHARDS_OF_PAGE = 4


class ApiTokenRows:
    """API tokens; the database deletes those that ended long ago."""

    def __init__(self, database: Database) -> None:
        self._tokens = majority(database, "api_tokens")

    async def insert_token(self, token: ApiToken, session: DbSession) -> None:
        """Add a token."""
        await insert_once(
            self._tokens, document(token, shard=shard_of(token.user_id), **_derived(token)), session
        )

    async def token(
        self, token_id: TokenId, account_id: AccountId, session: DbSession | None = None
    ) -> ApiToken | None:
        """Find a token of an account, live or ended."""
        found = await self._tokens.find_one(
            {**_at(token_id), "account_id": account_id}, session=session
        )
        return None if found is None else read(ApiToken, found)

    async def token_by_id(
        self, token_id: TokenId, session: DbSession | None = None
    ) -> ApiToken | None:
        """Find a token by id alone, live or ended: its id has the shard of its user."""
        found = await self._tokens.find_one(_at(token_id), session=session)
        return None if found is None else read(ApiToken, found)

    async def update_token(self, before: ApiToken, after: ApiToken, session: DbSession) -> None:
        """Save a token over the state that was read.

        Raises:
            Lost: the token has changed since.
        """
        expected = {
            **_at(before.id),
            "revoked_at": before.revoked_at,
            "notice_at": before.notice_at,
        }
        kept = changes(after, **_derived(after))
        del kept["last_used_at"]
        await update_expected(self._tokens, expected, {"$set": kept}, session)

    async def live_tokens(
        self,
        user_id: UserId,
        account_id: AccountId,
        session: DbSession,
        *,
        now: datetime,
        limit: int,
    ) -> list[ApiToken]:
        """Find live tokens of a user in an account, `limit` at most."""
        wanted = {
            **of_user(user_id),
            "account_id": account_id,
            "ended": False,
            "expires_at": {"$gt": now},
        }
        found = self._tokens.find(wanted, session=session).limit(limit)
        return [read(ApiToken, row) async for row in found]

    async def live_tokens_of(
        self,
        user_id: UserId,
        session: DbSession | None,
        *,
        now: datetime,
        since: datetime | None = None,
        limit: int,
    ) -> list[ApiToken]:
        """Find live tokens of a user in every account, the newest first.

        With `since` only those that were made then or later.
        """
        wanted = _live_of(user_id, now=now, since=since)
        found = self._tokens.find(wanted, session=session).sort("list_key", -1).limit(limit)
        return [read(ApiToken, row) async for row in found]

    async def count_live_tokens_of(
        self,
        user_id: UserId,
        session: DbSession | None,
        *,
        now: datetime,
        since: datetime | None = None,
    ) -> int:
        """Count the live tokens of a user in every account, all or those made since then."""
        wanted = _live_of(user_id, now=now, since=since)
        return await self._tokens.count_documents(wanted, session=session)

    async def tokens_page(
        self,
        account_id: AccountId | None,
        *,
        user_id: UserId | None,
        before: str | None,
        limit: int,
    ) -> list[ApiToken]:
        """Find tokens of an account, of a user, or of a user in an account: the newest first.

        `before` is the `list_key` of the last one of the page before.
        """
        wanted: Document = {} if user_id is None else of_user(user_id)
        if account_id is not None:
            wanted["account_id"] = account_id
        if before is not None:
            wanted["list_key"] = {"$lt": before}
        found = self._tokens.find(wanted).sort("list_key", -1).limit(limit)
        return [read(ApiToken, row) async for row in found]

    async def tokens_of(
        self, user_id: UserId, *, limit: int, session: DbSession | None = None
    ) -> list[ApiToken]:
        """Find tokens of a user in every account, live or ended."""
        found = self._tokens.find(of_user(user_id), session=session).limit(limit)
        return [read(ApiToken, row) async for row in found]

    async def delete_token(self, token: ApiToken, session: DbSession) -> None:
        """Delete a token."""
        await self._tokens.delete_one(_at(token.id), session=session)

    async def note_use(self, token_id: TokenId, at: datetime) -> None:
        """Save when a token was last used, unless a use of about that time is saved."""
        await self._tokens.update_one(
            {
                **_at(token_id),
                "$or": [
                    {"last_used_at": None},
                    {"last_used_at": {"$lt": at - LAST_USE_STEP}},
                ],
            },
            {"$set": {"last_used_at": at}},
        )

    async def tokens_to_announce(self, now: datetime, *, limit: int) -> list[TokenId]:
        """Find tokens for which a mail about their end is due, the longest due of a page first.

        Each minute begins with another page of shards. So the tokens of each page have a turn.
        """
        first = int(now.timestamp() // 60) % len(SHARD_PAGES)
        tokens: list[TokenId] = []
        for shards in SHARD_PAGES[first:] + SHARD_PAGES[:first]:
            wanted = {"shard": {"$in": list(shards)}, "notice_at": {"$lte": now}}
            found = (
                self._tokens.find(wanted, {"_id": 1})
                .sort("notice_at", 1)
                .limit(limit - len(tokens))
            )
            tokens += [TokenId(row["_id"]) async for row in found]
            if len(tokens) >= limit:
                break
        return tokens

    async def tokens_of_shards(
        self, shards: Sequence[int], *, after: str, limit: int, session: DbSession
    ) -> list[ApiToken]:
        """Find tokens of these shards in the order of their ids, after one of them."""
        wanted = {"shard": {"$in": list(shards)}, "_id": {"$gt": after}}
        found = self._tokens.find(wanted, session=session).sort("_id", 1).limit(limit)
        return [read(ApiToken, row) async for row in found]


def list_key(token: ApiToken) -> str:
    """The place of a token in lists: sortable text, as SecantusDB reads one range at most."""
    return f"{int(token.created_at.timestamp() * 1000):015d}.{token.id}"


SHARD_PAGES = tuple(
    tuple(range(first, first + SHARDS_OF_PAGE)) for first in range(0, SHARDS, SHARDS_OF_PAGE)
)


def _at(token_id: TokenId) -> Document:
    return {"_id": token_id, "shard": shard_of_token(token_id)}


def _live_of(user_id: UserId, *, now: datetime, since: datetime | None) -> Document:
    made = {} if since is None else {"created_at": {"$gte": since}}
    return {**of_user(user_id), "ended": False, "expires_at": {"$gt": now}, **made}


def _derived(token: ApiToken) -> dict[str, Any]:
    end = token.expires_at if token.revoked_at is None else token.revoked_at
    return {
        "ended": token.revoked_at is not None,
        "list_key": list_key(token),
        "delete_at": end + ENDED_TOKEN_RETENTION,
    }
