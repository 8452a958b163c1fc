"""Leaves that come in any order: which of them are there, and the trees that they make."""

from bisect import bisect
from collections.abc import Iterable, Iterator

from rolecall.audit.trees import joined, node_hash, whole_parts


class Indexes:
    """Places in a tree, kept as runs of neighbours."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, index: int) -> bool:
        """Add a place; return whether it is new."""
        at = bisect(self._starts, index)
        if at and index < self._ends[at - 1]:
            return False
        after_one = at > 0 and self._ends[at - 1] == index
        before_one = at < len(self._starts) and self._starts[at] == index + 1
        if after_one and before_one:
            self._ends[at - 1] = self._ends.pop(at)
            del self._starts[at]
        elif after_one:
            self._ends[at - 1] = index + 1
        elif before_one:
            self._starts[at] = index
        else:
            self._starts.insert(at, index)
            self._ends.insert(at, index + 1)
        return True

    def gaps(self, size: int) -> Iterator[tuple[int, int]]:
        """The runs of places below `size` that are not there, each with the place after it."""
        start = 0
        for first, end in zip((*self._starts, size), (*self._ends, size), strict=True):
            if start < min(first, size):
                yield start, min(first, size)
            start = end

    def lacks(self, wanted: int | None, size: int) -> int | None:
        """A place below `size` that is not there: `wanted` if it is such a one, else the first."""
        gaps = list(self.gaps(size))
        if wanted is not None and any(start <= wanted < end for start, end in gaps):
            return wanted
        return gaps[0][0] if gaps else None


class EarlierTrees:
    """The trees of earlier sizes of a log, from the nodes that they consist of.

    Leaves come in any order. Two whole subtrees side by side become one, so few nodes are kept.
    """

    def __init__(self, sizes: Iterable[int]) -> None:
        self._needed = {part for size in sizes for part in whole_parts((0, size))}
        self._known: dict[tuple[int, int], bytes] = {}
        self._subtrees: dict[tuple[int, int], bytes] = {}

    def add(self, index: int, leaf: bytes) -> None:
        """Take a leaf."""
        if not self._needed:
            return
        level, node = 0, leaf
        while True:
            if (level, index) in self._needed:
                self._known[level, index] = node
            beside = self._subtrees.pop((level, index ^ 1), None)
            if beside is None:
                break
            node = node_hash(beside, node) if index & 1 else node_hash(node, beside)
            level, index = level + 1, index >> 1
        self._subtrees[level, index] = node

    def root(self, size: int) -> bytes:
        """The root of the tree of an earlier checkpoint; all of its leaves have come."""
        return joined([self._known[part] for part in whole_parts((0, size))])
