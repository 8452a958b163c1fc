"""How do services reach the database, and what is a transaction here?

The driver (motor) is named in this module, in a service's `store.py` and `migrations.py`, and
nowhere else, so that another driver touches nothing else.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.problems import Unavailable

T = TypeVar("T")
Document = dict[str, Any]
DbClient = AsyncIOMotorClient[Document]
DbSession = AsyncIOMotorClientSession
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]

TIMEOUT_MS = 2_500
"""Every operation's limit: a dead database costs a request this much, not the driver's 30 s."""

MAJORITY = WriteConcern("majority")
SNAPSHOT = ReadConcern("snapshot")

DATABASE_AWAY: tuple[type[Exception], ...] = (ConnectionFailure, ExecutionTimeout)
"""What the HTTP layer answers with 503: the database could not be asked, nothing is known."""


class AlreadyThere(Exception):  # noqa: N818 - it says what is so; the caller decides if that is wrong
    """A document with this unique key exists. It aborts the transaction that it is raised in."""


class Lost(Exception):  # noqa: N818 - as above
    """A document did not have the expected revision: somebody was first. `transact` tries again."""


def connect(url: str, *, app_name: str) -> DbClient:
    """Make a client; it connects when first used, so a service can start before its database."""
    return AsyncIOMotorClient(
        url,
        appname=app_name,
        timeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=TIMEOUT_MS,
        tz_aware=True,
    )


def majority(database: Database, name: str) -> Collection:
    """A collection whose reads and writes outside a transaction are majority ones."""
    return database.get_collection(
        name,
        codec_options=CodecOptions(tz_aware=True),
        read_concern=ReadConcern("majority"),
        write_concern=MAJORITY,
    )


async def insert_once(
    collection: Collection, document: Document, session: DbSession | None = None
) -> None:
    """Insert a document whose unique key must be new.

    Raises:
        AlreadyThere: it is not. Inside a transaction let it pass: the transaction is over, and
            whoever swallows it loops for ever.
    """
    try:
        await collection.insert_one(document, session=session)
    except DuplicateKeyError as duplicate:
        raise AlreadyThere(collection.name) from duplicate


async def update_expected(
    collection: Collection, expected: Document, change: Document, session: DbSession
) -> None:
    """Update the one document that matches `expected` (its id and the revision that was read).

    Raises:
        Lost: none matches: it changed since it was read.
    """
    outcome = await collection.update_one(expected, change, session=session)
    if outcome.matched_count != 1:
        raise Lost(collection.name)


async def transact(
    client: DbClient,
    work: Callable[[DbSession], Awaitable[T]],
    *,
    committed: Callable[[DbSession | None], Awaitable[T | None]] | None = None,
    budget: float = TIMEOUT_MS / 1000,
) -> T:
    """Run `work` in a transaction (snapshot, majority) until it commits; `work` may run again.

    `committed` gives the result of an earlier attempt whose commit was not answered and which took
    effect all the same: it stands, and nothing is done twice. Every further attempt asks it first,
    in its own snapshot: a commit that the snapshot does not hold yet is the conflict that ends it.

    Raises:
        Unavailable: the database was away or contended for longer than `budget` seconds.
    """
    deadline = time.monotonic() + budget
    attempt = 0
    async with await client.start_session() as session:
        while True:
            attempt += 1
            session.start_transaction(read_concern=SNAPSHOT, write_concern=MAJORITY)
            try:
                earlier = None if attempt == 1 or not committed else await committed(session)
                result = await work(session) if earlier is None else earlier
                await _commit(session, deadline)
            except (PyMongoError, Lost) as problem:
                await _abort(session)
                if not _passing(problem):
                    raise
                if time.monotonic() >= deadline:
                    earlier = await committed(None) if committed else None
                    if earlier is None:
                        raise Unavailable from problem
                    return earlier
            except BaseException:
                await _abort(session)
                raise
            else:
                return result
            await asyncio.sleep(random.uniform(0.001, min(0.1, 0.002 * 2**attempt)))


async def _commit(session: DbSession, deadline: float) -> None:
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as problem:
            unknown = problem.has_error_label("UnknownTransactionCommitResult")
            if not unknown or time.monotonic() >= deadline:
                raise
            await asyncio.sleep(0.02)
        else:
            return


async def _abort(session: DbSession) -> None:
    if not session.delegate.in_transaction:
        return
    try:
        await session.abort_transaction()
    except PyMongoError:
        return  # the server ends it by itself; the cause is being raised


def _passing(problem: Exception) -> bool:
    return isinstance(problem, (Lost, *DATABASE_AWAY)) or (
        isinstance(problem, PyMongoError)
        and (
            problem.has_error_label("TransientTransactionError")
            or problem.has_error_label("UnknownTransactionCommitResult")
        )
    )
