"""Rows that have left the journal, and that questions about the past still need."""

import zlib
from collections.abc import Sequence

from shared.auth.row_signatures import SignedRow
from shared.contracts.facts import Row
from shared.journal import rows
from shared.mongo import Database, Document, insert_missing, majority

ARCHIVE = "journal_archive"
IDS_AT_ONCE = 100


class RowArchive:
    """The collection `journal_archive`: each row with its signature, its event compressed."""

    def __init__(self, database: Database) -> None:
        self._rows = majority(database, ARCHIVE)

    async def add(self, signed: Sequence[SignedRow]) -> None:
        """Keep rows; safe to repeat."""
        if signed:
            await insert_missing(self._rows, [_document(each) for each in signed])

    async def rows_at(self, shard: int, seqs: Sequence[int]) -> dict[int, Row]:
        """Those of the rows of a shard that are kept, by sequence."""
        found: dict[int, Row] = {}
        for start in range(0, len(seqs), IDS_AT_ONCE):
            keys = [rows.place_key(shard, seq) for seq in seqs[start : start + IDS_AT_ONCE]]
            part = self._rows.find({"shard": shard, "_id": {"$in": keys}})
            found |= {row["seq"]: _row(row) async for row in part}
        return found

    async def oldest(self, shard: int) -> Row | None:
        """The first row of a shard that is kept."""
        wanted = {"shard": shard, "_id": {"$gt": rows.place_key(shard, 0)}}
        found = await self._rows.find(wanted).sort("_id", 1).limit(1).to_list(1)
        return _row(found[0]) if found else None


def _document(signed: SignedRow) -> Document:
    row = signed.row
    return {
        "_id": rows.key(row),
        "shard": row.shard,
        "seq": row.seq,
        "occurred_at": row.occurred_at,
        "packed": zlib.compress(signed.event),
        "signature": signed.signature,
    }


def _row(stored: Document) -> Row:
    return Row.from_event(zlib.decompress(stored["packed"]))
