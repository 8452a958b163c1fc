"""The driver's clients, the threads in which their operations run, and what these end with."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar, copy_context
from functools import partial
from types import ModuleType
from typing import Any, TypeVar, cast

import pymongo
from pymongo.errors import PyMongoError

from shared.mongo.away import DatabaseAway, labels_of, means_away
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
IndexModel = pymongo.IndexModel

SHORTEST_LIMIT_SECONDS = 0.001
"""Zero would be no limit to the driver."""


def connect(url: str, *, app_name: str, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> DbClient:
    """Make a client; it connects when first used, so a service can start before its database.

    Each operation has `timeouts.database` seconds: a dead database costs a request this much, not
    the driver's 30 s. An operation ends with `DatabaseAway` where the driver raises one of many
    errors.
    """
    return _connect(_CLIENT, url, app_name=app_name, timeouts=timeouts)


def connect_reserved(url: str, *, app_name: str, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> DbClient:
    """Make a client as `connect` does, whose operations never wait for those of other clients.

    It is for leases and the journal: what they wait for, all checks wait for.
    """
    return _connect(_RESERVED_CLIENT, url, app_name=app_name, timeouts=timeouts)


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


class _Block:
    """The operations of a block that may last until `ends_at`; each may last `longest` seconds."""

    def __init__(self, *, ends_at: float, longest: float | None) -> None:
        self.open = True
        self.operations: list[Future[Any]] = []
        self._ends_at = ends_at
        self._longest = longest

    def limit(self) -> float:
        """The seconds that an operation has which begins now."""
        left = max(self._ends_at - time.monotonic(), SHORTEST_LIMIT_SECONDS)
        return left if self._longest is None else min(left, self._longest)


_block: ContextVar[_Block | None] = ContextVar("block of operations", default=None)


@asynccontextmanager
async def no_longer_than(
    seconds: float, *, client: DbClient, operation_seconds: float | None = None
) -> AsyncIterator[None]:
    """End the block, and each operation of the database in it, after `seconds`.

    One operation has `operation_seconds`; the default is the client's limit.

    However the block ends, the operations that still run in threads are waited for. One that begins
    a transaction could otherwise reach the database after the abort, and would leave it open.

    Raises:
        DatabaseAway: the time was over.
    """
    longest = client.delegate.options.timeout if operation_seconds is None else operation_seconds
    block = _Block(ends_at=time.monotonic() + seconds, longest=longest)
    outer = _block.set(block)
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as late:
        if not limit.expired():
            raise
        raise DatabaseAway(f"A transaction was open for {seconds} seconds.") from late
    finally:
        _block.reset(outer)
        block.open = False  # a task that the block has begun goes on without its limit
        running = [asyncio.wrap_future(work) for work in block.operations if not work.done()]
        await asyncio.gather(*running, return_exceptions=True)


def _operate(block: _Block | None, function: Callable[..., T], *given: Any, **named: Any) -> T:
    """Run one operation of the driver; every driver error of an absent database is one class."""
    limited = nullcontext() if block is None or not block.open else pymongo.timeout(block.limit())
    try:
        with limited:
            return function(*given, **named)
    except PyMongoError as problem:
        if means_away(problem):
            raise DatabaseAway(str(problem), labels_of(problem)) from problem
        raise


def _framework(name: str, executor: Executor) -> ModuleType:
    """The driver's connection to asyncio, with these threads."""
    framework = ModuleType(name)
    framework.__dict__.update(vars(asyncio_framework))

    def run_on_executor(
        loop: asyncio.AbstractEventLoop, function: Callable[..., T], *given: Any, **named: Any
    ) -> asyncio.Future[T]:
        if function is pymongo.MongoClient.start_session:
            started = loop.create_future()  # it asks no server, so it needs no thread
            started.set_result(function(*given, **named))
            return started
        block = _block.get()
        operation = partial(_operate, block, function, *given, **named)
        work: Future[T] = executor.submit(copy_context().run, operation)
        if block is not None:
            block.operations.append(work)
        return asyncio.wrap_future(work, loop=loop)

    framework.run_on_executor = run_on_executor  # type: ignore[attr-defined]
    return framework


def _client_class(name: str, executor: Executor) -> type[DbClient]:
    framework = _framework(name, executor)
    made = create_class_with_framework(AgnosticClient, framework, "motor.motor_asyncio")
    return cast("type[DbClient]", made)


_CLIENT = _client_class("framework", asyncio_framework._EXECUTOR)  # noqa: SLF001
_RESERVED_CLIENT = _client_class(
    "reserved_framework", ThreadPoolExecutor(RESERVED_WORKERS, thread_name_prefix="reserved")
)
