"""How does a row of the journal stand in the database and on the bus?"""

from shared.bus import BusMessage
from shared.contracts.facts import Position, Row
from shared.mongo import Collection, Document


async def create_indexes(collection: Collection) -> None:
    """The indexes that writing, relaying and fetching need; safe to repeat."""
    await collection.create_index([("shard", 1), ("seq", 1)], name="position", unique=True)
    await collection.create_index([("change_id", 1)], name="change")
    await collection.create_index(
        [("sent", 1), ("occurred_at", 1)], name="unsent", partialFilterExpression={"sent": False}
    )


def key(place: Row | Position) -> str:
    """The `_id` of the row at this place."""
    return f"{place.shard:02d}.{place.seq:012d}"


def document(row: Row) -> Document:
    """The row as it is stored: the event itself, and the fields that queries name."""
    return {
        "_id": key(row),
        "shard": row.shard,
        "seq": row.seq,
        "change_id": row.change_id,
        "occurred_at": row.occurred_at,
        "sent": False,
        "event": row.to_event().decode(),
    }


def read(stored: Document) -> Row:
    """The row that `document` stored."""
    return Row.from_event(stored["event"].encode())


def message(row: Row) -> BusMessage:
    """The row as the bus carries it."""
    return BusMessage(
        id=row.id,
        type=row.type,
        source=row.source,
        epoch=row.epoch,
        shard=row.shard,
        seq=row.seq,
        body=row.to_event(),
    )
