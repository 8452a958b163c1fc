"""Writes that remain when the database or its client is killed."""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pymongo
import pytest
from pymongo.errors import OperationFailure, PyMongoError

from shared import mongo
from shared.timeouts import Timeouts
from tests.store.conftest import CONCERNS, connect
from tests.waiting import quickest, wait_for

KILLS = 10
WRITERS = 4
START_SECONDS = 60


async def test_no_acknowledged_transaction_is_lost_and_none_is_half_there(private_database):
    seed = int(os.environ.get("ROLECALL_TEST_SEED", "20260101"))
    dice = random.Random(seed)
    server = private_database()
    client = connect(server.url, timeout_ms=3000)
    db = client.crashes
    with pymongo.timeout(START_SECONDS):
        await db.heads.insert_many([{"_id": number, "seq": 0} for number in range(WRITERS)])
    acknowledged: set[tuple[object, object]] = set()
    names = itertools.count()
    stop = asyncio.Event()

    async def writer(number):
        while not stop.is_set():
            async with await client.start_session() as session:
                try:
                    async with session.start_transaction(**CONCERNS):
                        head = await db.heads.find_one({"_id": number}, session=session)
                        seq = head["seq"] + 1
                        await db.heads.update_one(
                            {"_id": number, "seq": seq - 1}, {"$set": {"seq": seq}}, session=session
                        )
                        # A sequence that was lost would be given again: the row has its own name.
                        row = {"_id": f"{number}.{seq}", "name": next(names)}
                        await db.left.insert_one(row, session=session)
                        await db.right.insert_one(row, session=session)
                except PyMongoError:
                    continue
            acknowledged.add((row["_id"], row["name"]))

    async def reach(goal, what):
        await wait_for(lambda: len(acknowledged) >= goal, what=what)

    writers = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
    for kill in range(KILLS):
        goal = len(acknowledged) + dice.randrange(5, 60)
        await reach(goal, f"seed {seed}, kill {kill}")
        server.kill()
        await asyncio.to_thread(server.start)
    goal = len(acknowledged) + 5
    await reach(goal, f"seed {seed}, after the last kill")
    stop.set()
    await asyncio.gather(*writers)

    with pymongo.timeout(START_SECONDS):
        heads = await db.heads.find({}).to_list(None)
        left = {(row["_id"], row["name"]) async for row in db.left.find({})}
        right = {(row["_id"], row["name"]) async for row in db.right.find({})}
    sequences = {f"{head['_id']}.{seq}" for head in heads for seq in range(1, head["seq"] + 1)}
    client.close()
    assert acknowledged - left == set(), f"seed {seed}"
    assert left == right, f"seed {seed}"
    assert {row_id for row_id, _ in left} == sequences, f"seed {seed}"


async def test_a_commit_repeated_after_a_restart_does_not_say_it_was_done(
    private_database,
):
    """Why a change looks for its own id before it runs again.

    MongoDB remembers the commit and answers it as done; SecantusDB says that there is no such
    transaction and that it should run again. What is stored must be the same: once.
    """
    server = private_database()
    client = connect(server.url)
    db = client.crashes
    await db.journal.insert_one({"_id": "before"})
    async with await client.start_session() as session:
        session.start_transaction(**CONCERNS)
        await db.journal.insert_one({"_id": "change-1"}, session=session)
        await session.commit_transaction()
        await session.commit_transaction()
        server.kill()
        await asyncio.to_thread(server.start)

        try:
            await session.commit_transaction()
            answer = None
        except OperationFailure as refused:
            answer = (refused.code, refused.has_error_label("TransientTransactionError"))

    assert answer in (None, (251, True))
    assert await db.journal.find_one({"_id": "change-1"}) == {"_id": "change-1"}
    client.close()


async def test_a_client_reconnects_by_itself_within_its_deadline(private_database):
    server = private_database()
    client = connect(server.url, timeout_ms=START_SECONDS * 1000)
    await client.crashes.rows.insert_one({"_id": 1})

    server.kill()
    waiting = asyncio.ensure_future(client.crashes.rows.find_one({"_id": 1}))
    await asyncio.to_thread(server.start)

    assert await waiting == {"_id": 1}
    client.close()


async def test_a_dead_database_costs_no_more_than_the_deadline(private_database):
    server = private_database()
    client = mongo.connect(server.url, app_name="tests", timeouts=Timeouts(database=0.5))
    with pymongo.timeout(START_SECONDS):
        await client.crashes.rows.insert_one({"_id": 1})
    server.kill()

    async def ask():
        # The driver tells either the time that ran out or the connection that broke before it.
        with pytest.raises(mongo.DatabaseAway):
            await client.crashes.rows.insert_one({"_id": 2})

    assert await quickest(ask, under=3) < 3
    began = time.monotonic()
    client.close()  # asks for a server once more
    assert time.monotonic() - began < 15


def stopped(pid: int) -> bool:
    """Whether each thread of the process has stopped: a signal takes a moment to reach it."""
    states = [
        task.joinpath("stat").read_text().rpartition(")")[2].split()[0]
        for task in Path(f"/proc/{pid}/task").iterdir()
    ]
    return set(states) == {"T"}


async def test_a_stopped_server_costs_no_more_than_the_deadline(private_database):
    server = private_database()
    client = mongo.connect(server.url, app_name="tests", timeouts=Timeouts(database=0.5))
    with pymongo.timeout(START_SECONDS):
        await client.crashes.rows.insert_one({"_id": 1})

    async def ask():
        with pytest.raises(mongo.DatabaseAway):
            await client.crashes.rows.find_one({"_id": 1})

    os.killpg(server.pid, signal.SIGSTOP)
    await wait_for(lambda: stopped(server.pid), what="a stopped server")
    try:
        assert await quickest(ask, under=3) < 3
    finally:
        os.killpg(server.pid, signal.SIGCONT)
    client.close()


KILLED_INSIDE = """
import os, signal, sys
from pymongo import MongoClient
client = MongoClient(sys.argv[1])
session = client.start_session()
session.start_transaction()
client.crashes.accounts.update_one({"_id": "a"}, {"$set": {"by": "dead"}}, session=session)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_a_client_killed_in_a_transaction_blocks_its_rows_for_seconds_only(
    private_database,
):
    server = private_database()
    client = connect(server.url, timeout_ms=120_000)
    await client.crashes.accounts.insert_one({"_id": "a", "by": "unknown"})
    dead = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED_INSIDE, server.url], check=False
    )
    assert dead.returncode == -signal.SIGKILL

    async def work(session):
        row = await client.crashes.accounts.find_one({"_id": "a"}, session=session)
        await client.crashes.accounts.update_one(
            {"_id": "a"}, {"$set": {"by": "living", "after": row["by"]}}, session=session
        )

    began = time.monotonic()
    async with await client.start_session() as session:
        await session.with_transaction(work, **CONCERNS)

    assert time.monotonic() - began < 15
    row = await client.crashes.accounts.find_one({"_id": "a"})
    assert row == {"_id": "a", "by": "living", "after": "unknown"}
    client.close()
