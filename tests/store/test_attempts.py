"""One attempt of a transaction: how long it lasts, what its end leaves, how its commit ends."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from shared.mongo import AlreadyThere, DatabaseAway, Transactions, connect, insert_once, transact
from shared.problems import Unavailable
from shared.timeouts import Timeouts
from tests.patience import PATIENT, PATIENT_SECONDS
from tests.support.wire_shim import Fault, How, WireShim
from tests.waiting import quickest, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LIMIT_SECONDS = 0.5


@pytest.fixture
def shim(mongo_url: str) -> Iterator[WireShim]:
    with WireShim(mongo_url) as shim:
        yield shim


@pytest.fixture
async def shimmed(shim: WireShim) -> AsyncIterator[Any]:
    """A client whose commands pass the shim."""
    client = connect(shim.url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


@pytest.fixture
async def rows(db: Any, client: Any) -> Any:
    """The rows of another process, which does not pass the shim."""
    del client
    await db.rows.insert_one({"_id": 1, "by": "before"})
    return db.rows


def one_attempt(client: Any, *, seconds: float = LIMIT_SECONDS) -> Transactions:
    return Transactions(client, seconds=0.0, attempt_seconds=seconds, end_seconds=PATIENT_SECONDS)


async def written_by(rows: Any, name: str) -> None:
    """Write the row as another process: at once, or not at all."""
    found = await rows.find_one_and_update({"_id": 1}, {"$set": {"by": name}})
    assert found["by"] == "before"


async def test_an_attempt_that_lasts_too_long_is_aborted(
    shimmed: Any, database_name: str, rows: Any
) -> None:
    async def change(session: Any) -> None:
        ours = shimmed[database_name].rows
        await ours.update_one({"_id": 1}, {"$set": {"by": "us"}}, session=session)
        await asyncio.Event().wait()

    with pytest.raises(Unavailable):
        async with asyncio.timeout(PATIENT_SECONDS):
            await one_attempt(shimmed).run(change)

    await written_by(rows, "another")


async def test_a_statement_ends_with_its_attempt(
    shim: WireShim, shimmed: Any, database_name: str, rows: Any
) -> None:
    shim.plant(Fault(how=How.DONE, command="update", collection="rows", code=50, delay=20.0))
    ours = shimmed[database_name].rows
    await ours.find_one({})

    async def change(session: Any) -> None:
        await ours.update_one({"_id": 1}, {"$set": {"by": "us"}}, session=session)

    began = time.monotonic()
    with pytest.raises(Unavailable):
        await one_attempt(shimmed).run(change)

    assert time.monotonic() - began < 15
    await written_by(rows, "another")


async def test_a_cancelled_first_statement_leaves_no_open_transaction(
    shim: WireShim, shimmed: Any, database_name: str, rows: Any
) -> None:
    """It is in a thread and reaches the server late: the abort must not overtake it."""
    ours = shimmed[database_name].rows
    await ours.find_one({})
    late = shim.plant(Fault(how=How.LATE, command="update", collection="rows", delay=0.5))

    async def change(session: Any) -> None:
        await ours.update_one({"_id": 1}, {"$set": {"by": "us"}}, session=session)

    request = asyncio.create_task(one_attempt(shimmed, seconds=30.0).run(change))
    await wait_for(late.reached.is_set, what="the statement on its way")
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    await wait_for(late.answered.is_set, what="the late statement's answer")
    await written_by(rows, "another")


async def test_a_task_that_an_attempt_began_outlives_its_limit(
    shimmed: Any, database_name: str, rows: Any
) -> None:
    ours = shimmed[database_name].rows
    begun: list[asyncio.Task[Any]] = []
    goes_on = asyncio.Event()

    async def later() -> Any:
        await goes_on.wait()
        return await ours.find_one({"_id": 1})

    async def change(session: Any) -> None:
        begun.append(asyncio.create_task(later()))
        await asyncio.Event().wait()

    with pytest.raises(Unavailable):
        async with asyncio.timeout(PATIENT_SECONDS):
            await one_attempt(shimmed, seconds=0.05).run(change)
    goes_on.set()

    assert await begun[0] == {"_id": 1, "by": "before"}


@pytest.mark.parametrize("code", [64, 79, 91, 100])
async def test_a_commit_that_stays_without_its_majority_is_done_once(
    shim: WireShim, shimmed: Any, database_name: str, rows: Any, code: int
) -> None:
    shim.plant(
        Fault(how=How.NOT_MAJORITY, command="commitTransaction", code=code, name="no", times=999)
    )
    attempts = 0

    async def change(there: Any, session: Any) -> None:
        nonlocal attempts
        attempts += 1
        await insert_once(there, {"_id": "mark"}, session)
        await there.update_one({"_id": 1}, {"$set": {"by": "us"}}, session=session)

    with pytest.raises(Unavailable):
        await Transactions(shimmed, seconds=0.3).run(partial(change, shimmed[database_name].rows))

    assert attempts == 1
    assert await rows.find_one({"_id": 1}) == {"_id": 1, "by": "us"}
    with pytest.raises(AlreadyThere):
        await transact(rows.database.client, partial(change, rows))


def stop_answering(shim: WireShim, *commands: str) -> None:
    """Give no answer to these commands in the time of a test."""
    for command in commands:
        how = How.DONE if command == "commitTransaction" else How.REFUSED
        shim.plant(Fault(how=how, command=command, code=91, delay=100.0, times=999))


@pytest.mark.parametrize("stopped", ["update", "commitTransaction"])
async def test_a_write_to_a_stopped_database_ends_soon_after_its_time(
    shim: WireShim, database_name: str, rows: Any, stopped: str
) -> None:
    """The operation has two seconds; the abort and the look-up of the commit have a short time."""
    del rows
    client = connect(shim.url, app_name="tests", timeouts=Timeouts(database=2.0))
    ours = client[database_name].rows
    await ours.find_one({})
    stop_answering(shim, stopped, "abortTransaction", "find")
    looked_up = 0

    async def change(session: Any) -> None:
        await ours.update_one({"_id": 1}, {"$set": {"by": "us"}}, session=session)

    async def committed(session: Any) -> None:
        nonlocal looked_up
        looked_up += 1
        await ours.find_one({"_id": 1}, session=session)

    attempts = 0

    async def write() -> None:
        nonlocal attempts
        attempts += 1
        with pytest.raises((Unavailable, DatabaseAway)):
            await Transactions(client, seconds=2.0, end_seconds=0.2).run(
                change, committed=committed
            )

    assert await quickest(write, under=3.8) < 3.8
    assert looked_up == (attempts if stopped == "commitTransaction" else 0)
    client.close()


async def test_a_write_that_waited_for_its_turn_has_less_time_for_an_operation(
    shim: WireShim, database_name: str, rows: Any
) -> None:
    del rows
    client = connect(shim.url, app_name="tests", timeouts=PATIENT)
    ours = client[database_name].rows
    await ours.find_one({})
    stop_answering(shim, "update", "abortTransaction")

    async def change(session: Any) -> None:
        await ours.update_one({"_id": 1}, {"$set": {"by": "us"}}, session=session)

    began = time.monotonic()
    transactions = Transactions(client, seconds=0.0, attempt_seconds=60.0, end_seconds=0.1)
    with pytest.raises(Unavailable):
        await transactions.run(change, waited=PATIENT_SECONDS)

    assert time.monotonic() - began < 15
    client.close()
