"""How far does this replica know one source's journal, and may it answer from that?

Pure: no I/O and no clock; times are seconds of one monotonic clock, handed in. The state itself
lives behind `State`; what is decided here is when it may change and when it may be used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from shared.contracts.policy_objects import PolicyObject

DRIFT = 0.98
"""A grant is used for this part of its ttl: two clocks may differ in rate by two percent."""


class State(Protocol):
    """What one source's things make. An older `rev` of a thing never replaces a newer one."""

    def clear(self) -> None:
        """Forget everything from this source."""

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new state of some things, all of them before anybody looks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One row of the journal: part `part` of `parts` (from 1) of a change."""

    epoch: str
    shard: int
    seq: int
    part: int
    parts: int
    policy_objects: tuple[PolicyObject, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What was true when a lease was asked for; made by `JournalView.ask`.

    `number` counts them. `held` is how many seconds earlier grants may still last, those in wait
    of their heads too.
    """

    sent: float
    life: int
    boot: int
    number: int
    epoch: str | None
    applied: Mapping[int, int]
    held: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A source's answer: its heads, read after the lease was written; `ttl` in seconds."""

    epoch: str
    heads: Mapping[int, int]
    ttl: float


class Seen(StrEnum):
    """What became of a row."""

    APPLIED = "applied"
    BUFFERED = "buffered"
    KNOWN = "known"
    FOREIGN = "foreign"
    """Of another epoch; the next lease tells which one is true."""


@dataclass(slots=True)
class JournalView:
    """One source's journal as this replica has it.

    `boot` orders the lives of this replica's lease row: forgetting the state starts a new one, so
    that nothing said about the old state counts for the new.
    """

    state: State
    boot: int
    epoch: str | None = None
    applied: dict[int, int] = field(default_factory=dict)
    loaded: bool = False
    _life: int = 0
    _asks: int = 0
    _heads: dict[int, int] = field(default_factory=dict)
    _buffer: dict[int, dict[int, Change]] = field(default_factory=dict)
    _pending: list[tuple[Mapping[int, int], float]] = field(default_factory=list)
    _until: float = float("-inf")

    def forget(self) -> None:
        """Drop everything: other epoch, head gone back, or the end. No grant survives."""
        self.state.clear()
        self.epoch = None
        self.applied = {}
        self.loaded = False
        self.boot += 1
        self._life += 1
        self._heads = {}
        self._buffer = {}
        self._pending = []
        self._until = float("-inf")

    def load(
        self, *, epoch: str, heads: Mapping[int, int], policy_objects: Iterable[PolicyObject]
    ) -> bool:
        """Take a whole snapshot whose heads were read before its things.

        A snapshot that comes when there is a state already is late and would go backwards: it is
        ignored. Grants asked for before the end of the reading do not count, because a thing may
        be newer than any head that was known then.

        Returns:
            Whether it was taken.
        """
        if self.loaded:
            return False
        # A snapshot that could not be read may have left things that are gone by now.
        self.state.clear()
        self.state.put(policy_objects)
        self.epoch = epoch
        self.applied = dict(heads)
        self.loaded = True
        self._life += 1
        self._pending = []
        for shard, buffered in list(self._buffer.items()):
            self._buffer[shard] = {s: row for s, row in buffered.items() if row.epoch == epoch}
            self._drain(shard)
        return True

    def on_change(self, change: Change) -> Seen:
        """Take a row from the bus or from a fetch, in any order and any number of times."""
        if self.loaded and change.epoch != self.epoch:
            return Seen.FOREIGN
        if change.seq <= self.applied.get(change.shard, 0):
            return Seen.KNOWN
        self._buffer.setdefault(change.shard, {})[change.seq] = change
        if self.loaded and self._drain(change.shard):
            return Seen.APPLIED
        return Seen.BUFFERED

    def ask(self, now: float) -> Ask:
        """Say what to send for the next lease; `now` is read before anything is sent."""
        self._asks += 1
        return Ask(
            sent=now,
            life=self._life,
            boot=self.boot,
            number=self._asks,
            epoch=self.epoch,
            applied=dict(self.applied),
            held=max(0.0, max((self._until, *(until for _, until in self._pending))) - now),
        )

    def granted(self, ask: Ask, grant: Grant) -> bool:
        """Take a grant. It counts only once this replica has applied all of its heads.

        Returns:
            False when the source's history is not the one that was loaded: everything was dropped.
        """
        if ask.life != self._life or not self.loaded:
            return True
        gone_back = any(grant.heads.get(shard, 0) < seq for shard, seq in ask.applied.items())
        if grant.epoch != self.epoch or gone_back:
            self.forget()
            return False
        for shard, head in grant.heads.items():
            self._heads[shard] = max(head, self._heads.get(shard, 0))
        self._pending = [waiting for waiting in self._pending if waiting[1] > ask.sent]
        self._pending.append((grant.heads, ask.sent + grant.ttl * DRIFT))
        self._activate()
        return True

    def holds(self, now: float) -> bool:
        """Whether an answer from this source's state may leave at `now`."""
        return now < self._until

    def missing(self) -> dict[int, int]:
        """The shards to fetch, each with the last sequence that is known."""
        if not self.loaded:
            return {}
        shards = self._buffer.keys() | self._heads.keys()
        return {shard: self.applied.get(shard, 0) for shard in shards if self._gap(shard)}

    def has(self, shard: int, seq: int) -> bool:
        """Whether the change at this place is in the state."""
        return self.loaded and self.applied.get(shard, 0) >= seq

    def _gap(self, shard: int) -> bool:
        applied = self.applied.get(shard, 0)
        buffered = self._buffer.get(shard)
        return self._heads.get(shard, 0) > applied or bool(buffered and min(buffered) > applied + 1)

    def _drain(self, shard: int) -> bool:
        """Apply whole changes as long as the next one is complete."""
        buffered = self._buffer[shard]
        start = self.applied.get(shard, 0)
        at = start
        while (first := buffered.get(at + 1)) is not None:
            rows = [buffered.get(at + 1 + i) for i in range(first.parts - first.part + 1)]
            if not all(rows):
                break
            self.state.put(
                [
                    policy_object
                    for row in rows
                    if row is not None
                    for policy_object in row.policy_objects
                ]
            )
            at += len(rows)
        self.applied[shard] = at
        self._buffer[shard] = {seq: row for seq, row in buffered.items() if seq > at}
        if not self._buffer[shard]:
            del self._buffer[shard]
        if at > start:
            self._activate()
        return at > start

    def _activate(self) -> None:
        pending = []
        for heads, until in self._pending:
            if all(self.applied.get(shard, 0) >= head for shard, head in heads.items()):
                self._until = max(self._until, until)
            else:
                pending.append((heads, until))
        self._pending = pending
