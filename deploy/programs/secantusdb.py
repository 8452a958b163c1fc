"""The program of SecantusDB with a limit for transactions and a first user, without seven faults.

Its binding to WiredTiger keeps closed cursors in memory, and parses the layout of each key anew. A
command reads the indexes of its collection six times, and a page of a list reads the whole list.
Each command looks through all sessions and transactions that there were, and writes are logged for
change streams, which the product does not use. Statements beside each other hinder one another.

It is run by its path. Before SecantusDB's own arguments stand the seconds of a transaction, and
those between two looks for documents that have expired.
"""

import ctypes
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import wiredtiger
from secantus import cli, commands, server, sortkey, storage, update

from deploy.programs import secantusdb_codes as codes
from deploy.programs.secantusdb_pages import Pages


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

MOST_DERIVED = 2_000
"""The things derived from indexes that stay in memory: five for each collection and its past."""


class Storage(Pages):
    """SecantusDB's storage, where a command reads the indexes of a collection once for each view.

    A view of the data is a fresh snapshot or a transaction. What a thread has read it forgets when
    it takes or leaves a view, marks an index, or ends a command. It remembers nothing where it has
    taken no view. Each method that writes another list of indexes begins with a fresh snapshot.

    What it derives from the rows of indexes it remembers by the bytes of these, for all commands.

    It keeps no oplog: that is for change streams, and costs each write a second one.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Open the data."""
        self._derived_from: dict[tuple[str, Any], Any] = {}
        super().__init__(*arguments, **{**options, "enable_oplog": False})
        self._turn = threading.RLock()

    def _coll_options(self, db: str, coll: str) -> dict[str, Any] | None:
        """Read the options of a collection, up to five times for a command, as the original."""
        cursor = self._cursor(storage._COLL_TABLE)  # noqa: SLF001
        cursor.set_key(db, coll)
        return None if cursor.search() else dict(codes.decoded(bytes(cursor.get_value())))

    def get_profile(self, db: str) -> dict[str, Any]:
        """Say that no command is profiled: the original reads that from the data, each time."""
        return {"level": 0, "slowms": 100, "sampleRate": 1.0}

    def _iter_indexes(self, db: str, coll: str) -> list[Any]:
        return list(self._once(super()._iter_indexes, db, coll, list))

    def _all_indexes(self, db: str, coll: str) -> Any:
        return self._once(super()._all_indexes, db, coll)

    def _partial_filters(self, db: str, coll: str) -> Any:
        return self._once(super()._partial_filters, db, coll)

    def _index_options_map(self, db: str, coll: str) -> Any:
        return self._once(super()._index_options_map, db, coll)

    def _multikey_index_names(self, db: str, coll: str) -> set[str]:
        return set(self._once(super()._multikey_index_names, db, coll))  # the caller adds to it

    def _once(
        self,
        read: Callable[[str, str], Any],
        db: str,
        coll: str,
        form: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Read something of the indexes of a collection once for each view."""
        known: dict[tuple[str, str, str], Any] | None = getattr(self._tls, "indexes", None)
        if known is None:
            return read(db, coll) if form is None else form(read(db, coll))
        place = (read.__name__, db, coll)
        if place not in known:
            rows = ("rows", db, coll)
            if rows not in known:
                known[rows] = self._index_rows(db, coll)
            known[place] = self._derived(known[rows], read, db, coll, form)
        return known[place]

    def _derived(
        self,
        rows: tuple[tuple[str, bytes], ...],
        read: Callable[[str, str], Any],
        db: str,
        coll: str,
        form: Callable[[Any], Any] | None,
    ) -> Any:
        """Read what follows from these rows alone, if no command has read it from such rows."""
        place = read.__name__, rows
        found = self._derived_from.get(place)
        if found is None:
            if len(self._derived_from) >= MOST_DERIVED:
                self._derived_from.clear()
            found = read(db, coll) if form is None else form(read(db, coll))
            self._derived_from[place] = found
        return found

    def _index_rows(self, db: str, coll: str) -> tuple[tuple[str, bytes], ...]:
        """Return the names and the bytes of the indexes of a collection."""
        cursor = self._cursor(storage._IDX_TABLE)  # noqa: SLF001
        cursor.set_key(db, coll, "")
        side = cursor.search_near()
        if side == wiredtiger.WT_NOTFOUND or (side < 0 and cursor.next() != 0):
            return ()
        rows: list[tuple[str, bytes]] = []
        while True:
            *place, name = cursor.get_key()
            if place != [db, coll]:
                return tuple(rows)
            rows.append((name, bytes(cursor.get_value())))
            if cursor.next() != 0:
                return tuple(rows)

    def _refresh_read_snapshot(self) -> None:
        super()._refresh_read_snapshot()
        self._tls.indexes = {}

    def release_thread_snapshot(self) -> None:
        """Release the snapshot at the end of a command."""
        self._tls.indexes = None
        super().release_thread_snapshot()

    @contextmanager
    def use_user_transaction(self, handle: Any) -> Iterator[None]:
        """Run a statement of a transaction, while no other transaction runs one.

        Each call of WiredTiger's binding lets another thread of Python run. So statements beside
        each other would take turns at each entry of an index, and do half as much. A commit, which
        waits for the disk, waits for no statement.
        """
        with self._turn, super().use_user_transaction(handle):
            yield

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


PRUNING_SECONDS = 0.2
"""Between two looks for sessions and transactions whose time is over, which is seconds at least."""


class SeldomPruned:
    """A registry that looks through all that it has seen now and then, not at each command.

    It keeps the last transaction of each session for good, and a look waits for those at work.
    """

    _pruned_at = float("-inf")

    def _prune_locked(self) -> int:
        now: float = self._time()  # type: ignore[attr-defined]
        if 0 <= now - self._pruned_at < PRUNING_SECONDS:
            return 0
        self._pruned_at = now
        pruned: int = super()._prune_locked()  # type: ignore[misc]
        return pruned


class ClientSessions(SeldomPruned, server.SessionRegistry):  # type: ignore[misc]
    """The sessions of clients."""


class ClientTransactions(SeldomPruned, server.TransactionRegistry):  # type: ignore[misc]
    """The transactions of clients."""


class Metrics(server.Metrics):  # type: ignore[misc]
    """What the server tells of itself, without counts of each command."""

    def record_command(self, name: str) -> None:
        """Count nothing."""

    def record_namespace_op(self, namespace: str, name: str, micros: int) -> None:
        """Count nothing."""


def dispatch(command: Any, ctx: Any) -> Any:
    """Run a command. While there is no user, the first may be created, as MongoDB allows."""
    first_user = next(iter(command), "") == "createUser" and ctx.db_name == "admin"
    if first_user and not ctx.storage.list_users(limit=1):
        ctx = replace(ctx, require_auth=False)
    return commands.dispatch(command, ctx)


if __name__ == "__main__":
    binding: Any = sys.modules[wiredtiger.Cursor.__module__]
    binding.pack, binding.unpack = codes.pack, codes.unpack
    release_when_closed(wiredtiger.Cursor)
    release_when_closed(wiredtiger.Session)
    update._validate_update_paths = codes.check_update  # noqa: SLF001
    sortkey._encode_number = codes.encode  # noqa: SLF001
    server.Storage, server.dispatch = Storage, dispatch
    server.SessionRegistry, server.TransactionRegistry = ClientSessions, ClientTransactions
    server.Metrics = Metrics
    gc.freeze()  # what is loaded now stays
    gc.set_threshold(GARBAGE_THRESHOLD)
    # The command line has no options for these, but the server's class has parameters.
    cli.SecantusDBServer = partial(
        cli.SecantusDBServer,
        transaction_lifetime_seconds=float(sys.argv.pop(1)),
        ttl_sweep_seconds=float(sys.argv.pop(1)),
    )
    raise SystemExit(cli.main())
