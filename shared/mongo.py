"""Access to the database: clients, collections and transactions.

Only this module, the `store` and the `migrations` of a service name the driver (motor). A change of
the driver touches nothing else.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from types import ModuleType
from typing import Any, TypeVar, cast

import pymongo
from bson.codec_options import CodecOptions
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.problems import Unavailable
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

WORKERS = 10
"""Operations of the database that run at the same time in one process. More would only wait in the
database, where a lease waits behind them. The driver reads the limit when it is imported."""
RESERVED_WORKERS = 6
"""Those of `connect_reserved`, besides."""
os.environ.setdefault("MOTOR_MAX_WORKERS", str(WORKERS))

from motor.core import AgnosticClient  # noqa: E402 - reads the limit above
from motor.frameworks import asyncio as asyncio_framework  # noqa: E402
from motor.metaprogramming import create_class_with_framework  # noqa: E402
from motor.motor_asyncio import (  # noqa: E402
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)

T = TypeVar("T")
Document = dict[str, Any]
DbClient = AsyncIOMotorClient[Document]
DbSession = AsyncIOMotorClientSession
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]

COMMIT_PAUSE_SECONDS = 0.02

MAJORITY = WriteConcern("majority")
SNAPSHOT = ReadConcern("snapshot")

DATABASE_AWAY: tuple[type[Exception], ...] = (ConnectionFailure, ExecutionTimeout)
"""Answered with 503: the database could not be asked."""


class AlreadyThere(Exception):  # noqa: N818 - the caller decides whether that is an error
    """A document with this unique key exists. The exception aborts its transaction."""


class Lost(Exception):  # noqa: N818 - as above
    """A document did not have the expected revision: another write was first. It is tried again."""


def connect(url: str, *, app_name: str, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> DbClient:
    """Make a client; it connects when first used, so a service can start before its database.

    Each operation has `timeouts.database` seconds: a dead database costs a request this much, not
    the driver's 30 s.
    """
    return _connect(AsyncIOMotorClient, url, app_name=app_name, timeouts=timeouts)


def connect_reserved(url: str, *, app_name: str, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> DbClient:
    """Make a client as `connect` does, whose operations never wait for those of other clients.

    It is for leases and the journal: what they wait for, all checks wait for.
    """
    return _connect(_RESERVED_CLIENT, url, app_name=app_name, timeouts=timeouts)


def _reserved_framework() -> ModuleType:
    """The driver's connection to asyncio, with threads of its own."""
    framework = ModuleType("reserved_framework")
    framework.__dict__.update(vars(asyncio_framework))
    workers = ThreadPoolExecutor(RESERVED_WORKERS, thread_name_prefix="reserved")

    def run_on_executor(
        loop: asyncio.AbstractEventLoop, function: Callable[..., T], *given: Any, **named: Any
    ) -> asyncio.Future[T]:
        run = copy_context().run
        return loop.run_in_executor(workers, partial(run, function, *given, **named))

    framework.run_on_executor = run_on_executor  # type: ignore[attr-defined]
    return framework


_RESERVED_CLIENT = cast(
    "type[DbClient]",
    create_class_with_framework(AgnosticClient, _reserved_framework(), "motor.motor_asyncio"),
)


def _connect(client: type[DbClient], url: str, *, app_name: str, timeouts: Timeouts) -> DbClient:
    limit_ms = round(timeouts.database * 1000)
    return client(
        url,
        appname=app_name,
        timeoutMS=limit_ms,
        serverSelectionTimeoutMS=limit_ms,
        connectTimeoutMS=limit_ms,
        tz_aware=True,
    )


def majority(database: Database, name: str) -> Collection:
    """A collection whose reads and writes outside a transaction use majority."""
    return database.get_collection(
        name,
        codec_options=CodecOptions(tz_aware=True),
        read_concern=ReadConcern("majority"),
        write_concern=MAJORITY,
    )


@asynccontextmanager
async def causal_session(
    client: DbClient, after: DbSession | None = None
) -> AsyncIterator[DbSession]:
    """A causally consistent session that starts from the end of `after`, which may be over.

    Its first majority read waits until a majority has all that `after` has written or seen, also
    in a transaction that was aborted. A server that tells no time has no other members to wait for.
    """
    async with await client.start_session(causal_consistency=True) as session:
        if after is not None:
            # The driver's own session: motor's types take these properties for methods.
            cluster_time = after.delegate.cluster_time
            operation_time = after.delegate.operation_time
            if cluster_time is not None and operation_time is not None:
                session.advance_cluster_time(cluster_time)
                session.advance_operation_time(operation_time)
        yield session


