"""The barrier of one committed change: the replicas that it still waits for.

Pure: rows, reports and elapsed times are handed in. It is correct because a lease row is written
with majority before the heads of its grant are read. A read of the rows after the commit therefore
sees the row, unless those heads hold the change already. A replica uses a grant only after it has
applied the grant's heads, and only for `ttl` counted from before the grant was made.

A sequence alone does not say that a replica has the change: its rows may be those of a database
that was set back since, or of a stolen key. So a report counts by the digest of its last row.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

LeaseId = NewType("LeaseId", str)
"""The id of a lease row: `<service>/<slot>/<life>`. Each life of a process has a row of its own.

Rows of an earlier version have the slot alone as their id; they run out and are removed.
"""

SHOWN_LIFE = 1 + 8
"""The length of the beginning of a life in a receipt, with the slash before it."""
LAPSE_MARGIN_SECONDS = 0.2
"""Added to the largest ttl before a silent replica counts as unable to answer."""


def lease_id(*, service: str, slot: str, life: str) -> LeaseId:
    """The id of the row of one life; `service` is the caller whose token was verified."""
    return LeaseId(f"{service}/{slot}/{life}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The last row of each shard that a replica has applied, and the shards that it holds."""

    epoch: str | None
    applied: Mapping[int, int]
    digests: Mapping[int, str]
    shards: frozenset[int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaseRow:
    """The lease of one life of a replica, as the source's database has it.

    `asked` orders the requests of the life. `renewal` is random at each write: a row that was
    deleted and written again is never taken for the one seen before. `applied` (shard → sequence)
    is what the replica reported for `epoch`; it may have more. `digests` (shard → digest) are those
    of the last applied rows; a replica of an earlier version reports none. For `ttl` seconds from
    the renewal the replica may answer, by this grant or an earlier one. A row that is `released`
    belongs to a life that gave its lease back. It is kept so that a late request of that life is
    refused. The life decides about accounts of `shards` only; `None`: about all.
    """

    id: LeaseId
    asked: int
    renewal: str
    ttl: float
    epoch: str | None
    applied: Mapping[int, int]
    digests: Mapping[int, str]
    released: bool = False
    shards: frozenset[int] | None = None

    def decides(self, concerned: frozenset[int] | None) -> bool:
        """Return whether the life may decide by what a change of these shards is about."""
        return self.shards is None or concerned is None or not self.shards.isdisjoint(concerned)

    @property
    def service(self) -> str:
        """The service that the life is a process of."""
        return self.id.split("/", 1)[0]

    @property
    def replica(self) -> str:
        """The name of the replica, which its lives share: `<service>/<slot>`."""
        return self.id.rsplit("/", 1)[0]


class How(StrEnum):
    """Why the barrier no longer waits for a replica."""

    APPLIED = "applied"
    """It has the change."""
    ENDED = "ended"
    """It gave its lease back, or its row ran out and was removed."""
    LAPSED = "lapsed"
    """It was silent, and each of its leases from before the change has run out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """One replica of a receipt; `at_ms` is milliseconds since the commit returned.

    `replica` is unique in the receipt: where a change waited for two lives of one replica, each
    name ends with the beginning of its life.
    """

    replica: str
    how: How
    at_ms: float


@dataclass(slots=True)
class Barrier:
    """Waits for the replicas whose rows were read after the commit of (`epoch`, `shard`, `seq`).

    `digest` is that of the change's last row. It does not wait for rows that appear later: their
    heads were read after the commit. Nor does it wait for replicas that hold no account of the
    shards that the change is about (`concerned`; `None`: it is about all).
    """

    epoch: str
    shard: int
    seq: int
    digest: str
    concerned: frozenset[int] | None = None
    settled: list[Settled] = field(default_factory=list)
    _waiting: dict[LeaseId, LeaseRow] = field(default_factory=dict)
    _ahead: dict[LeaseId, tuple[int, str | None]] = field(default_factory=dict)
    """The last row of each replica that reported more than the change."""
    _names: dict[LeaseId, str] = field(default_factory=dict)
    _limit: float = 0.0

    def start(self, rows: Iterable[LeaseRow], elapsed: float) -> None:
        """Take the rows of the first read; `elapsed` is seconds since the commit returned.

        The limit counts from this read. A lease that was renewed between the commit and a late read
        does not affect this change, but the next change must still find its row.
        """
        deciding = (row for row in rows if not row.released and row.decides(self.concerned))
        self._waiting = {row.id: row for row in deciding}
        self._names = _names(self._waiting.values())
        longest = max((row.ttl for row in self._waiting.values()), default=0.0)
        self._limit = elapsed + longest + LAPSE_MARGIN_SECONDS
        self.see(self._waiting.values(), elapsed)

    def see(self, rows: Iterable[LeaseRow], elapsed: float) -> None:
        """Take a later read of all rows."""
        current = {row.id: row for row in rows if not row.released}
        for lease in list(self._waiting):
            row = current.get(lease)
            if row is None:
                self._settle(lease, How.ENDED, elapsed)
            else:
                self.hear(row, elapsed)

    def hear(self, row: LeaseRow, elapsed: float) -> None:
        """Take what one life of a replica reported, to this process or in its row."""
        last, digest = row.applied.get(self.shard, 0), row.digests.get(self.shard)
        if row.id not in self._waiting or row.epoch != self.epoch:
            return
        if last > self.seq:
            self._ahead[row.id] = last, digest
        elif last == self.seq and digest == self.digest:
            self._settle(row.id, How.APPLIED, elapsed)

    @property
    def ahead(self) -> frozenset[int]:
        """The reported sequences after the change; `learn` takes the journal's rows there."""
        return frozenset(last for last, _ in self._ahead.values())

    def learn(self, digests: Mapping[int, str], elapsed: float) -> None:
        """Take digests of the journal's rows of the shard, read after the commit.

        Each row of a journal has the digest of the row before it. So a replica whose last row is
        one of the journal's, after the change, has the change.
        """
        for lease, (last, digest) in list(self._ahead.items()):
            if last in digests and digests[last] == digest:
                self._settle(lease, How.APPLIED, elapsed)

    def expire(self, elapsed: float) -> tuple[LeaseRow, ...]:
        """Stop waiting for silent replicas when their leases cannot hold any more.

        Returns:
            Their rows as first read; those with an unchanged `renewal` are to be deleted.
        """
        if elapsed < self._limit:
            return ()
        silent = tuple(self._waiting.values())
        for row in silent:
            self._settle(row.id, How.LAPSED, elapsed)
        return silent

    @property
    def done(self) -> bool:
        """Whether no replica can answer without the change."""
        return not self._waiting

    @property
    def waiting(self) -> frozenset[LeaseId]:
        """The leases that the barrier waits for."""
        return frozenset(self._waiting)

    def _settle(self, lease: LeaseId, how: How, elapsed: float) -> None:
        del self._waiting[lease]
        self._ahead.pop(lease, None)
        at_ms = round(elapsed * 1000, 3)
        self.settled.append(Settled(replica=self._names[lease], how=how, at_ms=at_ms))


def _names(rows: Collection[LeaseRow]) -> dict[LeaseId, str]:
    """The unique names in the receipt, by the id of the row."""
    lives = Counter(row.replica for row in rows)
    return {
        row.id: row.replica if lives[row.replica] == 1 else row.id[: len(row.replica) + SHOWN_LIFE]
        for row in rows
    }
