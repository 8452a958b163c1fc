"""Rows that a source had deleted before they were applied here: they are passed, and told.

A source deletes a row when every consumer has confirmed it, and signs up to where it has. So this
happens to a service that was restored to a moment before that, to one that lost its database, and
to a new one.
"""

import logging
from collections.abc import Sequence

from shared import context, metrics
from shared.contracts.calls.journal import FormerEpoch, Heads
from shared.contracts.facts import Position
from shared.inbox.marks import Marks
from shared.inbox.progress import MissedRows, Progress
from shared.row_verifier import RowVerifier

MOST_TOLD = 16
"""The shards that a line of the log names at most."""

_log = logging.getLogger(__name__)


async def pass_trimmed(
    progress: Progress, marks: Marks, verifier: RowVerifier, source: str, told: Heads | FormerEpoch
) -> None:
    """Go on after the rows of an epoch that its source has deleted, and tell which were missed.

    A place that the source did not sign is not passed: the rows before it stay missing.
    """
    if not progress.below(source, told.trimmed):
        return
    await progress.reload(source)
    epoch, trimmed = (
        told.epoch,
        _signed(verifier, source, told, progress.below(source, told.trimmed)),
    )
    missed: list[MissedRows] = []
    for shard in progress.below(source, trimmed):
        first = Position(source, epoch, shard, progress.contiguous[source, shard] + 1)
        last = trimmed[shard]
        rows = last - first.seq + 1 - await marks.count_between(first, last)
        if rows:
            missed.append(MissedRows(epoch, shard, first.seq, last, rows))
    if missed:
        await progress.save_missed(source, missed)
        _tell(source, epoch, missed)
    for shard in progress.below(source, trimmed):
        progress.contiguous[source, shard] = trimmed[shard]


def _signed(
    verifier: RowVerifier, source: str, told: Heads | FormerEpoch, shards: Sequence[int]
) -> dict[int, int]:
    places = (Position(source, told.epoch, shard, told.trimmed[shard]) for shard in shards)
    signatures = told.trimmed_signatures
    return {
        place.shard: place.seq
        for place in places
        if verifier.trimmed(place, signatures.get(place.shard, ""))
    }


def _tell(source: str, epoch: str, missed: list[MissedRows]) -> None:
    places = ", ".join(f"{one.shard}: {one.first}-{one.last}" for one in missed[:MOST_TOLD])
    told = {"source": source, "epoch": epoch, "places": places, "shards": len(missed)}
    rows = sum(one.rows for one in missed)
    _log.error(
        "A source had deleted rows before they were applied here.", extra={**told, "rows": rows}
    )
    metrics.MISSED_ROWS.labels(context.service.get(), source).inc(rows)
