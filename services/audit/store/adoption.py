"""The migration step that gives records of earlier versions what they are found by."""

from typing import Any

from pymongo import UpdateOne

from services.audit.domain.records import Record
from services.audit.domain.search_terms import terms_of
from services.audit.store.records import record_in
from shared.mongo import Database, Document, majority

BATCH_SIZE = 500


async def add_terms(database: Database) -> None:
    """Give each record its terms, batch after batch; what it says does not change."""
    records = majority(database, "records")
    after = ""
    while True:
        found = records.find({"_id": {"$gt": after}}).sort("_id", 1).limit(BATCH_SIZE)
        rows: list[dict[str, Any]] = await found.to_list(BATCH_SIZE)
        writes = [
            UpdateOne({"_id": row["_id"]}, {"$set": _added(record_in(row))})
            for row in rows
            if "terms" not in row
        ]
        if writes:
            await records.bulk_write(writes)
        if len(rows) < BATCH_SIZE:
            return
        after = rows[-1]["_id"]


def _added(record: Record) -> Document:
    return {"actor_id": record.actor.id, "terms": terms_of(record)}
