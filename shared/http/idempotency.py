"""What does a repeated request with the same `Idempotency-Key` answer?

The key is the first statement of the write's transaction, and the answer is saved in it, so an
effect and its answer exist together or not at all. Kept for a day.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from shared.clock import Clock
from shared.contracts.facts import Caller
from shared.indexes import Index
from shared.mongo import (
    AlreadyThere,
    Collection,
    Database,
    DbSession,
    Document,
    insert_once,
    majority,
    update_expected,
)
from shared.problems import Refusal, RefusalKind, Unavailable

KEPT = timedelta(hours=24)

INDEXES = (Index(collection="idempotency", keys=(("expires_at", 1),), ttl_seconds=0),)
"""What the migrations of a service that keeps answers need: keys are deleted after their day."""


class Repeated(Exception):  # noqa: N818 - nothing is wrong, the answer is there
    """This key's effect is committed; answer with `Once.replay`."""


class IdempotencyKeyReused(Refusal):
    """The same key with another body: two different wishes, one of them by mistake."""

    kind = RefusalKind.INVALID
    code = "idempotency-key-reused"
    detail = "This Idempotency-Key was used for another request; use a new key for a new request."


class Once:
    """One request's key; with `key=None` there is none, and nothing is kept."""

    def __init__(self, collection: Collection, document: Document | None, *, now: datetime) -> None:
        self._collection = collection
        self._document = document
        self._now = now

    async def guard(self, session: DbSession) -> None:
        """Take the key, as the first statement of the transaction.

        Raises:
            Repeated: it was taken by a request that is committed.
        """
        if self._document is None:
            return
        try:
            await insert_once(self._collection, dict(self._document), session)
        except AlreadyThere as there:
            raise Repeated from there

    async def keep(self, session: DbSession, answer: dict[str, Any]) -> None:
        """Save the answer; it must hold no secret, a replay has none to give."""
        if self._document is not None:
            expected = {"_id": self._document["_id"]}
            await update_expected(self._collection, expected, {"$set": {"answer": answer}}, session)

    async def replay(self) -> dict[str, Any]:
        """The answer of the request that took the key.

        Raises:
            IdempotencyKeyReused: that request had another body.
            Unavailable: it expired; a new try will find the key free.
        """
        if self._document is None:
            raise Unavailable
        stored = await self._collection.find_one({"_id": self._document["_id"]})
        if stored is None:
            raise Unavailable
        if stored["expires_at"] <= self._now:
            # The index deletes up to a minute late.
            await self._collection.delete_one(
                {"_id": stored["_id"], "expires_at": stored["expires_at"]}
            )
            raise Unavailable
        if stored["body"] != self._document["body"]:
            raise IdempotencyKeyReused(
                errors=[("/headers/Idempotency-Key", "was used with another body")]
            )
        answer: dict[str, Any] = stored["answer"]
        return answer


class Idempotency:
    """The keys of one service."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._collection = majority(database, "idempotency")
        self._clock = clock

    def once(
        self, caller: Caller, *, operation: str, key: str | None, body: BaseModel, path: str = ""
    ) -> Once:
        """The key of one request; the same key of another caller, route or path is another."""
        now = self._clock.now()
        if key is None:
            return Once(self._collection, None, now=now)
        scope = f"{caller.actor.type}\n{caller.actor.id}\n{operation}\n{path}\n{key}"
        return Once(
            self._collection,
            {
                "_id": hashlib.sha256(scope.encode()).hexdigest(),
                "body": hashlib.sha256(body.model_dump_json().encode()).hexdigest(),
                "expires_at": now + KEPT,
            },
            now=now,
        )
