"""The program of SecantusDB with a limit for transactions, without two faults of its binding.

Its binding to WiredTiger keeps closed cursors in memory, and parses the layout of each key anew.

It is run by its path, with the seconds of a transaction before SecantusDB's own arguments.
"""

import ctypes
import sys
from functools import partial
from typing import Any

import wiredtiger
from secantus import cli
from wiredtiger.intpacking import pack_int, unpack_int

LAYOUTS = {
    "S" * texts + last: (texts, last)
    for texts in range(4)
    for last in ("", "q", "u")
    if texts or last
}
"""The layouts of SecantusDB's keys and values: texts, then an integer, bytes or nothing."""


def unpack(layout: str, packed: Any) -> Any:
    """Return the values of a packed key or value, as the binding does, in less time.

    SecantusDB reads the keys of all indexes of a collection many times for each command.
    """
    if layout not in LAYOUTS or type(packed) is not bytes:
        return wiredtiger.unpack(layout, packed)
    texts, last = LAYOUTS[layout]
    *found, rest = packed.split(b"\0", texts) if texts else (packed,)
    if len(found) != texts:
        return wiredtiger.unpack(layout, packed)
    values: list[Any] = [text.decode() for text in found]
    if last:
        values.append(rest if last == "u" else unpack_int(rest)[0])
    return values


def pack(layout: str, *values: Any) -> Any:
    """Return values as the binding packs them."""
    texts, last = LAYOUTS.get(layout, (0, ""))
    if (
        len(values) != len(layout)
        or layout not in LAYOUTS
        or any(type(text) is not str or "\0" in text for text in values[:texts])
        or (last == "u" and type(values[-1]) is not bytes)
    ):
        return wiredtiger.pack(layout, *values)
    packed = b"".join([text.encode() + b"\0" for text in values[:texts]])
    if last:
        packed += values[-1] if last == "u" else pack_int(values[-1])
    return packed


def release_when_closed(proxy: type[Any]) -> None:
    """Make `close` of a class of the WiredTiger binding free the object.

    The binding counts one reference for C and forgets to give it back, so every closed cursor stays
    in memory with the last document that it wrote: 5 KB for each transaction. A version that gives
    it back is left alone.
    """
    close = proxy.close

    def close_and_release(self: Any, *arguments: Any) -> Any:
        was_open, references = self.this is not None, sys.getrefcount(self)
        try:
            return close(self, *arguments)
        finally:
            if was_open and sys.getrefcount(self) == references:
                ctypes.pythonapi.Py_DecRef(ctypes.py_object(self))

    proxy.close = close_and_release


if __name__ == "__main__":
    binding: Any = sys.modules[wiredtiger.Cursor.__module__]
    binding.pack, binding.unpack = pack, unpack
    release_when_closed(wiredtiger.Cursor)
    release_when_closed(wiredtiger.Session)
    # The command line has no option for this limit, but the server's class has a parameter.
    cli.SecantusDBServer = partial(
        cli.SecantusDBServer, transaction_lifetime_seconds=float(sys.argv.pop(1))
    )
    raise SystemExit(cli.main())
