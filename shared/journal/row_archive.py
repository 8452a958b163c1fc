"""What questions about the past need of rows that have left the journal."""

import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from shared.contracts.facts import Row, format_revision
from shared.contracts.policy_objects import PolicyObject
from shared.journal import rows
from shared.mongo import Database, Document, insert_missing, majority

ARCHIVE = "journal_archive"
IDS_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRow:
    """The revision of a row, and the states that it gave: neither who acted nor what they said."""

    revision: str
    policy_objects: tuple[PolicyObject, ...]

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return what is needed of a row."""
        return cls(revision=format_revision(row.position), policy_objects=row.policy_objects)


class RowArchive:
    """The collection `journal_archive`; the states are compressed."""

    def __init__(self, database: Database) -> None:
        self._rows = majority(database, ARCHIVE)

    async def add(self, found: Sequence[Row]) -> None:
        """Keep rows; safe to repeat."""
        if found:
            await insert_missing(self._rows, [_document(row) for row in found])

    async def rows_at(self, shard: int, seqs: Sequence[int]) -> dict[int, PastRow]:
        """Those of the rows of a shard that are kept, by sequence."""
        found: dict[int, PastRow] = {}
        for start in range(0, len(seqs), IDS_AT_ONCE):
            keys = [rows.place_key(shard, seq) for seq in seqs[start : start + IDS_AT_ONCE]]
            part = self._rows.find({"shard": shard, "_id": {"$in": keys}})
            found |= {row["seq"]: _past_row(row) async for row in part}
        return found

    async def oldest_at(self, shard: int) -> datetime | None:
        """The time of the first row of a shard that is kept."""
        wanted = {"shard": shard, "_id": {"$gt": rows.place_key(shard, 0)}}
        found = self._rows.find(wanted, {"occurred_at": 1}).sort("_id", 1)
        return next((row["occurred_at"] for row in await found.limit(1).to_list(1)), None)

    async def delete(self, shard: int, seq: int) -> None:
        """Delete a row that no question needs."""
        await self._rows.delete_one({"shard": shard, "_id": rows.place_key(shard, seq)})


class PastRows:
    """The rows that are kept, in the journal or in the archive."""

    def __init__(self, database: Database) -> None:
        self._rows = majority(database, "journal")
        self._archive = RowArchive(database)

    async def at(self, shard: int, seqs: Collection[int]) -> dict[int, PastRow]:
        """Those of the rows of a shard that are kept, by sequence."""
        found: dict[int, PastRow] = {}
        wanted = sorted(seqs)
        for start in range(0, len(wanted), IDS_AT_ONCE):
            part = {"shard": shard, "seq": {"$in": wanted[start : start + IDS_AT_ONCE]}}
            found |= {
                stored["seq"]: PastRow.of(rows.read(stored).row)
                async for stored in self._rows.find(part)
            }
        if len(found) < len(wanted):  # a row is in the archive before it leaves the journal
            missing = [seq for seq in wanted if seq not in found]
            found |= await self._archive.rows_at(shard, missing)
        return found


def _document(row: Row) -> Document:
    objects = [each.model_dump(mode="json") for each in row.policy_objects]
    return {
        "_id": rows.key(row),
        "shard": row.shard,
        "seq": row.seq,
        "revision": format_revision(row.position),
        "occurred_at": row.occurred_at,
        "policy_objects": zlib.compress(json.dumps(objects).encode()),
    }


def _past_row(stored: Document) -> PastRow:
    objects = json.loads(zlib.decompress(stored["policy_objects"]))
    return PastRow(
        revision=stored["revision"],
        policy_objects=tuple(map(PolicyObject.model_validate, objects)),
    )
