"""One source's journal as a replica knows it: what is applied, and until when it may answer.

Pure: no I/O and no clock. Times are seconds of one monotonic clock and are handed in. The state
itself is behind `ReplicaState`; this module decides when it changes and when it may be used.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from shared.contracts.policy_objects import PolicyObject
from shared.following.former_epochs import FormerEpochs
from shared.following.lease_grants import LeaseGrant, LeaseRequestState
from shared.following.lineage import Compared, Lineage

USABLE_FRACTION = 0.98
"""A lease is used for this fraction of its ttl: the rates of two clocks may differ by 2 %."""


def random_life() -> str:
    """A life that no other process has, and no other start of this one: 128 random bits."""
    return secrets.token_hex(16)


class ReplicaState(Protocol):
    """The policy objects of one source; an older `rev` never replaces a newer one."""

    def clear(self) -> None:
        """Forget everything from this source."""

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of one change, all of them or none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalRow:
    """One row of the journal: part `part` (from 1) of the `parts` of a change."""

    epoch: str
    shard: int
    seq: int
    previous: str
    digest: str
    part: int
    parts: int
    policy_objects: tuple[PolicyObject, ...]


class HistoryForked(Exception):  # noqa: N818 - the view is well, it has forgotten everything
    """The source signed two histories. The view has forgotten everything: load the snapshot."""


class RowOutcome(StrEnum):
    """What happened to a row that arrived."""

    APPLIED = "applied"
    BUFFERED = "buffered"
    KNOWN = "known"
    FOREIGN = "foreign"
    """The row has another epoch; the next lease tells which epoch is current."""


@dataclass(slots=True)
class JournalView:
    """The journal of one source, as far as this replica has applied it.

    `life` names this replica's lease row. Forgetting the state starts a new life: what was reported
    about the old state does not count for the new one, and neither does a late request of it.
    """

    state: ReplicaState
    new_life: Callable[[], str] = random_life
    life: str = field(init=False)
    epoch: str | None = None
    applied: dict[int, int] = field(default_factory=dict)
    loaded: bool = False
    asks: int = 0
    former: FormerEpochs = field(default_factory=FormerEpochs)
    _state_number: int = 0
    _lineage: Lineage = field(default_factory=Lineage)
    _buffer: dict[int, dict[int, JournalRow]] = field(default_factory=dict)
    _pending: list[tuple[Mapping[int, int], float]] = field(default_factory=list)
    _until: float = float("-inf")

    def __post_init__(self) -> None:
        """Start the first life."""
        self.life = self.new_life()

    def forget(self) -> None:
        """Drop the state and every lease grant: at the end, or when the history is another one."""
        self.state.clear()
        self.epoch = None
        self.applied = {}
        self.loaded = False
        self.life = self.new_life()
        self._state_number += 1
        self._lineage = Lineage()
        self._buffer = {}
        self._pending = []
        self._until = float("-inf")

    def begin_load(self) -> int:
        """Begin to load a snapshot, without what an earlier one that failed half way has left.

        Returns:
            The number of this loading, for `load_page`.
        """
        self.state.clear()
        self._state_number += 1
        return self._state_number

    def load_page(self, number: int, policy_objects: Iterable[PolicyObject]) -> bool:
        """Take a page of the snapshot. No lease counts before `load`, so nothing is answered.

        Returns:
            Whether it was taken: not if another loading was begun or ended, or all was forgotten.
        """
        if self.loaded or number != self._state_number:
            return False
        self.state.put(policy_objects)
        return True

    def load(
        self,
        *,
        epoch: str,
        heads: Mapping[int, int],
        digests: Mapping[int, str],
        policy_objects: Iterable[PolicyObject],
    ) -> bool:
        """Take the rest of a snapshot; its heads were read before its policy objects.

        A snapshot that arrives when a state is loaded is late and would go backwards, so it is
        ignored. Grants requested before the end of the reading do not count: an object may be newer
        than every head known at that time.

        Returns:
            Whether the snapshot was taken.

        Raises:
            HistoryForked: a row that arrived meanwhile does not follow the heads.
        """
        if self.loaded:
            return False
        self.state.put(policy_objects)
        self.epoch = epoch
        self.applied = dict(heads)
        self._lineage = Lineage.of(heads, digests)
        self.loaded = True
        self._state_number += 1
        for shard, buffered in list(self._buffer.items()):
            self._buffer[shard] = {s: row for s, row in buffered.items() if row.epoch == epoch}
            self._drain(shard)
        return True

    def on_change(self, row: JournalRow) -> RowOutcome:
        """Take a verified row from the bus or from a fetch, in any order, any number of times.

        An applied row can be compared only if it is the last one of a recent change.

        Raises:
            HistoryForked: another row is known at its place, or it does not follow the last one.
        """
        if self.loaded and row.epoch != self.epoch:
            return RowOutcome.FOREIGN
        if row.seq <= self.applied.get(row.shard, 0):
            self._refuse_fork(self._lineage.compare_row(row.shard, row.seq, row.digest))
            return RowOutcome.KNOWN
        there = self._buffer.setdefault(row.shard, {}).setdefault(row.seq, row)
        if there.digest != row.digest and there.epoch == row.epoch:
            raise self._forked()
        self._buffer[row.shard][row.seq] = row
        if self.loaded and self._drain(row.shard):
            return RowOutcome.APPLIED
        return RowOutcome.BUFFERED

    def ask(self, now: float) -> LeaseRequestState:
        """Return the data of the next lease request; `now` is read before it is sent."""
        self.asks += 1
        return LeaseRequestState(
            sent=now,
            life=self.life,
            state_number=self._state_number,
            number=self.asks,
            epoch=self.epoch,
            applied=dict(self.applied),
            digests={shard: self._lineage.digest(shard) for shard in self.applied},
            held=max(0.0, max((self._until, *(until for _, until in self._pending))) - now),
        )

    def granted(self, request: LeaseRequestState, grant: LeaseGrant) -> bool:
        """Take a grant; it counts only once this replica has applied all of its heads.

        The digest of each head is compared, now or when the head is reached. A grant with a head
        that was passed too long ago does not count.

        Returns:
            False if the source has another epoch than the one that was loaded. Everything is then
            dropped.

        Raises:
            HistoryForked: the source's row at an applied head is not the one that was applied, or
                the source has less than was applied.
        """
        self.former.told(request.number, grant.epoch)
        if request.state_number != self._state_number or not self.loaded:
            return True
        if grant.epoch != self.epoch:
            self.forget()
            return False
        if any(grant.heads.get(shard, 0) < seq for shard, seq in request.applied.items()):
            raise self._forked()
        passed = False
        for shard, head in grant.heads.items():
            compared = self._lineage.compare_head(shard, head, grant.digests[shard])
            self._refuse_fork(compared)
            passed = passed or compared is Compared.PASSED
        self._pending = [waiting for waiting in self._pending if waiting[1] > request.sent]
        if not passed:
            self._pending.append((grant.heads, request.sent + grant.ttl * USABLE_FRACTION))
        self._activate()
        return True

    def holds(self, now: float) -> bool:
        """Return whether an answer that rests on this source's state may be given at `now`."""
        return now < self._until

    def missing(self) -> dict[int, int]:
        """The shards to fetch, each with the last sequence that is applied."""
        if not self.loaded:
            return {}
        shards = self._buffer.keys() | self._lineage.behind
        return {shard: self.applied.get(shard, 0) for shard in shards if self._gap(shard)}

    def has(self, shard: int, seq: int) -> bool:
        """Return whether the state contains the change at this position."""
        return self.loaded and self.applied.get(shard, 0) >= seq

    def _gap(self, shard: int) -> bool:
        applied = self.applied.get(shard, 0)
        buffered = self._buffer.get(shard)
        return shard in self._lineage.behind or bool(buffered and min(buffered) > applied + 1)

    def _drain(self, shard: int) -> bool:
        """Apply whole changes while the next one is complete; whether one was applied."""
        buffered = self._buffer[shard]
        start = self.applied.get(shard, 0)
        at = start
        while (first := buffered.get(at + 1)) is not None:
            rows = [buffered.get(at + 1 + i) for i in range(first.parts - first.part + 1)]
            whole = [row for row in rows if row is not None]
            if len(whole) < len(rows):
                break
            self._follow(shard, whole)
            self.state.put([each for row in whole for each in row.policy_objects])
            at += len(rows)
            self.applied[shard] = at
            self._refuse_fork(self._lineage.advance(shard, at, whole[-1].digest))
        self._buffer[shard] = {seq: row for seq, row in buffered.items() if seq > at}
        if not self._buffer[shard]:
            del self._buffer[shard]
        if at > start:
            self._activate()
        return at > start

    def _follow(self, shard: int, rows: Iterable[JournalRow]) -> None:
        """Check that the rows are a chain that begins at the last applied one."""
        previous = self._lineage.digest(shard)
        for row in rows:
            if row.previous != previous:
                raise self._forked()
            previous = row.digest

    def _refuse_fork(self, compared: Compared) -> None:
        if compared is Compared.DIFFERENT:
            raise self._forked()

    def _forked(self) -> HistoryForked:
        self.forget()
        return HistoryForked()

    def _activate(self) -> None:
        pending = []
        for heads, until in self._pending:
            if all(self.applied.get(shard, 0) >= head for shard, head in heads.items()):
                self._until = max(self._until, until)
            else:
                pending.append((heads, until))
        self._pending = pending
