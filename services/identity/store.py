"""How do users, sessions, clients, keys and counters stand in the database?

The only module of identity that knows MongoDB. Ids and addresses arrive as checked strings and
stand in filters as bare values, so no input can become an operator (`T21`).
"""

import contextlib
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from services.identity.clients import ServiceClient
from services.identity.domain import UNVERIFIED_LIFETIME, User
from services.identity.sessions import UserSession
from services.identity.signing_keys import SealedKey
from shared.ids import AccountId, ClientId, SessionId, UserId
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

LAST_END_KEY = "~"
KEPT_AFTER_END = timedelta(days=1)
"""An ended session stays to refuse its refresh tokens by name; then nothing is left to refuse."""


class Store:
    """The collections of identity's database. `tx` is the transaction that a call belongs to."""

    def __init__(self, database: Database) -> None:
        self._users = majority(database, "users")
        self._sessions = majority(database, "sessions")
        self._clients = majority(database, "service_clients")
        self._keys = majority(database, "signing_keys")
        self._counters = majority(database, "counters")

    async def user(self, user_id: UserId, tx: DbSession | None = None) -> User | None:
        """A user by id."""
        return _user(await self._users.find_one({"_id": user_id}, session=tx))

    async def holder(self, email_key: str, tx: DbSession | None = None) -> User | None:
        """The verified user of an address."""
        found = await self._users.find_one({"email_key": email_key, "verified": True}, session=tx)
        return _user(found)

    async def claimant(self, email_key: str) -> User | None:
        """The user that last signed up with an address and did not verify it."""
        claimants = self._users.find({"email_key": email_key, "verified": False})
        newest = await claimants.sort("created_at", -1).limit(1).to_list(1)
        return _user(newest[0]) if newest else None

    async def insert_user(self, user: User, tx: DbSession) -> None:
        """Add a user.

        Raises:
            AlreadyThere: it is verified, and the address has a verified user.
        """
        await insert_once(self._users, _document(user) | _verification(user), tx)

    async def update_user(self, before: User, after: User, tx: DbSession) -> None:
        """Replace a user as it was read.

        Raises:
            Lost: it changed since.
            AlreadyThere: another user of the address was verified meanwhile.
        """
        expected = {
            "_id": before.id,
            "generation": before.generation,
            "verified": before.verified,
            "name": before.name,
        }
        document = _document(after) | _verification(after)
        del document["_id"]
        try:
            await update_expected(self._users, expected, {"$set": document}, tx)
        except DuplicateKeyError as duplicate:
            raise AlreadyThere(self._users.name) from duplicate

    async def delete_claimants(self, email_key: str, tx: DbSession) -> None:
        """Drop everybody who signed up with an address and did not verify it."""
        await self._users.delete_many({"email_key": email_key, "verified": False}, session=tx)

    async def session(
        self, session_id: SessionId, tx: DbSession | None = None
    ) -> UserSession | None:
        """A session by id, ended ones too."""
        return _session(await self._sessions.find_one({"_id": session_id}, session=tx))

    async def sessions_in(
        self, user_id: UserId, account_id: AccountId, tx: DbSession
    ) -> list[UserSession]:
        """The user's sessions whose current account this is and that did not end."""
        found = self._sessions.find(
            {"user_id": user_id, "account_id": account_id, "ended": False}, session=tx
        )
        return [UserSession(**_fields(UserSession, document)) async for document in found]

    async def insert_session(self, session: UserSession, tx: DbSession) -> None:
        """Add a session."""
        await insert_once(self._sessions, _document(session) | _ending(session), tx)

    async def update_session(
        self, before: UserSession, after: UserSession, tx: DbSession | None = None
    ) -> None:
        """Replace a session as it was read.

        Raises:
            Lost: it changed since.
        """
        expected = {
            "_id": before.id,
            "generation": before.generation,
            "account_id": before.account_id,
            "ended": before.ended_at is not None,
        }
        document = _document(after) | _ending(after)
        del document["_id"]
        outcome = await self._sessions.update_one(expected, {"$set": document}, session=tx)
        if outcome.matched_count != 1:
            raise Lost(self._sessions.name)

    async def ended_sessions(self, *, since: datetime, after: str, limit: int) -> list[UserSession]:
        """Sessions that ended since then, in order of their end, after a cursor (`end_key`)."""
        start = max(after, _end_key(since, ""))
        page = {"ended": True, "end_key": {"$gt": start, "$lt": LAST_END_KEY}}
        found = self._sessions.find(page).sort("end_key", 1).limit(limit)
        return [UserSession(**_fields(UserSession, document)) async for document in found]

    async def client(self, client_id: ClientId) -> ServiceClient | None:
        """A service client by id."""
        found = await self._clients.find_one({"_id": client_id})
        return None if found is None else _client(found)

    async def clients(self) -> list[ServiceClient]:
        """Every service client; a platform has tens of them."""
        return [_client(document) async for document in self._clients.find({})]

    async def insert_client(self, client: ServiceClient, tx: DbSession) -> None:
        """Add a service client."""
        await insert_once(self._clients, _document(client), tx)

    async def signing_keys(self) -> list[SealedKey]:
        """Every signing key, sealed."""
        return [SealedKey(**_fields(SealedKey, key)) async for key in self._keys.find({})]

    async def insert_signing_key(self, key: SealedKey, tx: DbSession) -> None:
        """Add a signing key.

        Raises:
            AlreadyThere: another replica filled this slot.
        """
        await insert_once(self._keys, _document(key), tx)

    async def count(self, bucket: str, *, now: datetime, per: timedelta) -> tuple[int, datetime]:
        """Count one more in a bucket that begins with its first and lasts `per`; how many, until.

        Under a race the answer may be too high, never too low.
        """
        while True:
            found = await self._counters.find_one({"_id": bucket})
            if found is None:
                with contextlib.suppress(AlreadyThere):
                    first = {"_id": bucket, "count": 1, "ends_at": now + per}
                    await insert_once(self._counters, first)
                    return 1, now + per
                continue
            same = {"_id": bucket, "ends_at": found["ends_at"]}
            if found["ends_at"] <= now:
                again = {"$set": {"count": 1, "ends_at": now + per}}
                if (await self._counters.update_one(same, again)).matched_count:
                    return 1, now + per
                continue
            if (await self._counters.update_one(same, {"$inc": {"count": 1}})).matched_count:
                counted = await self._counters.find_one({"_id": bucket})
                return (counted or found)["count"], found["ends_at"]

    async def uncount(self, bucket: str) -> None:
        """Count one less in a bucket."""
        await self._counters.update_one({"_id": bucket}, {"$inc": {"count": -1}})


