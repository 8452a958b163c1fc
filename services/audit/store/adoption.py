"""The migration steps for what earlier versions have stored."""

from datetime import UTC, datetime
from typing import Any

from pymongo import UpdateOne

from services.audit.domain.records import Record
from services.audit.domain.seal_gaps import Gap, gaps
from services.audit.domain.search_terms import terms_of
from services.audit.store.erasures import VERSION
from services.audit.store.people import FAR_FUTURE
from services.audit.store.records import record_in
from services.audit.store.seal_gaps import gap_document, within
from shared.contracts.facts import Position
from shared.mongo import Database, Document, insert_missing, majority

BATCH_SIZE = 500
SEALED_BATCH_SIZE = 100
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When they were erased is not known: what names them by an address only is not theirs for sure."""


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


async def note_gaps(database: Database) -> None:
    """Note the rows without a seal that sealers of an earlier version have passed."""
    async for place in majority(database, "seal_progress").find({}):
        await _note_gaps(
            database, Position(place["source"], place["epoch"], place["shard"], 0), place["seq"]
        )


async def _note_gaps(database: Database, after: Position, last: int) -> None:
    """Note the gaps of one shard behind a place, up to the row `last`."""
    records, seals = majority(database, "records"), majority(database, "seals")
    while after.seq < last:
        rest = Gap(after.source, after.epoch, after.shard, after.seq + 1, last)
        found = records.find(within(rest), {"position.seq": 1}).sort("position.seq", 1)
        page = await found.limit(SEALED_BATCH_SIZE).to_list(SEALED_BATCH_SIZE)
        places = {record["_id"]: record["position"]["seq"] for record in page}
        sealed = [seal["_id"] async for seal in seals.find({"_id": {"$in": list(places)}})]
        end = max(places.values()) if len(page) == SEALED_BATCH_SIZE else last
        passed = gaps(after, end, sorted(places[each] for each in sealed))
        if documents := list(map(gap_document, passed)):
            await insert_missing(majority(database, "seal_gaps"), documents)
        after = after._replace(seq=end)


async def note_erased(database: Database) -> None:
    """Note the users who were erased before their values in records were."""
    await insert_missing(majority(database, "erasure_state"), [{"_id": VERSION, "version": 1}])
    async for user in majority(database, "people").find({"as_of": FAR_FUTURE}, {"_id": 1}):
        person: Document = {
            "_id": user["_id"],
            "at": LONG_AGO,
            "noted_at": LONG_AGO,
            "open": True,
            "version": 1,
            **{name: [] for name in ("addresses", "names", "lengths", "accounts")},
        }
        await insert_missing(majority(database, "erasures"), [person])
