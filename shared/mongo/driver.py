"""The driver's clients, the threads in which their operations run, and what these end with."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
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

S = TypeVar("S")
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


Start = Callable[[Callable[[], None]], "Future[None]"]
"""Hands work to a thread."""


class _Unit:
    """Operations of one session: a thread runs those that wait, one after another."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._at_work = False
        self._open = True

    def close(self) -> None:
        """Run no operation that was not begun."""
        self._open = False
        for _, answer in self._waiting:
            answer.cancel()

    def add(self, start: Start, operation: Callable[[], T]) -> asyncio.Future[T]:
        """Run an operation after those before it.

        It begins when every task that is ready has added its own.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if not self._open:
            answer.cancel()
            return answer
        self._waiting.append((operation, answer))
        self._begin(start)
        return answer

    def _begin(self, start: Start) -> None:
        if self._waiting and not self._at_work:
            self._at_work = True
            asyncio.get_running_loop().call_soon(self._hand_over, start)

    def _hand_over(self, start: Start) -> None:
        waiting, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()

        def work() -> None:
            outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
            failed: BaseException | None = None
            for operation, answer in waiting:
                result = None
                if failed is None and not answer.cancelled():
                    try:
                        result = operation()
                    except BaseException as problem:  # noqa: BLE001 - it is raised in the task
                        failed = problem  # it has ended the transaction, so nothing may follow
                outcomes.append((answer, result, failed))
            loop.call_soon_threadsafe(self._settle, outcomes, start)

        start(work)

    def _settle(
        self,
        outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]],
        start: Start,
    ) -> None:
        for answer, result, failed in outcomes:
            if answer.cancelled():
                continue
            if failed is None:
                answer.set_result(result)
            else:
                answer.set_exception(failed)
        self._at_work = False
        self._begin(start)


_unit: ContextVar[_Unit | None] = ContextVar("unit of operations", default=None)


@contextmanager
def one_after_another() -> Iterator[None]:
    """Let coroutines begin operations of one session beside each other, as `gather` does.

    A session does one operation at a time. They run in their order in one thread, which costs less
    than to change threads for each. Those after one that failed are not run, and fail as it did.
    A method of a collection begins when it is called, so it has to be called in a coroutine.
    """
    unit = _Unit()
    outer = _unit.set(unit)
    try:
        yield
    finally:
        _unit.reset(outer)
        unit.close()


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

        def start(work: Callable[[], S]) -> Future[S]:
            started = executor.submit(work)
            if block is not None:
                block.operations.append(started)
            return started

        in_context, unit = partial(copy_context().run, operation), _unit.get()
        if unit is not None:
            return unit.add(start, in_context)
        return asyncio.wrap_future(start(in_context), loop=loop)

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
