"""CBOR as authenticators write it (CTAP2), read strictly.

Libraries also read tags, with which a few bytes stand for millions of items. Authenticators use
none. What is read here is never larger than its bytes, and neither is the work.
"""

from dataclasses import dataclass
from typing import Any

MAX_LEVELS = 4
"""The levels of maps and arrays within each other that CTAP2 allows."""
MAX_ITEMS = 256

Item = int | bytes | str | None | list[Any] | dict[int | str, Any]

_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None}
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
"""The bytes of a number that follow its first byte."""


class NotPlainError(ValueError):
    """The bytes are not CBOR that an authenticator writes."""


def read(data: bytes, at: int = 0) -> tuple[Item, int]:
    """Read the item that begins at this byte, and return it with the place of its end.

    Raises:
        ValueError: it has a tag, a float, a key twice or of another kind than a number or text, a
            length that is not told before, too many levels or items, or it breaks off.
    """
    reader = _Items(data, at)
    return reader.item(level=0), reader.at


@dataclass(slots=True)
class _Items:
    data: bytes
    at: int
    items: int = 0

    def item(self, *, level: int) -> Item:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise NotPlainError("too many items")
        [first] = self._bytes(1)
        kind, detail = first >> 5, first & 31
        if kind == 7:
            return self._simple(detail)
        number = self._number(detail)
        if kind in {4, 5} and level >= MAX_LEVELS:
            raise NotPlainError("too many levels")
        match kind:
            case 0 | 1:
                return -1 - number if kind else number
            case 2 | 3:
                part = self._bytes(number)
                return part.decode() if kind == 3 else part
            case 4:
                return [self.item(level=level + 1) for _ in range(number)]
            case 5:
                return self._map(number, level=level + 1)
        raise NotPlainError("a tag")

    def _number(self, detail: int) -> int:
        if detail > max(_SIZES):
            raise NotPlainError("a length that is not told before")
        return int.from_bytes(self._bytes(_SIZES[detail])) if detail in _SIZES else detail

    def _map(self, size: int, *, level: int) -> Item:
        members: dict[int | str, Item] = {}
        for _ in range(size):
            key = self.item(level=level)
            if isinstance(key, bool) or not isinstance(key, int | str) or key in members:
                raise NotPlainError("a key twice, or of another kind")
            members[key] = self.item(level=level)
        return members

    def _simple(self, detail: int) -> bool | None:
        if detail not in _SIMPLE:
            raise NotPlainError("a float, or a value without a meaning")
        return _SIMPLE[detail]

    def _bytes(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise NotPlainError("it breaks off")
        part, self.at = self.data[self.at : end], end
        return part
