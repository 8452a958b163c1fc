"""Which replicas does one committed change still wait for?

Pure: rows, pushes and elapsed times are handed in. Why it is right: a row that matters was written,
with majority, before the replica's heads were read; so whoever reads the rows after the commit sees
it, unless those heads already hold the change. A replica uses a grant only once it has applied the
grant's heads, and only for `ttl` counted from before the grant was made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MARGIN_SECONDS = 0.2
"""Added to the largest ttl before a silent replica counts as unable to answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaseRow:
    """What one source's database says about one replica.

    `boot` orders the replica's lives, `asked` what it sent within one.
    `renewal` is a new random word at each grant: a row that was deleted and written again is never
    taken for the one that was seen before. `applied` (shard → sequence) is what the replica said
    that it has of `epoch`, a lower bound of what it really has. For `ttl` seconds from the renewal
    it may answer, by this grant or an earlier one.
    """

    replica: str
    boot: int
    asked: int
    renewal: str
    ttl: float
    epoch: str | None
    applied: Mapping[int, int]


class How(StrEnum):
    """Why a replica is no longer waited for."""

    APPLIED = "applied"
    """It has the change."""
    ENDED = "ended"
    """It gave its lease back, or another boot took its place."""
    LAPSED = "lapsed"
    """It said nothing; every lease from before the change has run out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """One replica of a receipt; `at_ms` is milliseconds since the commit returned."""

    replica: str
    how: How
    at_ms: float


@dataclass(slots=True)
class Barrier:
    """The waiting of one change (`epoch`, `shard`, `seq`) for the rows read after its commit.

    Rows that appear later are not waited for: their heads were read after the commit.
    """

    epoch: str
    shard: int
    seq: int
    settled: list[Settled] = field(default_factory=list)
    _waiting: dict[str, LeaseRow] = field(default_factory=dict)
    _limit: float = 0.0

    def start(self, rows: Iterable[LeaseRow], elapsed: float) -> None:
        """Take the rows of the first read; `elapsed` is seconds since the commit returned.

        The limit counts from this read: a lease renewed between the commit and a late read does
        this change no harm, but its row is the only thing that the next change would wait for.
        """
        self._waiting = {row.replica: row for row in rows}
        longest = max((row.ttl for row in self._waiting.values()), default=0.0)
        self._limit = elapsed + longest + MARGIN_SECONDS
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
        """Take what a replica itself said to this process."""
        first = self._waiting.get(replica)
        follows = epoch == self.epoch and applied.get(self.shard, 0) >= self.seq
        if follows and first is not None and first.boot == boot:
            self._settle(replica, How.APPLIED, elapsed)

    def expire(self, elapsed: float) -> tuple[LeaseRow, ...]:
        """Stop waiting for the silent once their leases cannot hold any more.

        Returns:
            Their rows as first read: to be deleted where `renewal` is still the same.
        """
        if elapsed < self._limit:
            return ()
        silent = tuple(self._waiting.values())
        for row in silent:
            self._settle(row.replica, How.LAPSED, elapsed)
        return silent

    @property
    def done(self) -> bool:
        """No replica can give an answer from before the change any more."""
        return not self._waiting

    @property
    def waiting(self) -> frozenset[str]:
        """The replicas that are still waited for."""
        return frozenset(self._waiting)

    def _settle(self, replica: str, how: How, elapsed: float) -> None:
        del self._waiting[replica]
        self.settled.append(Settled(replica=replica, how=how, at_ms=round(elapsed * 1000, 3)))
