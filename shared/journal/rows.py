"""Rows of the journal as documents of the database and as messages of the bus."""

from datetime import datetime

from shared.auth.row_signatures import RowSigner, SignedRow
from shared.bus import BusMessage
from shared.contracts.facts import MAX_ROW_BYTES, Caller, Fact, Position, Row, row_digest
from shared.ids import new_id
from shared.indexes import Index
from shared.journal.writes import JournalWrite
from shared.mongo import Document

INDEXES = (
    Index(collection="journal", keys=(("shard", 1), ("seq", 1)), name="position", unique=True),
    Index(
        collection="journal",
        keys=(("sent", 1), ("occurred_at", 1)),
        name="unsent",
        partial={"sent": False},
    ),
)
"""What the migrations of each source need to write, relay and fetch rows."""
EARLIER_INDEXES = {"journal": ("change",)}
"""What earlier versions needed besides."""


def row_of(
    fact: Fact,
    position: Position,
    *,
    previous: str,
    change_id: str,
    part: int,
    parts: int,
    occurred_at: datetime,
    caller: Caller,
) -> Row:
    """The row that carries a fact at its position."""
    return Row(
        id=new_id("evt"),
        type=fact.payload.type,
        source=position.source,
        epoch=position.epoch,
        shard=position.shard,
        seq=position.seq,
        previous=previous,
        change_id=change_id,
        part=part,
        parts=parts,
        occurred_at=occurred_at,
        account_id=fact.account_id,
        account_rev=fact.account_rev,
        project_id=fact.project_id,
        resource=fact.resource,
        actor=fact.actor or caller.actor,
        request=caller.request,
        outcome=fact.outcome,
        reason=fact.reason,
        before=fact.before,
        after=fact.after,
        data=fact.payload.model_dump(mode="json"),
        policy_objects=tuple(
            policy_object.model_copy(update={"rev": position.seq})
            for policy_object in fact.policy_objects
        ),
    )


def of_write(
    write: JournalWrite, base: Position, *, change_id: str, previous: str, signer: RowSigner
) -> list[SignedRow]:
    """The signed rows of the facts of a write, after `base` and the digest of the row there.

    Raises:
        ValueError: a row is larger than a row may be.
    """
    numbered: list[SignedRow] = []
    for index, fact in enumerate(write.facts):
        row = row_of(
            fact,
            base._replace(seq=base.seq + index + 1),
            previous=numbered[-1].digest if numbered else previous,
            change_id=change_id,
            part=index + 1,
            parts=len(write.facts),
            occurred_at=write.now,
            caller=write.caller,
        )
        signed = signer.sign(row)
        if len(signed.event) > MAX_ROW_BYTES:
            raise ValueError(f"A row of {row.type} has more than {MAX_ROW_BYTES} bytes.")
        numbered.append(signed)
    return numbered


def key(place: Row | Position) -> str:
    """The `_id` of the row at this place."""
    return place_key(place.shard, place.seq)


def place_key(shard: int, seq: int) -> str:
    """The `_id` of the row at a place of a shard; keys sort as places do."""
    return f"{shard:02d}.{seq:012d}"


def document(signed: SignedRow) -> Document:
    """The stored form of a row: its event and signature, and the fields that queries use."""
    row = signed.row
    return {
        "_id": key(row),
        "shard": row.shard,
        "seq": row.seq,
        "change_id": row.change_id,
        "occurred_at": row.occurred_at,
        "sent": False,
        "event": signed.event.decode(),
        "signature": signed.signature,
    }


def read(stored: Document) -> SignedRow:
    """Read a row that `document` made."""
    event = stored["event"].encode()
    return SignedRow(
        row=Row.from_event(event),
        event=event,
        signature=stored["signature"],
        digest=row_digest(event),
    )


def message(signed: SignedRow, traceparent: str | None = None) -> BusMessage:
    """The message that carries a row, and the span of what wrote it."""
    row = signed.row
    return BusMessage(
        id=row.id,
        type=row.type,
        source=row.source,
        epoch=row.epoch,
        shard=row.shard,
        seq=row.seq,
        body=signed.event,
        signature=signed.signature,
        traceparent=traceparent or "",
    )
