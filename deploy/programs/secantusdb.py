"""The program of SecantusDB with a limit for transactions and a first user, without four faults.

Its binding to WiredTiger keeps closed cursors in memory, and parses the layout of each key anew. A
command reads the indexes of its collection six times, and a page of a list reads the whole list.

It is run by its path, with the seconds of a transaction before SecantusDB's own arguments.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import wiredtiger
from secantus import cli, commands, server
from wiredtiger.intpacking import pack_int, unpack_int

from deploy.programs.secantusdb_pages import Pages

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


GARBAGE_THRESHOLD = 30_000
"""New objects between two looks for garbage. A command makes hundreds, and few stay."""


class Storage(Pages):
    """SecantusDB's storage, where a command reads the indexes of a collection once for each view.

    A view of the data is a fresh snapshot or a transaction. What a thread has read it forgets when
    it takes or leaves a view, marks an index, or ends a command. It remembers nothing where it has
    taken no view. Each method that writes another list of indexes begins with a fresh snapshot.
    """

    def get_profile(self, db: str) -> dict[str, Any]:
        """Say that no command is profiled: the original reads that from the data, each time."""
        return {"level": 0, "slowms": 100, "sampleRate": 1.0}

    def _iter_indexes(self, db: str, coll: str) -> list[Any]:
        known: dict[tuple[str, str], list[Any]] | None = getattr(self._tls, "indexes", None)
        if known is None:
            return list(super()._iter_indexes(db, coll))
        if (db, coll) not in known:
            known[db, coll] = list(super()._iter_indexes(db, coll))
        return known[db, coll]

    def _refresh_read_snapshot(self) -> None:
        super()._refresh_read_snapshot()
        self._tls.indexes = {}

    def release_thread_snapshot(self) -> None:
        """Release the snapshot at the end of a command."""
        self._tls.indexes = None
        super().release_thread_snapshot()

    @contextmanager
    def _batch_transaction(self, **options: Any) -> Iterator[Any]:
        with self._another_view(super()._batch_transaction(**options)) as session:
            yield session

    @contextmanager
    def _install_txn_session(self, handle: Any) -> Iterator[None]:
        with self._another_view(super()._install_txn_session(handle)):
            yield

    @contextmanager
    def _committed_read_scope(self) -> Iterator[None]:
        with self._another_view(super()._committed_read_scope()):
            yield

    @contextmanager
    def _another_view(self, view: AbstractContextManager[Any]) -> Iterator[Any]:
        try:
            with view as entered:
                self._tls.indexes = {}
                yield entered
        finally:
            self._tls.indexes = None

    def _maybe_mark_multikey(self, *arguments: Any) -> set[str]:
        before = len(arguments[-1])
        marked: set[str] = super()._maybe_mark_multikey(*arguments)
        if len(marked) != before:
            self._tls.indexes = None
        return marked


def dispatch(command: Any, ctx: Any) -> Any:
    """Run a command. While there is no user, the first may be created, as MongoDB allows."""
    first_user = next(iter(command), "") == "createUser" and ctx.db_name == "admin"
    if first_user and not ctx.storage.list_users(limit=1):
        ctx = replace(ctx, require_auth=False)
    return commands.dispatch(command, ctx)


if __name__ == "__main__":
    binding: Any = sys.modules[wiredtiger.Cursor.__module__]
    binding.pack, binding.unpack = pack, unpack
    release_when_closed(wiredtiger.Cursor)
    release_when_closed(wiredtiger.Session)
    server.Storage, server.dispatch = Storage, dispatch
    gc.freeze()  # what is loaded now stays
    gc.set_threshold(GARBAGE_THRESHOLD)
    # The command line has no option for this limit, but the server's class has a parameter.
    cli.SecantusDBServer = partial(
        cli.SecantusDBServer, transaction_lifetime_seconds=float(sys.argv.pop(1))
    )
    raise SystemExit(cli.main())
