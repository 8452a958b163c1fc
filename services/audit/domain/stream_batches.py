"""The batches that streams send: JSON Lines, each batch an export of neighbouring records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.audit.domain.exports import json_line
from services.audit.domain.streams import LogStream
from services.audit.domain.tails import TailPlace
from shared.contracts.facts import content_time

MAX_RECORDS = 100
MAX_BYTES = 1024 * 1024
"""Of the records of a batch; one that is larger by itself is a batch of its own."""


@dataclass(frozen=True, kw_only=True)
class StreamBatch:
    """A batch, and the place behind its records."""

    body: bytes
    place: TailPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLine:
    """A line of a batch, and the place behind its record."""

    text: str
    place: TailPlace
    is_record: bool


def batch_of(
    stream: LogStream,
    lines: Sequence[StreamLine],
    *,
    size: int,
    checkpoint: str | None,
    now: datetime,
) -> StreamBatch:
    """Make the batch of the first lines that fit into one; `checkpoint` is that of `size`."""
    taken: list[StreamLine] = []
    held = 0
    for line in lines:
        held += len(line.text.encode())
        if taken and held > MAX_BYTES:
            break
        taken.append(line)
    head = {
        "type": "export",
        "version": 1,
        "order": "place",
        "stream_id": stream.id,
        "account_id": stream.account_id,
        "taken_at": content_time(now),
        "filters": {},
        "after": stream.last,
        "first": stream.size,
        "size": size,
        "checkpoint": checkpoint,
    }
    end = {"type": "end", "records": sum(line.is_record for line in taken)}
    texts = [json_line(head), *(line.text for line in taken), json_line(end)]
    return StreamBatch(body="".join(texts).encode(), place=taken[-1].place)


def trial_batch(stream: LogStream, *, now: datetime) -> bytes:
    """The batch of a test: one line, and no record."""
    told = {
        "type": "test",
        "version": 1,
        "stream_id": stream.id,
        "account_id": stream.account_id,
        "taken_at": content_time(now),
    }
    return json_line(told).encode()
