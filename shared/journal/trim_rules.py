"""Which rows of a journal may be deleted: those that no consumer needs, from the beginning on."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

FRESH = timedelta(minutes=10)
"""The age up to which a confirmation counts: a consumer may be restored to an earlier moment."""


class RowAge(NamedTuple):
    """What decides of a row whether it may be deleted."""

    seq: int
    sent: bool
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """Up to where a consumer needs no row of each shard any more, as it said last."""

    consumer: str
    epoch: str | None
    places: dict[int, int]
    holds: frozenset[str]
    """The epochs of which it still needs rows."""
    missed: int
    at: datetime

    def counts(self, now: datetime) -> bool:
        """Return whether it was said lately."""
        return now - self.at <= FRESH


def confirmed_place(
    said: Confirmation | None, *, epoch: str, shard: int, head: int, now: datetime
) -> int:
    """The last row of a shard that a consumer does not need any more; 0 if that is not known.

    What it says of rows that do not exist is not about this history, and does not count.
    """
    if said is None or not said.counts(now) or said.epoch != epoch or epoch in said.holds:
        return 0
    place = said.places.get(shard, 0)
    return place if place <= head else 0


def trimmed_place(rows: Sequence[RowAge], *, after: int, confirmed: int, before: datetime) -> int:
    """The row up to which a shard may be deleted, from these rows that follow `after`.

    A row goes if it is sent, confirmed, from before the moment, and so is the row after it: what
    was the head of a shard is kept equally long, and the head itself always. The first row that
    must stay keeps all after it. A hole is not passed: a row that is lost is not a row to delete.
    """
    place = after
    for row, following in itertools.pairwise(rows):
        neighbours = row.seq == place + 1 and following.seq == row.seq + 1
        old = row.occurred_at < before and following.occurred_at < before
        if not (neighbours and old and row.sent and row.seq <= confirmed):
            break
        place = row.seq
    return place


def former_epoch_is_over(
    epoch: str,
    former: Sequence[str],
    said: Iterable[Confirmation | None],
    *,
    ended_at: datetime,
    before: datetime,
    now: datetime,
) -> bool:
    """Return whether no consumer needs a row of a former epoch any more.

    `former` are the former epochs in the order of their ends.
    """
    needed_by = {None, *former[: former.index(epoch) + 1]}
    return ended_at < before and all(
        one is not None
        and one.counts(now)
        and one.epoch not in needed_by
        and epoch not in one.holds
        for one in said
    )
