"""What trimming reads and writes in a source's database."""

from datetime import datetime
from typing import NamedTuple

from shared.contracts.calls.journal import ConfirmedRows
from shared.journal.shard_rows import TRIMMED, TRIMMED_SIGNATURE
from shared.journal.trim_rules import Confirmation, RowAge
from shared.journal.trim_words import TrimWords
from shared.mongo import Database, DbClient, DbSession, Document, majority, transact

CONFIRMATIONS = "journal_confirmations"


class ShardSize(NamedTuple):
    """The last row of a shard, and the one up to which it is trimmed."""

    shard: int
    head: int
    trimmed: int
    believed: bool = True
    """Whether this source has signed that place."""

    @property
    def rows(self) -> int:
        """The number of rows that are kept."""
        return self.head - self.trimmed


class TrimRows:
    """The collections `heads`, `journal` and `journal_confirmations`."""

    def __init__(self, client: DbClient, database: Database, words: TrimWords) -> None:
        self._client = client
        self._words = words
        self._heads = majority(database, "heads")
        self._rows = majority(database, "journal")
        self._confirmations = majority(database, CONFIRMATIONS)

    async def confirm(self, consumer: str, rows: ConfirmedRows, *, at: datetime) -> None:
        """Save what a consumer says; the last word counts."""
        said: Document = {
            "epoch": rows.epoch,
            "places": {str(shard): seq for shard, seq in rows.places.items()},
            "holds": rows.holds,
            "missed": rows.missed,
            "at": at,
        }
        said["signature"] = self._words.sign_confirmation(consumer, said)
        await self._confirmations.update_one({"_id": consumer}, {"$set": said}, upsert=True)

    async def confirmations(self) -> dict[str, Confirmation]:
        """What each consumer has said last; what it did not say does not count."""
        return {
            each["_id"]: _confirmation(each)
            async for each in self._confirmations.find({})
            if self._words.said_confirmation(each)
        }

    async def sizes(self) -> tuple[str, list[ShardSize]]:
        """The epoch, and the shards that have rows."""
        heads = {head["_id"]: head async for head in self._heads.find({})}
        epoch = heads.pop("epoch", {}).get("epoch", "")
        found = [self._size(epoch, head) for head in heads.values() if head["last_seq"]]
        return epoch, sorted(found)

    def _size(self, epoch: str, head: Document) -> ShardSize:
        shard, place = head["_id"], head.get(TRIMMED, 0)
        signature = head.get(TRIMMED_SIGNATURE, "")
        believed = not place or self._words.said_place(epoch, shard, place, signature)
        return ShardSize(shard, head["last_seq"], place, believed)

    async def ages(self, shard: int, *, after: int = 0, limit: int) -> list[RowAge]:
        """The first rows of a shard, or those after a place."""
        wanted = {"shard": shard, "seq": {"$gt": after}}
        found = self._rows.find(wanted, {"seq": 1, "sent": 1, "occurred_at": 1}).sort("seq", 1)
        return [
            RowAge(row["seq"], row["sent"], row["occurred_at"]) async for row in found.limit(limit)
        ]

    async def note_trimmed(self, epoch: str, shard: int, place: int) -> bool:
        """Note that the rows of a shard up to a place are deleted from now on.

        The note never goes back.

        Returns:
            Whether it was noted: not if the epoch is over.
        """

        async def note(session: DbSession) -> bool:
            present = await self._heads.find_one({"_id": "epoch"}, session=session)
            if present is None or present["epoch"] != epoch:
                return False
            further = {"_id": shard, TRIMMED: {"$not": {"$gt": place}}}
            signature = self._words.sign_place(epoch, shard, place)
            noted = {"$set": {TRIMMED: place, TRIMMED_SIGNATURE: signature}}
            await self._heads.update_one(further, noted, session=session)
            return True

        return await transact(self._client, note)

    async def delete(self, shard: int, *, place: int, before: datetime) -> int:
        """Delete the rows of a shard up to a place; return how many there were.

        It names once more what may be deleted: a process may be paused before it, for any time.
        """
        wanted = {
            "shard": shard,
            "seq": {"$gt": 0, "$lte": place},
            "sent": True,
            "occurred_at": {"$lt": before},
        }
        return (await self._rows.delete_many(wanted)).deleted_count


def _confirmation(stored: Document) -> Confirmation:
    return Confirmation(
        consumer=stored["_id"],
        epoch=stored["epoch"],
        places={int(shard): seq for shard, seq in stored["places"].items()},
        holds=frozenset(stored["holds"]),
        missed=stored["missed"],
        at=stored["at"],
    )
