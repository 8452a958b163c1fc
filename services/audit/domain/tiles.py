"""The nodes of a tree in tiles: a tile has up to 256 neighbouring nodes of every eighth level.

The nodes of the levels between follow from those. A tile grows at its end only, and a whole one
never changes (C2SP tlog-tiles has the same division).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rolecall.audit.trees import HASH_BYTES, GrowingTree, HashOf, Range, joined, whole_parts

LEVELS = 8
"""The levels of a tree that one level of tiles spans."""
WIDTH = 1 << LEVELS
"""The nodes of a whole tile."""


class Tile(NamedTuple):
    """The name of a tile in its tree: its level, and its number in that level."""

    level: int
    number: int


def growing_tiles(size: int) -> list[Tile]:
    """The tiles that have nodes and room for more, in a tree of `size` leaves."""
    tiles, level = [], 0
    while nodes := size >> (level * LEVELS):
        if nodes % WIDTH:
            tiles.append(Tile(level, nodes // WIDTH))
        level += 1
    return tiles


def grow(tree: GrowingTree, tiles: dict[Tile, bytes], leaves: Iterable[bytes]) -> set[Tile]:
    """Append leaves to a tree and its growing tiles; the tiles that have changed."""
    changed = set()
    for leaf in leaves:
        for level, index, node in tree.append(leaf):
            if level % LEVELS == 0:
                tile = Tile(level // LEVELS, index // WIDTH)
                tiles[tile] = tiles.get(tile, b"") + node
                changed.add(tile)
    return changed


def tiles_of(ranges: Iterable[Range]) -> set[Tile]:
    """The tiles from which the hashes of these subtrees follow."""
    return {_place(level, index)[0] for each in ranges for level, index in whole_parts(each)}


def hashes_in(tiles: Mapping[Tile, bytes]) -> HashOf:
    """The hashes of subtrees, from the tiles that they need.

    The function raises `LookupError` where a tile or a node in it is missing.
    """

    def hash_of(subtree: Range) -> bytes:
        return joined([_node(tiles, level, index) for level, index in whole_parts(subtree)])

    return hash_of


def _place(level: int, index: int) -> tuple[Tile, int, int]:
    """The tile of a node, and the first and the last place of what it consists of there."""
    above = level % LEVELS
    first = index << above
    return (
        Tile(level // LEVELS, first // WIDTH),
        first % WIDTH,
        first % WIDTH + (1 << above),
    )


def _node(tiles: Mapping[Tile, bytes], level: int, index: int) -> bytes:
    tile, first, end = _place(level, index)
    nodes = tiles[tile][first * HASH_BYTES : end * HASH_BYTES]
    if len(nodes) != (end - first) * HASH_BYTES:
        raise LookupError(f"{tile} lacks nodes")
    whole = GrowingTree()
    whole.extend(nodes[at : at + HASH_BYTES] for at in range(0, len(nodes), HASH_BYTES))
    return whole.root()
