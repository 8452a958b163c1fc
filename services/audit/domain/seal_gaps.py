"""The rows that a sealer has passed without finding their records: a late record is sealed there.

A row that was put aside has no record until an operator replays it, and the shard goes on without
it. The end of an epoch that is over is such a gap, too: a replica may still record a row of it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.contracts.facts import SHARDS, Position

LAST = 2**62
"""After every sequence: an epoch that is over is sealed to its end."""


class Gap(NamedTuple):
    """Neighbouring rows of a shard, from the first to the last."""

    source: str
    epoch: str
    shard: int
    first: int
    last: int

    @property
    def before(self) -> Position:
        """The place before the first row."""
        return Position(self.source, self.epoch, self.shard, self.first - 1)

    def holds(self, place: Position) -> bool:
        """Return whether the row at this place is in the gap."""
        return place[:3] == self[:3] and self.first <= place.seq <= self.last


def gaps(after: Position, last: int, sequences: Iterable[int]) -> Iterator[Gap]:
    """The gaps behind a place, up to the row `last`, between rows in ascending order."""
    first = after.seq + 1
    for seq in (*sequences, last + 1):
        if first < seq:
            yield Gap(after.source, after.epoch, after.shard, first, seq - 1)
        first = seq + 1


def unsealed(source: str, epoch: str, sealed_until: dict[int, int]) -> list[Gap]:
    """The rows of an epoch that no sealer has come to, by how far each shard is sealed."""
    ends = {shard: sealed_until.get(shard, 0) for shard in range(SHARDS)}
    return [Gap(source, epoch, shard, end + 1, LAST) for shard, end in ends.items() if end < LAST]
