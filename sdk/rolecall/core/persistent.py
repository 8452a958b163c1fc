"""Maps that never change and are cheap to replace, such as the members of an account.

A small map is an ordinary dictionary, which a change copies. A larger one is in parts, in the order
of its keys, and a change copies only the parts that it touches: one member among 100,000 costs
about as much as one among 500.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", str, tuple[str, str])
V = TypeVar("V")

PART_SIZE = 512
"""A map of this size is one dictionary. Most accounts have fewer members and resources."""
ONE_AT_HAND_OF = 64
"""A larger map keeps a part of its items at hand, `PART_SIZE` at least: those read lately."""


def with_changes(known: Mapping[K, V], changes: Mapping[K, V | None]) -> Mapping[K, V]:
    """Return the map with these values in place of its own; `None` takes a key out."""
    if isinstance(known, PersistentMap):
        changed = known.with_changes(changes)
        return changed if len(changed) > PART_SIZE // 2 else dict(changed.items())
    whole = {**known}
    _apply(whole, changes)
    return whole if len(whole) <= PART_SIZE else PersistentMap.of(whole)


def mapped(known: Mapping[K, V], function: Callable[[V], V]) -> Mapping[K, V]:
    """Return the map with `function` applied to every value; see `PersistentMap.mapped`."""
    if isinstance(known, PersistentMap):
        return known.mapped(function)
    return {key: function(value) for key, value in known.items()}


def items_after(known: Mapping[K, V], key: K | None = None) -> Iterator[tuple[K, V]]:
    """The items in the order of their keys, from the first one after `key` on."""
    if isinstance(known, PersistentMap):
        yield from known.items_after(key)
    else:
        for each in sorted(known):
            if key is None or each > key:
                yield each, known[each]


class _Mapped(NamedTuple, Generic[K, V]):
    """A part whose values are brought up to date when one of them is read."""

    function: Callable[[V], V]
    part: dict[K, V]


class PersistentMap(Mapping[K, V]):
    """A map in parts. Its contents never change: `with_changes` and `mapped` give another one."""

    __slots__ = ("_at_hand", "_count", "_most_at_hand", "_parts", "_starts")

    def __init__(
        self, parts: list[dict[K, V] | _Mapped[K, V]], starts: list[K], count: int
    ) -> None:
        """Make the map; `starts` has the smallest key that belongs to each part but the first."""
        self._parts: list[dict[K, V] | _Mapped[K, V]] = parts
        self._starts: list[K] = starts
        self._count = count
        # The contents never change, so what was found once needs no search among the parts.
        self._at_hand: dict[K, V] = {}
        self._most_at_hand = max(PART_SIZE, count // ONE_AT_HAND_OF)

    @classmethod
    def of(cls, items: dict[K, V]) -> "PersistentMap[K, V]":
        """Make the map of these items."""
        pieces = _split(items)
        parts: list[dict[K, V] | _Mapped[K, V]] = []
        parts.extend(pieces)
        return cls(parts, _starts(pieces), len(items))

    def with_changes(self, changes: Mapping[K, V | None]) -> "PersistentMap[K, V]":
        """Return the map with these values in place of its own; `None` takes a key out."""
        by_part: dict[int, dict[K, V | None]] = {}
        for key, value in changes.items():
            by_part.setdefault(bisect_right(self._starts, key), {})[key] = value
        parts: list[dict[K, V] | _Mapped[K, V]] = list(self._parts)
        starts, count = list(self._starts), self._count
        for at in sorted(by_part, reverse=True):
            before = self._part(at)
            part = {**before}
            _apply(part, by_part[at])
            count += len(part) - len(before)
            pieces = _split(part)
            parts[at : at + 1] = pieces
            starts[at:at] = _starts(pieces)
        return PersistentMap(parts, starts, count)

    def mapped(self, function: Callable[[V], V]) -> "PersistentMap[K, V]":
        """Return the map with `function` applied to every value.

        Each part is brought up to date when it is read, so that a map of any size does not hold up
        its readers. `function` is pure, and it takes any earlier form of a value: it replaces a
        function that was not applied yet.
        """
        parts = [each.part if isinstance(each, _Mapped) else each for each in self._parts]
        return PersistentMap([_Mapped(function, part) for part in parts], self._starts, self._count)

    def items_after(self, key: K | None = None) -> Iterator[tuple[K, V]]:
        """The items in the order of their keys, from the first one after `key` on."""
        first = 0 if key is None else bisect_right(self._starts, key)
        for at in range(first, len(self._parts)):
            part = self._part(at)
            for each in sorted(part):
                if key is None or each > key:
                    yield each, part[each]

    def __getitem__(self, key: K) -> V:
        """The value of this key."""
        found: V | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: K, default: Any = None) -> Any:
        """The value of this key, or the default; without an exception for a miss."""
        found = self._at_hand.get(key)
        if found is not None:
            return found
        part = self._parts[at := bisect_right(self._starts, key)]
        found = part.get(key) if type(part) is dict else self._part(at).get(key)
        if found is None:
            return default
        if len(self._at_hand) >= self._most_at_hand:
            self._at_hand = {}
        self._at_hand[key] = found
        return found

    def __contains__(self, key: object) -> bool:
        """Whether the map has this key."""
        return self.get(key, self) is not self  # type: ignore[arg-type]

    def __len__(self) -> int:
        """The number of keys."""
        return self._count

    def __iter__(self) -> Iterator[K]:
        """Every key, in order."""
        return (key for key, _ in self.items_after())

    def _part(self, at: int) -> dict[K, V]:
        known = self._parts[at]
        if not isinstance(known, _Mapped):
            return known
        part: dict[K, V] = {key: known.function(value) for key, value in known.part.items()}
        self._parts[at] = part
        return part


def _apply(part: dict[K, V], changes: Mapping[K, V | None]) -> None:
    for key, value in changes.items():
        if value is None:
            part.pop(key, None)
        else:
            part[key] = value


def _split(part: dict[K, V]) -> list[dict[K, V]]:
    """The part itself, or as many as it needs, in order and of about the same size."""
    if len(part) <= PART_SIZE:
        return [part]
    keys = sorted(part)
    pieces = -(-len(keys) // (PART_SIZE // 2))
    bounds = [len(keys) * piece // pieces for piece in range(pieces + 1)]
    return [{key: part[key] for key in keys[start:end]} for start, end in pairwise(bounds)]


def _starts(pieces: list[dict[K, V]]) -> list[K]:
    """The smallest key of each piece but the first."""
    return [next(iter(piece)) for piece in pieces[1:]]
