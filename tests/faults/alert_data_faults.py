"""Faults of what is stored: rows that an administrator of the database adds, takes or changes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from shared.contracts.facts import shard_of
from shared.ids import new_id
from tests.faults.alert_drill import Drill, asking, rename
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHECKPOINTS = "checkpoints"
"""The folder of checkpoints, within that of the product."""


@asynccontextmanager
async def a_fact_set_aside(drill: Drill) -> AsyncIterator[None]:
    """A fact waits for an operator."""
    dead = drill.collection("audit", "inbox_dead")
    await asyncio.to_thread(dead.insert_one, {"_id": "drill"})
    try:
        yield
    finally:
        await asyncio.to_thread(dead.delete_one, {"_id": "drill"})


@asynccontextmanager
async def a_damaged_account(drill: Drill) -> AsyncIterator[None]:
    """An account whose deletion is due cannot be read."""
    accounts = drill.collection("team", "accounts")
    account_id = new_id("acc")
    damaged = {
        "_id": account_id,
        "shard": shard_of(account_id),
        "status": "deleting",
        "deletes_at": datetime.now(UTC) - timedelta(days=1),
    }
    await asyncio.to_thread(accounts.insert_one, damaged)
    try:
        yield
    finally:
        await asyncio.to_thread(accounts.delete_one, {"_id": account_id})


@asynccontextmanager
async def a_damaged_user(drill: Drill) -> AsyncIterator[None]:
    """The row of a user lacks its name."""
    users = drill.collection("identity", "users")
    user_id = drill.team.link.user_id
    wanted = {"_id": user_id, "shard": shard_of(user_id)}
    name = (await asyncio.to_thread(users.find_one, wanted))["name"]
    await asyncio.to_thread(users.update_one, wanted, {"$unset": {"name": ""}})
    try:
        async with asking(drill, partial(drill.team.link.send_once, "GET", "/v1/me"), pause=0.5):
            yield
    finally:
        await asyncio.to_thread(users.update_one, wanted, {"$set": {"name": name}})


@asynccontextmanager
async def a_sealer_that_is_gone(drill: Drill) -> AsyncIterator[None]:
    """A process that is gone has been elected for a long term."""
    offices = drill.collection("audit", "elections")
    stuck = {"holder": "prc_gone", "until": datetime.now(UTC) + timedelta(hours=1)}
    await asyncio.to_thread(offices.update_one, {"_id": "sealer"}, {"$set": stuck})
    try:
        async with asking(drill, partial(rename, drill), pause=1):
            yield
    finally:
        await asyncio.to_thread(offices.delete_one, {"_id": "sealer"})


@asynccontextmanager
async def an_altered_tree(drill: Drill) -> AsyncIterator[None]:
    """Someone with the rights of the database changes a tree of the audit log."""
    trees = drill.collection("audit", "trees")
    tree = await asyncio.to_thread(trees.find_one, {"_id": drill.team.account_id})
    altered = [bytes(32) for _ in tree["peaks"]]
    await asyncio.to_thread(trees.update_one, {"_id": tree["_id"]}, {"$set": {"peaks": altered}})
    async with asking(drill, partial(rename, drill), pause=1):
        yield


@asynccontextmanager
async def a_file_that_cannot_be_read(drill: Drill) -> AsyncIterator[None]:
    """A folder stands where the checkpoints of a log were."""
    folder, name = drill.product.folder / CHECKPOINTS, f"{drill.team.account_id}.jsonl"
    async with asking(drill, partial(rename, drill), pause=1):
        file = await wait_for(lambda: next(folder.rglob(name), None), what="a first checkpoint")
    kept = file.rename(file.with_suffix(".kept"))
    file.mkdir()
    try:
        async with asking(drill, partial(rename, drill), pause=1):
            yield
    finally:
        file.rmdir()
        kept.rename(file)
