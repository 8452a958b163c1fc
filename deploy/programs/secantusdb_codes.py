"""What SecantusDB computes for each command again: keys, options of collections, and checks.

Each function returns what the original does. It remembers what recurs from command to command.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import bson
import wiredtiger
from secantus import sortkey, update
from wiredtiger.intpacking import pack_int, unpack_int

LAYOUTS = {
    "S" * texts + last: (texts, last)
    for texts in range(4)
    for last in ("", "q", "u")
    if texts or last
}
"""The layouts of SecantusDB's keys and values: texts, then an integer, bytes or nothing."""


REMEMBERED = 10_000
"""Names, options and numbers that recur from command to command."""


@lru_cache(REMEMBERED)
def texts_in(packed: bytes, count: int) -> tuple[str, ...] | None:
    """Return the texts that these bytes are, if there are that many."""
    *found, rest = packed.split(b"\0")
    return tuple(text.decode() for text in found) if len(found) == count and not rest else None


def unpack(layout: str, packed: Any) -> Any:
    """Return the values of a packed key or value, as the binding does, in less time.

    SecantusDB reads the keys of all indexes of a collection many times for each command.
    """
    if layout not in LAYOUTS or type(packed) is not bytes:
        return wiredtiger.unpack(layout, packed)
    texts, last = LAYOUTS[layout]
    if not last:
        names = texts_in(packed, texts)
        return wiredtiger.unpack(layout, packed) if names is None else list(names)
    *found, rest = packed.split(b"\0", texts) if texts else (packed,)
    if len(found) != texts:
        return wiredtiger.unpack(layout, packed)
    values: list[Any] = [text.decode() for text in found]
    values.append(rest if last == "u" else unpack_int(rest)[0])
    return values


@lru_cache(REMEMBERED)
def packed_texts(texts: tuple[Any, ...]) -> bytes | None:
    """Return the bytes of texts that end with zeros; `None` if one is not such a text."""
    if any(type(text) is not str or "\0" in text for text in texts):
        return None
    return b"".join([text.encode() + b"\0" for text in texts])


def pack(layout: str, *values: Any) -> Any:
    """Return values as the binding packs them."""
    texts, last = LAYOUTS.get(layout, (0, ""))
    if len(values) != len(layout) or layout not in LAYOUTS:
        return wiredtiger.pack(layout, *values)
    try:
        packed = packed_texts(values[:texts])
    except TypeError:  # it cannot be remembered, so it is not a text
        packed = None
    if packed is None or (last == "u" and type(values[-1]) is not bytes):
        return wiredtiger.pack(layout, *values)
    if not last:
        return packed
    return packed + (values[-1] if last == "u" else pack_int(values[-1]))


@lru_cache(REMEMBERED)
def decoded(options: bytes) -> dict[str, Any]:
    """Return what the bytes of a collection's options mean; there are few, and asked for often."""
    return bson.decode(options) if options else {}


Check = Callable[[Mapping[str, Any]], tuple[str, str] | None]
"""Names a field of an update, and where another one is in its way."""
check_paths: Check = update._validate_update_paths  # noqa: SLF001
encode_number: Callable[[Any], bytes] = sortkey._encode_number  # noqa: SLF001
encode_whole_number = lru_cache(REMEMBERED)(encode_number)


@lru_cache(REMEMBERED)
def fit_together(names: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
    """Whether an update may name these fields below its operators."""
    return check_paths({operator: dict.fromkeys(fields) for operator, fields in names}) is None


def check_update(wanted: Mapping[str, Any]) -> tuple[str, str] | None:
    """Check the fields of an update as the original does, once for all with the same names."""
    if "$rename" in wanted or any(type(values) is not dict for values in wanted.values()):
        return check_paths(wanted)
    names = tuple((operator, tuple(values)) for operator, values in wanted.items())
    return None if fit_together(names) else check_paths(wanted)


def encode(number: Any) -> bytes:
    """Return a number as an index has it; whole numbers, as those of shards, recur."""
    return encode_whole_number(number) if type(number) is int else encode_number(number)