async def create_index(
    collection: Collection, keys: Sequence[tuple[str, int]], *, name: str, **options: Any
) -> None:
    """Build an index, however long it takes, and wait until most of the replica set has it.

    Under the client's `timeoutMS` the database would abort a long build, and each retry would
    begin it anew. `timeout(0)` means no limit; `timeout(None)` would mean the client's. The quorum
    of a majority lets the build end while one member of the replica set is down.
    """
    model = pymongo.IndexModel(list(keys), name=name, **options)
    with pymongo.timeout(0):
        await collection.create_indexes([model], commitQuorum="majority")


async def insert_once(
    collection: Collection, document: Document, session: DbSession | None = None
) -> None:
    """Insert a document whose unique key must be new.

    Raises:
        AlreadyThere: it exists. Inside a transaction let the exception pass: the transaction is
            over, and catching it leads to an endless retry.
    """
    try:
        await collection.insert_one(document, session=session)
    except DuplicateKeyError as duplicate:
        raise AlreadyThere(collection.name) from duplicate


async def update_expected(
    collection: Collection, expected: Document, change: Document, session: DbSession
) -> None:
    """Update the one document that matches `expected`: its id and the revision that was read.

    Raises:
        Lost: no document matches; it changed since it was read.
    """
    outcome = await collection.update_one(expected, change, session=session)
    if outcome.matched_count != 1:
        raise Lost(collection.name)


async def update_each(collection: Collection, updates: Sequence[tuple[Document, Document]]) -> None:
    """Make several updates in one call, each of the document that matches its filter, if any."""
    if updates:
        await collection.bulk_write([pymongo.UpdateOne(*update) for update in updates])


class Transactions:
    """Runs functions in transactions of one client (snapshot, majority)."""

    def __init__(self, client: DbClient, *, seconds: float | None = None) -> None:
        """`seconds` is for all attempts together; the default is the client's limit of one."""
        self._client = client
        limit = client.delegate.options.timeout if seconds is None else seconds
        self._seconds = DEFAULT_TIMEOUTS.transaction if limit is None else limit

    async def run(
        self,
        change: Callable[[DbSession], Awaitable[T]],
        *,
        committed: Callable[[DbSession], Awaitable[T | None]] | None = None,
    ) -> T:
        """Run `change` in a transaction until it commits; `change` may run more than once.

        `committed` returns the result of an earlier attempt whose commit was not answered but took
        effect: that result stands, and nothing is done twice. Each further attempt asks it first,
        in its own snapshot: a commit that the snapshot does not hold yet is the conflict that ends
        it. It is asked a last time when the time is over, after the last transaction in the same
        causally consistent session: a majority then has what that transaction saw.

        Raises:
            Unavailable: the database was away or contended for longer than its time.
        """
        deadline = time.monotonic() + self._seconds
        attempt = 0
        async with await self._client.start_session() as session:
            while True:
                attempt += 1
                session.start_transaction(read_concern=SNAPSHOT, write_concern=MAJORITY)
                try:
                    earlier = None if attempt == 1 or not committed else await committed(session)
                    result = await change(session) if earlier is None else earlier
                    await self._commit_until(session, deadline)
                except (PyMongoError, Lost) as problem:
                    await _abort(session)
                    if not _passing(problem):
                        raise
                    if time.monotonic() >= deadline:
                        earlier = await committed(session) if committed else None
                        if earlier is None:
                            raise Unavailable from problem
                        return earlier
                except BaseException:
                    await _abort(session)
                    raise
                else:
                    return result
                await asyncio.sleep(retry_pause(attempt))

    async def commit(self, session: DbSession) -> None:
        """Ask the database once to commit the session's transaction."""
        await session.commit_transaction()

    async def _commit_until(self, session: DbSession, deadline: float) -> None:
        while True:
            try:
                await self.commit(session)
            except PyMongoError as problem:
                unknown = problem.has_error_label("UnknownTransactionCommitResult")
                if not unknown or time.monotonic() >= deadline:
                    raise
                await asyncio.sleep(COMMIT_PAUSE_SECONDS)
            else:
                return


async def transact(client: DbClient, change: Callable[[DbSession], Awaitable[T]]) -> T:
    """Run `change` in a transaction of its own, as `Transactions.run` does.

    Raises:
        Unavailable: the database was away or contended for too long.
    """
    return await Transactions(client).run(change)


def retry_pause(attempt: int) -> float:
    """Return the seconds before attempt `attempt + 1` of a transaction: random, growing to 0.1."""
    return random.uniform(0.001, min(0.1, 0.002 * 2 ** min(attempt, 6)))


async def _abort(session: DbSession) -> None:
    if not session.delegate.in_transaction:
        return
    try:
        await session.abort_transaction()
    except PyMongoError:
        return  # the server ends the transaction; the cause is already being raised


def _passing(problem: Exception) -> bool:
    return isinstance(problem, (Lost, *DATABASE_AWAY)) or (
        isinstance(problem, PyMongoError)
        and (
            problem.has_error_label("TransientTransactionError")
            or problem.has_error_label("UnknownTransactionCommitResult")
        )
    )
