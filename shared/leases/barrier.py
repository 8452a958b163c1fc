"""The barrier of one committed change: the replicas that it still waits for.

Pure: rows, reports and elapsed times are handed in. It is correct because a lease row is written
with majority before the heads of its grant are read. A read of the rows after the commit therefore
sees the row, unless those heads hold the change already. A replica uses a grant only after it has
applied the grant's heads, and only for `ttl` counted from before the grant was made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LAPSE_MARGIN_SECONDS = 0.2
"""Added to the largest ttl before a silent replica counts as unable to answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaseRow:
    """The lease of one replica, as the source's database has it.

    `boot` orders the lives of the replica, `asked` its requests within one. `renewal` is random at
    each grant: a row that was deleted and written again is never taken for the one seen before.
    `applied` (shard → sequence) is what the replica reported for `epoch`; it may have more. For
    `ttl` seconds from the renewal the replica may answer, by this grant or an earlier one.
    """

    replica: str
    boot: int
    asked: int
    renewal: str
    ttl: float
    epoch: str | None
    applied: Mapping[int, int]


class How(StrEnum):
    """Why the barrier no longer waits for a replica."""

    APPLIED = "applied"
    """It has the change."""
    ENDED = "ended"
    """It gave its lease back, or a later boot replaced it."""
    LAPSED = "lapsed"
    """It was silent, and each of its leases from before the change has run out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """One replica of a receipt; `at_ms` is milliseconds since the commit returned."""

    replica: str
    how: How
    at_ms: float


@dataclass(slots=True)
class Barrier:
    """Waits for the replicas whose rows were read after the commit of (`epoch`, `shard`, `seq`).

    It does not wait for rows that appear later: their heads were read after the commit.
    """

    epoch: str
    shard: int
    seq: int
    settled: list[Settled] = field(default_factory=list)
    _waiting: dict[str, LeaseRow] = field(default_factory=dict)
    _limit: float = 0.0

    def start(self, rows: Iterable[LeaseRow], elapsed: float) -> None:
        """Take the rows of the first read; `elapsed` is seconds since the commit returned.

        The limit counts from this read. A lease that was renewed between the commit and a late read
        does not affect this change, but the next change must still find its row.
        """
        self._waiting = {row.replica: row for row in rows}
        longest = max((row.ttl for row in self._waiting.values()), default=0.0)
        self._limit = elapsed + longest + LAPSE_MARGIN_SECONDS
        self.see(self._waiting.values(), elapsed)

    def see(self, rows: Iterable[LeaseRow], elapsed: float) -> None:
        """Take a later read of all rows."""
        current = {row.replica: row for row in rows}
        for replica, first in list(self._waiting.items()):
            row = current.get(replica)
            if row is None or row.boot != first.boot:
                self._settle(replica, How.ENDED, elapsed)
            else:
                self.hear(replica, row.boot, row.epoch, row.applied, elapsed)

    def hear(
        self,
        replica: str,
        boot: int,
        epoch: str | None,
        applied: Mapping[int, int],
        elapsed: float,
    ) -> None:
        """Take what a replica reported to this process."""
        first = self._waiting.get(replica)
        follows = epoch == self.epoch and applied.get(self.shard, 0) >= self.seq
        if follows and first is not None and first.boot == boot:
            self._settle(replica, How.APPLIED, elapsed)

    def expire(self, elapsed: float) -> tuple[LeaseRow, ...]:
        """Stop waiting for silent replicas when their leases cannot hold any more.

        Returns:
            Their rows as first read; those with an unchanged `renewal` are to be deleted.
        """
        if elapsed < self._limit:
            return ()
        silent = tuple(self._waiting.values())
        for row in silent:
            self._settle(row.replica, How.LAPSED, elapsed)
        return silent

    @property
    def done(self) -> bool:
        """Whether no replica can answer without the change."""
        return not self._waiting

    @property
    def waiting(self) -> frozenset[str]:
        """The replicas that the barrier waits for."""
        return frozenset(self._waiting)

    def _settle(self, replica: str, how: How, elapsed: float) -> None:
        del self._waiting[replica]
        self.settled.append(Settled(replica=replica, how=how, at_ms=round(elapsed * 1000, 3)))
