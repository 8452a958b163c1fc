"""Idempotency keys: a request that is repeated with its `Idempotency-Key` has one effect.

The key is taken by the first statement of the write's transaction, and the answer is saved in the
same transaction. The effect and its answer exist together or not at all. Both are kept for a day.

`Api` makes the guard of each request whose row says `idempotent=True` and answers the repeats. A
handler hands `call.guard` on; a use case runs `take_key` first in its transaction and `keep_answer`
last.
"""

import hashlib
import json
import re
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from multidict import CIMultiDictProxy
from pydantic import BaseModel, ValidationError

from shared.clock import Clock
from shared.contracts.facts import Caller, shard_of
from shared.indexes import Index
from shared.mongo import (
    AlreadyThere,
    Collection,
    Database,
    DbClient,
    DbSession,
    Document,
    Lost,
    causal_session,
    insert_once,
    majority,
    update_expected,
)
from shared.problems import Invalid, Refusal, RefusalKind, Unavailable

RETENTION = timedelta(hours=24)
"""How long a key and its answer are kept."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)

INDEXES = (Index(collection="idempotency", keys=(("expires_at", 1),), ttl_seconds=0),)
"""What the migrations of a service that keeps answers need: keys are deleted after their day."""


class RepeatedRequest(Exception):  # noqa: N818 - nothing is wrong, the answer is there
    """The effect of this key is committed; `Api` answers with `kept_answer`."""


class IdempotencyKeyReused(Refusal):
    """The same key came with another body, so one of the two requests is a mistake."""

    kind = RefusalKind.INVALID
    code = "idempotency-key-reused"
    detail = "This Idempotency-Key was used for another request. Use a new key for a new request."


class IdempotencyAnswerLost(Refusal):
    """The effect of this key exists, and its answer was kept in the form of another version.

    While replicas of two versions run, either may have answered the first request.
    """

    kind = RefusalKind.CONFLICT
    code = "idempotency-answer-lost"
    detail = (
        "This request was carried out by another version. Read the result instead of repeating it."
    )


def read_key(headers: CIMultiDictProxy[str]) -> str | None:
    """The `Idempotency-Key` of a request, if it has one.

    Raises:
        Invalid: it is sent twice, too long, empty, or not of visible ASCII characters.
    """
    keys = headers.getall("Idempotency-Key", [])
    if not keys:
        return None
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        raise Invalid(errors=[("/headers/Idempotency-Key", _MALFORMED_KEY)])
    return keys[0]


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class IdempotencyGuard:
    """The key of one request."""

    def __init__(
        self,
        client: DbClient,
        collection: Collection,
        document: Document,
        *,
        key: str,
        now: datetime,
    ) -> None:
        self.key = key
        self._kept: Document | None = None
        self._client = client
        self._collection = collection
        self._document = document
        self._place = {"_id": document["_id"], "shard": document["shard"]}
        # Earlier versions kept keys without a shard. They are deleted after their day.
        self._kept_at = {"_id": document["_id"], "shard": {"$in": [document["shard"], None]}}
        self._now = now

    async def take_key(self, session: DbSession) -> None:
        """Take the key, as the first statement of the transaction.

        The answer of an earlier request is read at once, after the time of this transaction: a
        majority has it, so no new primary can undo it once it is given.

        Raises:
            RepeatedRequest: a committed request has taken it.
            Lost: the key is free again, deleted or undone by a new primary.
        """
        try:
            await insert_once(self._collection, dict(self._document), session)
        except AlreadyThere as there:
            async with causal_session(self._client, session) as later:
                self._kept = await self._collection.find_one(self._kept_at, session=later)
            if self._kept is None:
                raise Lost(self._collection.name) from there
            raise RepeatedRequest from there

    async def keep_answer(self, session: DbSession, answer: BaseModel) -> None:
        """Save what a repeat is answered. It holds no secret: a repeat is given none."""
        kept = {
            "answer": answer.model_dump(mode="json", by_alias=True),
            "form": form_of(type(answer)),
        }
        await update_expected(self._collection, self._place, {"$set": kept}, session)

    async def kept_answer(self, answer_class: type[AnswerT]) -> AnswerT:
        """The answer of the request that took the key.

        An answer without a form was kept before forms were, and counts if it fits the class.

        Raises:
            IdempotencyKeyReused: that request had another body.
            IdempotencyAnswerLost: its answer has the form of another version.
            Unavailable: the key has expired; the next try finds it free.
        """
        stored = self._kept
        if stored is None:
            raise TypeError("only a repeated request has a kept answer")
        if stored["expires_at"] <= self._now:
            # The index deletes up to a minute late.
            await self._collection.delete_one({**self._kept_at, "expires_at": stored["expires_at"]})
            raise Unavailable
        if stored["body"] != self._document["body"]:
            raise IdempotencyKeyReused(
                errors=[("/headers/Idempotency-Key", "This key was used with another body.")]
            )
        if stored.get("form") not in {None, form_of(answer_class)}:
            raise IdempotencyAnswerLost
        try:
            return answer_class.model_validate(stored["answer"])
        except ValidationError as unfit:
            raise IdempotencyAnswerLost from unfit


@cache
def form_of(answer_class: type[BaseModel]) -> str:
    """Name the form of a class's answers: a digest of its JSON schema without the texts in it."""
    schema = answer_class.model_json_schema(by_alias=True, mode="serialization")
    text = json.dumps(_without_texts(schema), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_texts(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            name: _without_texts(part)
            for name, part in schema.items()
            if name not in {"title", "description", "examples"} or not isinstance(part, str | list)
        }
    return [_without_texts(part) for part in schema] if isinstance(schema, list) else schema


class Idempotency:
    """The idempotency keys of one service."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._client: DbClient = database.client
        self._collection = majority(database, "idempotency")
        self._clock = clock

    def guard(
        self,
        caller: Caller,
        *,
        operation: str,
        key: str,
        body: BaseModel | None,
        path: str = "",
        account_id: str | None = None,
    ) -> IdempotencyGuard:
        """The key of one request; another caller, operation or path makes it another key.

        It is kept in the shard of the request's account, or else of the caller.
        """
        now = self._clock.now()
        scope = f"{caller.actor.type}\n{caller.actor.id}\n{operation}\n{path}\n{key}"
        content = "" if body is None else body.model_dump_json()
        document = {
            "_id": hashlib.sha256(scope.encode()).hexdigest(),
            "shard": shard_of(account_id or caller.actor.id),
            "body": hashlib.sha256(content.encode()).hexdigest(),
            "expires_at": now + RETENTION,
        }
        return IdempotencyGuard(self._client, self._collection, document, key=key, now=now)


_MALFORMED_KEY = (
    "Must be one value of 1 to 255 visible ASCII characters, such as a new UUID."
    " Send the same value when you repeat the request."
)
