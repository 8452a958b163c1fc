"""How does a row of the journal stand in the database and on the bus?"""

from shared.bus import BusMessage
from shared.contracts.facts import Position, Row
from shared.indexes import Index
from shared.mongo import Document

INDEXES = (
    Index(collection="journal", keys=(("shard", 1), ("seq", 1)), name="position", unique=True),
    Index(collection="journal", keys=(("change_id", 1),), name="change"),
    Index(
        collection="journal",
        keys=(("sent", 1), ("occurred_at", 1)),
        name="unsent",
        partial={"sent": False},
    ),
)
"""What writing, relaying and fetching rows need; part of each source's migrations."""


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