def end_key(session: UserSession) -> str:
    """The cursor of an ended session: sortable text, since ids cannot be queried by range."""
    assert session.ended_at is not None, "the session did not end"  # noqa: S101
    return _end_key(session.ended_at, session.id)


def _end_key(moment: datetime, session_id: str) -> str:
    return f"{int(moment.timestamp() * 1000):015d}.{session_id}"


def _document(row: User | UserSession | ServiceClient | SealedKey) -> Document:
    document = asdict(row)
    return {"_id": document.pop("id"), **document}


def _verification(user: User) -> Document:
    lapses_at = None if user.verified else user.created_at + UNVERIFIED_LIFETIME
    return {"verified": user.verified, "lapses_at": lapses_at}


def _ending(session: UserSession) -> Document:
    if session.ended_at is None:
        return {"ended": False, "end_key": None, "delete_at": session.expires_at}
    return {
        "ended": True,
        "end_key": end_key(session),
        "delete_at": session.ended_at + KEPT_AFTER_END,
    }


def _fields(kind: type[Any], document: Document) -> dict[str, Any]:
    given = {**document, "id": document["_id"]}
    return {field.name: given[field.name] for field in fields(kind)}


def _user(found: Document | None) -> User | None:
    return None if found is None else User(**_fields(User, found))


def _session(found: Document | None) -> UserSession | None:
    return None if found is None else UserSession(**_fields(UserSession, found))


def _client(found: Document) -> ServiceClient:
    known = _fields(ServiceClient, found)
    bounds = {
        name: None if known[name] is None else tuple(known[name])
        for name in ("account_ids", "resource_types")
    }
    return ServiceClient(**known | {"scopes": tuple(known["scopes"])} | bounds)
