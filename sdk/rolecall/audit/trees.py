"""Merkle trees of RFC 6962: hashes, growth, and proofs. Pure, without any store.

A range `(low, high)` names the subtree over the leaves from `low` up to, and without, `high`.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Range = tuple[int, int]
HashOf = Callable[[Range], bytes]
"""Tells the hash of a subtree of a tree."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf with this content."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The number of leaves on the left of a tree: the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


@dataclass(slots=True)
class GrowingTree:
    """A tree that takes leaves at its end; it keeps the hashes of its whole subtrees only."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)
    """The hashes of the whole subtrees that the tree consists of, the largest first."""

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Take the hash of a leaf; the nodes that are whole now: level, index there, and hash."""
        level, index, node = 0, self.size, leaf
        whole = [(level, index, node)]
        while index & 1:
            node = node_hash(self.peaks.pop(), node)
            level, index = level + 1, index >> 1
            whole.append((level, index, node))
        self.peaks.append(node)
        self.size += 1
        return whole

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Take the hashes of leaves."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The hash of the tree as it is now."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def whole_parts(subtree: Range) -> list[tuple[int, int]]:
    """The whole subtrees that a subtree of a tree consists of, the largest first.

    Each is named by its level and its index among those of that level.
    """
    low, high = subtree
    parts = []
    while low < high:
        level = (high - low).bit_length() - 1
        parts.append((level, low >> level))
        low += 1 << level
    return parts


def joined(hashes: Sequence[bytes]) -> bytes:
    """The hash of the subtree that consists of these whole ones, the largest first."""
    return GrowingTree(0, list(hashes)).root()


def siblings(index: int, subtree: Range) -> list[Range]:
    """The subtrees beside the way from a leaf up to a subtree, the lowest first."""
    low, high = subtree
    found: list[Range] = []
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low = middle
    return found[::-1]


def climbed(index: int, leaf: bytes, beside: Iterable[tuple[Range, bytes]]) -> bytes:
    """The hash of the subtree that a leaf and the hashes beside its way make."""
    found = leaf
    for (low, _), sibling in beside:
        found = node_hash(sibling, found) if low < index else node_hash(found, sibling)
    return found


def inclusion_proof(index: int, size: int, hash_of: HashOf) -> list[bytes]:
    """The proof that a tree of `size` leaves has a leaf at `index` (RFC 9162, 2.1.3.1)."""
    return [hash_of(each) for each in siblings(index, (0, size))]


def proves_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether the proof shows that the tree with this root has the leaf at `index`."""
    if not 0 <= index < size:
        return False
    beside = siblings(index, (0, size))
    if len(beside) != len(proof):
        return False
    return climbed(index, leaf, zip(beside, proof, strict=True)) == root


def consistency_parts(first: int, second: int) -> list[Range]:
    """The subtrees of a consistency proof: those that both trees are made of, in its order.

    There are none where no proof is needed or possible.
    """
    if not 0 < first <= second:
        return []
    low, high, whole = 0, second, True
    after: list[Range] = []
    while first != high:
        middle = low + split(high - low)
        if first <= middle:
            after.append((middle, high))
            high = middle
        else:
            after.append((low, middle))
            low, whole = middle, False
    return [*([] if whole else [(low, high)]), *reversed(after)]


def consistency_proof(first: int, second: int, hash_of: HashOf) -> list[bytes]:
    """The proof that the tree of `second` leaves begins with that of `first` (RFC 9162, 2.1.4.1).

    `hash_of` tells the hashes of the tree of `second` leaves; `0 < first <= second`.
    """
    return [hash_of(each) for each in consistency_parts(first, second)]


def proves_consistency(
    first: int, second: int, roots: tuple[bytes, bytes], proof: Sequence[bytes]
) -> bool:
    """Return whether the proof shows that the second tree begins with the first one.

    Each tree begins with the empty one; it needs no proof.
    """
    if not 0 <= first <= second:
        return False
    if first == 0:
        return not proof and roots[0] == EMPTY_ROOT
    parts = consistency_parts(first, second)
    if len(parts) != len(proof):
        return False
    known = dict(zip(parts, proof, strict=True))
    if first & (first - 1) == 0:
        known[0, first] = roots[0]  # the first tree is one of its subtrees, and is left out
    return (
        _computed((0, first), known) == roots[0] and _computed((0, second), known) == roots[1]
        if first != second
        else roots[0] == roots[1]
    )


def _computed(subtree: Range, known: dict[Range, bytes]) -> bytes | None:
    """The hash of a subtree from those of its parts; `None` where one is missing."""
    if subtree in known:
        return known[subtree]
    low, high = subtree
    if high - low <= 1:
        return None
    middle = low + split(high - low)
    left, right = _computed((low, middle), known), _computed((middle, high), known)
    return None if left is None or right is None else node_hash(left, right)
