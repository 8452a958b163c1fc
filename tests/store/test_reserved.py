"""Operations of a reserved client do not wait for those of other clients (T19)."""

import asyncio
import sys
import threading

import pytest

from shared.mongo import RESERVED_WORKERS, WORKERS, connect, connect_reserved, majority, transact
from tests.patience import PATIENT
from tests.support.workers import hold


@pytest.fixture
def held():
    """Work that holds each worker of the driver until it is released."""
    event = threading.Event()
    yield event
    event.set()


MACHINE_OF_64 = """
import multiprocessing
multiprocessing.cpu_count = lambda: 64
import shared.mongo
from motor.frameworks.asyncio import _EXECUTOR
print(_EXECUTOR._max_workers)
"""


@pytest.mark.rule("T19")
@pytest.mark.parametrize(("given", "workers"), [(None, WORKERS), ("3", 3)])
async def test_the_product_sets_the_workers_of_the_driver(
    monkeypatch: pytest.MonkeyPatch, given: str | None, workers: int
):
    """On a large machine the driver would have five for each processor."""
    monkeypatch.delenv("MOTOR_MAX_WORKERS", raising=False)
    if given is not None:
        monkeypatch.setenv("MOTOR_MAX_WORKERS", given)
    command = [sys.executable, "-c", MACHINE_OF_64]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert told.decode().strip() == str(workers)


@pytest.mark.rule("T19")
async def test_a_lease_is_written_while_requests_hold_every_worker(mongo_url, database_name, held):
    public = connect(mongo_url, app_name="test", timeouts=PATIENT)
    reserved = connect_reserved(mongo_url, app_name="test", timeouts=PATIENT)
    tasks = await hold(public, held, WORKERS)
    waiting = asyncio.ensure_future(public[database_name]["rows"].find_one({}))
    rows = majority(reserved[database_name], "rows")
    async with asyncio.timeout(30):
        await rows.insert_one({"_id": 1})
        async with await reserved.start_session(causal_consistency=True) as session:
            assert [row async for row in rows.find({}, session=session)] == [{"_id": 1}]

        async def change(session):
            await rows.update_one({"_id": 1}, {"$set": {"n": 2}}, session=session)

        await transact(reserved, change)
    assert not waiting.done()
    held.set()
    assert await waiting == {"_id": 1, "n": 2}
    await asyncio.gather(*tasks)
    public.close()
    reserved.close()


async def test_requests_are_answered_while_the_reserved_workers_are_held(
    mongo_url, database_name, held
):
    public = connect(mongo_url, app_name="test", timeouts=PATIENT)
    reserved = connect_reserved(mongo_url, app_name="test", timeouts=PATIENT)
    tasks = await hold(reserved, held, RESERVED_WORKERS)
    async with asyncio.timeout(30):
        assert await public[database_name]["rows"].find_one({}) is None
    held.set()
    await asyncio.gather(*tasks)
    public.close()
    reserved.close()


async def test_a_session_starts_while_every_worker_is_held(mongo_url, held):
    client = connect(mongo_url, app_name="test", timeouts=PATIENT)
    tasks = await hold(client, held, WORKERS)
    async with asyncio.timeout(30), await client.start_session() as session:
        assert not session.delegate.has_ended
    held.set()
    await asyncio.gather(*tasks)
    client.close()
