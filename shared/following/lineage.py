"""The history that a replica follows: its last changes by digest, and the granted heads ahead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.contracts.facts import GENESIS

REMEMBERED_CHANGES = 100
"""Of each shard, the digests of this many last changes are kept: rows overtake grants."""


class Compared(StrEnum):
    """The result of comparing a place of the source's journal with the history that is followed."""

    EQUAL = "equal"
    AHEAD = "ahead"
    """The place is not reached yet; it is compared then."""
    PASSED = "passed"
    """The place was passed too long ago to be compared."""
    DIFFERENT = "different"


@dataclass(slots=True)
class Lineage:
    """The ends of the last applied changes of each shard, and granted heads that are ahead."""

    _ends: dict[int, dict[int, str]] = field(default_factory=dict)
    """Shard → sequence → digest, in the order of the sequences."""
    _heads: dict[int, dict[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, heads: Mapping[int, int], digests: Mapping[int, str]) -> "Lineage":
        """The history whose state was loaded at these heads."""
        return cls({shard: {seq: digests[shard]} for shard, seq in heads.items()})

    def digest(self, shard: int) -> str:
        """The digest of the last applied row of a shard."""
        ends = self._ends.get(shard)
        return GENESIS if ends is None else ends[next(reversed(ends))]

    def applied(self, shard: int) -> int:
        """The sequence of the last applied row of a shard."""
        ends = self._ends.get(shard)
        return 0 if ends is None else next(reversed(ends))

    @property
    def behind(self) -> frozenset[int]:
        """The shards with a granted head that is not applied yet."""
        return frozenset(shard for shard, heads in self._heads.items() if heads)

    def advance(self, shard: int, seq: int, digest: str) -> Compared:
        """Take a whole change that was applied; compare it with the heads that it reaches."""
        ends = self._ends.setdefault(shard, {})
        ends[seq] = digest
        if len(ends) > REMEMBERED_CHANGES:
            del ends[next(iter(ends))]
        heads = self._heads.get(shard, {})
        reached = {head: heads.pop(head) for head in list(heads) if head <= seq}
        # A head inside of a change is not of this history either: a change is committed at once.
        same = all(ends.get(head) == expected for head, expected in reached.items())
        return Compared.EQUAL if same else Compared.DIFFERENT

    def compare_head(self, shard: int, head: int, digest: str) -> Compared:
        """Compare a granted head, at once or when it is reached."""
        if head > self.applied(shard):
            same = self._heads.setdefault(shard, {}).setdefault(head, digest) == digest
            return Compared.AHEAD if same else Compared.DIFFERENT
        if not head:
            return Compared.EQUAL
        ends = self._ends[shard]
        if head < next(iter(ends)):
            return Compared.PASSED
        return Compared.EQUAL if ends.get(head) == digest else Compared.DIFFERENT

    def compare_row(self, shard: int, seq: int, digest: str) -> Compared:
        """Compare an applied row. Only the last row of a change, and of recent ones, is known."""
        known = self._ends.get(shard, {}).get(seq)
        if known is None:
            return Compared.PASSED
        return Compared.EQUAL if known == digest else Compared.DIFFERENT
