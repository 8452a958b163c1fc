"""The walk over the leaves of a tree, which anchors each leaf in the root by few hashes.

The walk knows the hashes of the subtrees that cover the rest of the tree; at the beginning this is
the root. A leaf comes with the hashes beside its way up to its subtree. What is on its right covers
the rest. So a whole log needs about one hash a leaf, and a leaf that does not fit is known at once.
"""

from collections.abc import Sequence

from rolecall.audit.trees import Range, climbed, siblings


class Walk:
    """A walk from the first leaf to the last; leaves may be passed over."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.next = 0
        """The first leaf that was not reached."""
        self._rest: list[Range] = [(0, size)] if size else []

    def to(self, index: int) -> tuple[Range, list[Range]]:
        """Go to a leaf that was not reached; its subtree, and what is beside its way up there.

        Raises:
            ValueError: the leaf was reached already, or the tree has no such leaf.
        """
        if not self.next <= index < self.size:
            raise ValueError("no leaf that the walk can reach")
        while self._rest[-1][1] <= index:
            self._rest.pop()
        subtree = self._rest.pop()
        beside = siblings(index, subtree)
        self._rest += [each for each in reversed(beside) if each[0] > index]
        self.next = index + 1
        return subtree, beside


class AnchoredWalk(Walk):
    """A walk that checks each leaf against the root of the tree."""

    def __init__(self, size: int, root: bytes) -> None:
        super().__init__(size)
        self._hashes: dict[Range, bytes] = {(0, size): root}

    def fits(self, index: int, leaf: bytes, path: Sequence[bytes]) -> bool:
        """Return whether the tree has the leaf at `index`; `path` has the hashes beside its way.

        Raises:
            ValueError: as `to`.
        """
        subtree, beside = self.to(index)
        expected = self._hashes.pop(subtree)
        if len(path) != len(beside):
            return False
        known = list(zip(beside, path, strict=True))
        if climbed(index, leaf, known) != expected:
            return False
        self._hashes = {each: self._hashes[each] for each in self._rest if each in self._hashes}
        self._hashes.update((each, node) for each, node in known if each[0] > index)
        return True
