"""The marks of applied facts: one document for each, saved in the transaction of its effect."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from shared.contracts.facts import Position
from shared.indexes import Index
from shared.mongo import Database, DbSession, insert_once, majority

AppliedMark = Callable[[DbSession], Awaitable[None]]
"""Marks a fact as applied in the session of its effect; a subscriber calls it first."""

INDEXES = (
    Index(
        collection="inbox",
        keys=(("source", 1), ("epoch", 1), ("shard", 1), ("seq", 1)),
        name="position",
    ),
)
"""What the migrations of a service with an inbox need."""


class AlreadyApplied(Exception):  # noqa: N818 - nothing is wrong, the effect is there
    """The fact's effect is saved already. Let it pass: the inbox handles it."""


def mark_id(position: Position) -> str:
    """The `_id` of the mark of a row."""
    return ".".join(str(part) for part in position)


class Marks:
    """The collection `inbox`."""

    def __init__(self, database: Database) -> None:
        self._marks = majority(database, "inbox")

    async def insert(
        self, position: Position, digest: str, at: datetime, session: DbSession | None = None
    ) -> None:
        """Mark the row with this digest as applied.

        Raises:
            AlreadyThere: it is marked. The exception ends a transaction that it is raised in.
        """
        document = {"_id": mark_id(position), **position._asdict(), "digest": digest, "at": at}
        await insert_once(self._marks, document, session)

    async def digest(self, position: Position) -> str | None:
        """The digest of the row that was applied at this position, if it is known.

        Earlier versions kept none.
        """
        mark = await self._marks.find_one({"_id": mark_id(position)})
        return None if mark is None else mark.get("digest")

    async def between(self, first: Position, end: int) -> dict[int, str | None]:
        """The marks of a shard from `first` up to `end`, both included: sequence and digest."""
        shard = {"source": first.source, "epoch": first.epoch, "shard": first.shard}
        found = self._marks.find(
            {**shard, "seq": {"$gte": first.seq, "$lte": end}}, {"seq": 1, "digest": 1}
        )
        return {mark["seq"]: mark.get("digest") async for mark in found}

    async def delete(self, last: Position, *, before: datetime) -> None:
        """Delete the marks of a shard up to that of `last` that were made before the moment."""
        await self._marks.delete_many(
            {
                "source": last.source,
                "epoch": last.epoch,
                "shard": last.shard,
                "seq": {"$gt": 0, "$lte": last.seq},
                "at": {"$lt": before},
            }
        )

    async def delete_other_epochs(self, source: str, epoch: str, *, before: datetime) -> None:
        """Delete the marks of a source's other epochs that were made before the moment."""
        await self._marks.delete_many(
            {"source": source, "epoch": {"$ne": epoch}, "at": {"$lt": before}}
        )
