"""Operations of one session, begun beside each other, run in one thread in their order."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import monitoring
from pymongo.errors import DuplicateKeyError

from shared.mongo import connect, majority, one_after_another, transact
from tests.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from shared.mongo import Collection, DbClient, DbSession


class Threads(monitoring.CommandListener):
    """The thread of each command about the rows."""

    def __init__(self) -> None:
        self.of: list[tuple[str, int]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command.get(event.command_name) == "rows":
            self.of.append((event.command_name, threading.get_ident()))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing is noted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing is noted."""


THREADS = Threads()
monitoring.register(THREADS)


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


@pytest.fixture
async def rows(client: DbClient, database_name: str) -> Collection:
    rows = majority(client[database_name], "rows")
    await rows.insert_many([{"_id": number} for number in range(300)])
    THREADS.of.clear()
    return rows


async def numbers(rows: Collection, wanted: dict[str, Any], session: DbSession) -> list[int]:
    return [row["_id"] async for row in rows.find(wanted, session=session)]


async def ended(*operations: Callable[[], Awaitable[Any]]) -> list[Any]:
    async def begin(operation: Callable[[], Awaitable[Any]]) -> Any:
        return await operation()

    with one_after_another():
        return await asyncio.gather(*map(begin, operations), return_exceptions=True)


async def test_statements_of_one_session_share_a_thread_in_their_order(
    client: DbClient, rows: Collection
) -> None:
    """Also those that one of them needs besides: the second page of its rows."""

    async def change(session: DbSession) -> list[Any]:
        return await ended(
            partial(numbers, rows, {"_id": 7}, session),
            partial(numbers, rows, {}, session),
            partial(rows.update_one, {"_id": 7}, {"$set": {"n": 1}}, session=session),
            partial(rows.find_one, {"_id": 7}, session=session),
        )

    one, every, _, updated = await transact(client, change)
    assert one == [7]
    assert sorted(every) == list(range(300))
    assert updated == {"_id": 7, "n": 1}
    begun = THREADS.of[:4]
    assert [name for name, _ in begun] == ["find", "find", "update", "find"]
    assert len({thread for _, thread in begun}) == 1


async def test_nothing_runs_after_a_statement_that_failed(
    client: DbClient, rows: Collection
) -> None:
    async with await client.start_session() as session:
        found = await ended(
            partial(rows.find_one, {"_id": 1}, session=session),
            partial(rows.insert_one, {"_id": 2}, session=session),
            partial(rows.insert_one, {"_id": 1_000}, session=session),
        )
    assert found[0] == {"_id": 1}
    assert [type(one) for one in found[1:]] == [DuplicateKeyError, DuplicateKeyError]
    assert await rows.find_one({"_id": 1_000}) is None


async def test_a_cancelled_task_begins_nothing(client: DbClient, rows: Collection) -> None:
    async with await client.start_session() as session:
        insert = partial(rows.insert_one, {"_id": 1_000}, session=session)
        task = asyncio.create_task(ended(insert))
        for _ in range(2):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rows.find_one({}, session=session)
    assert await rows.find_one({"_id": 1_000}) is None


async def test_what_begins_after_the_end_is_not_run(client: DbClient, rows: Collection) -> None:
    """A task may go on when another one has failed: its transaction is over."""

    async def late(session: DbSession) -> None:
        await asyncio.sleep(0.05)
        await rows.insert_one({"_id": 1_000}, session=session)

    async with await client.start_session() as session:
        with one_after_another():
            task = asyncio.create_task(late(session))
        [outcome] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)
    assert await rows.find_one({"_id": 1_000}) is None
