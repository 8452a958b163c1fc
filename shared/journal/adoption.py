"""Documents that a replica of an earlier version wrote beside this version, without their shard.

During an update both versions write to one database. A write of this version advances a mark in
the head of its shard; a write of an earlier version does not. Where mark and head differ, an
earlier replica may have written documents that this version would not find.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from shared.mongo import (
    Collection,
    Database,
    DatabaseWatch,
    DbClient,
    DbSession,
    Document,
    majority,
    transact,
    update_expected,
)

ADOPTION_SECONDS = 1.0
"""The pause between two looks: a read may miss a document of an earlier replica for this long."""
MARK = "sharded_seq"
"""The last sequence of a head as of which every document of the shard carries its number."""

Adopt = Callable[[int, DbSession], Awaitable[None]]
"""Gives the documents of a shard that carry no number theirs."""


class Adoption:
    """Lets the documents of earlier replicas be found; `run` is a supervised loop."""

    def __init__(self, client: DbClient, database: Database, adopt: Adopt) -> None:
        self._client = client
        self._heads = majority(database, "heads")
        self._adopt = adopt
        self._watch = DatabaseWatch(
            "Documents of earlier replicas are not found.", transactions=True
        )

    async def before(self, head: Document, session: DbSession) -> None:
        """Adopt in a transaction that has read the head, before it reads anything else."""
        if _behind(head):
            await self._adopt(head["_id"], session)

    async def run(self) -> None:
        """Adopt again and again, for reads. Never ends."""
        while True:
            with self._watch.round():
                await self.adopt_all()
            await asyncio.sleep(ADOPTION_SECONDS)

    async def adopt_all(self) -> None:
        """Adopt in every shard in which an earlier replica has written."""
        heads = [head async for head in self._heads.find({"last_seq": {"$gt": 0}})]
        for shard in (head["_id"] for head in heads if _behind(head)):
            await transact(self._client, partial(self._mark, shard))

    async def _mark(self, shard: int, session: DbSession) -> None:
        head = await self._heads.find_one({"_id": shard}, session=session)
        if head is None or not _behind(head):
            return
        await self._adopt(shard, session)
        seq = head["last_seq"]
        expected = {"_id": shard, "last_seq": seq}
        await update_expected(self._heads, expected, {"$set": {MARK: seq}}, session)


def _behind(head: Document) -> bool:
    return bool(head.get(MARK, 0) != head["last_seq"])


async def unnumbered(
    collection: Collection, *, after: str, limit: int, session: DbSession | None
) -> list[Document]:
    """Find the next documents without a number, in the order of their `_id`."""
    wanted = {"shard": None, "_id": {"$gt": after}}
    found = collection.find(wanted, session=session).sort("_id", 1)
    return await found.limit(limit).to_list(limit)
