"""The program of SecantusDB: what leaves the memory, and what is as it was without the program."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import wiredtiger
from secantus import update

from deploy.programs import mongodb, secantusdb, secantusdb_codes

TEXTS = ("", "db", "ünï", "a\0b", "x" * 300)
LAST = {
    "": (),
    "q": (0, -1, 63, 64, -70, 2**40, -(2**62)),
    "u": (b"", b"\0", b"ab\0c", b"\xff" * 9),
}
OTHER = {"SSSSu": ("a", "b", "c", "d", b"e"), "SqS": ("a", 1, "b"), "uS": (b"a", "b"), "r": (7,)}

WRITES = 300
MEASURED = f"""
import gc, runpy, sys, wiredtiger
from secantus import cli, server, storage
_, program, folder, how = sys.argv
if how == "repaired":
    # The program repairs the binding, then ends because its configuration is not there.
    sys.argv = [program, "5", "60", "--config", folder + "/missing.toml"]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit:
        assert cli.SecantusDBServer.keywords == {{
            "transaction_lifetime_seconds": 5.0, "ttl_sweep_seconds": 60.0
        }}
    assert issubclass(server.Storage, storage.Storage) and server.Storage is not storage.Storage
connection = wiredtiger.wiredtiger_open(folder, "create")
connection.open_session().create("table:rows", "key_format=q,value_format=u")

def write(number):
    session = connection.open_session()
    cursor = session.open_cursor("table:rows")
    cursor[number] = b"x" * 1000
    cursor.close()
    session.close()
    try:
        cursor.close()
    except Exception:
        pass

write(0)
gc.collect()
before = sys.getallocatedblocks()
for number in range({WRITES}):
    write(number)
gc.collect()
print(sys.getallocatedblocks() - before)
"""


def blocks_kept(folder: Path, how: str) -> int:
    program = Path(mongodb.__file__).parent / "secantusdb.py"
    words = [sys.executable, "-c", MEASURED, str(program), str(folder), how]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return int(ended.stdout)


@pytest.mark.parametrize(("how", "leaks"), [("as it is", True), ("repaired", False)])
def test_closed_cursors_and_sessions_leave_the_memory(tmp_path: Path, how: str, leaks) -> None:
    """A version of the binding without the leak fails the first row: remove the repair then."""
    assert (blocks_kept(tmp_path, how) > WRITES) is leaks


def test_keys_and_values_are_packed_as_the_binding_packs_them() -> None:
    rows = [
        (layout, values)
        for layout, (texts, last) in secantusdb_codes.LAYOUTS.items()
        for values in product(*[TEXTS] * texts, *([LAST[last]] if last else []))
    ]
    for layout, values in [*rows, *OTHER.items(), ("S", ("a", "b"))]:
        packed = wiredtiger.pack(layout, *values)
        assert secantusdb_codes.pack(layout, *values) == packed, (layout, values)
        assert secantusdb_codes.unpack(layout, packed) == wiredtiger.unpack(layout, packed), layout
    assert secantusdb_codes.unpack("u", None) == wiredtiger.unpack("u", None)


@pytest.mark.parametrize(("layout", "values"), [("SS", ("a",)), ("Sq", ("a", "b")), ("S", (1,))])
def test_values_that_the_binding_refuses_are_refused(layout: str, values: Any) -> None:
    with pytest.raises(Exception) as known:
        wiredtiger.pack(layout, *values)
    with pytest.raises(known.type):
        secantusdb_codes.pack(layout, *values)


class Compared(secantusdb.Storage):
    """Compares what a thread remembers with what the tables have for it."""

    asked = reads = 0

    def _index_rows(self, db: str, coll: str) -> Any:
        self.reads += 1
        return super()._index_rows(db, coll)

    def _iter_indexes(self, db: str, coll: str) -> list[Any]:
        self.asked += 1
        given = super()._iter_indexes(db, coll)
        assert given == list(super(secantusdb.Storage, self)._iter_indexes(db, coll))
        return given

    def _all_indexes(self, db: str, coll: str) -> Any:
        return self._same(super()._all_indexes, db, coll)

    def _partial_filters(self, db: str, coll: str) -> Any:
        return self._same(super()._partial_filters, db, coll)

    def _index_options_map(self, db: str, coll: str) -> Any:
        return self._same(super()._index_options_map, db, coll)

    def _multikey_index_names(self, db: str, coll: str) -> Any:
        return self._same(super()._multikey_index_names, db, coll)

    def _coll_options(self, db: str, coll: str) -> Any:
        return self._same(super()._coll_options, db, coll)

    def _same(self, read: Callable[[str, str], Any], db: str, coll: str) -> Any:
        self.asked += 1
        given = read(db, coll)
        known, counts = getattr(self._tls, "indexes", None), (self.asked, self.reads)
        self._tls.indexes = None
        assert given == getattr(super(secantusdb.Storage, self), read.__name__)(db, coll)
        self._tls.indexes, (self.asked, self.reads) = known, counts
        return given


@pytest.fixture
def compared(tmp_path: Path) -> Iterator[Compared]:
    """A storage with one document and an index of its field `a`."""
    with Compared(str(tmp_path / "data")) as storage:
        storage.create_index("db", "things", "a_1", {"a": 1}, {})
        storage.insert("db", "things", [{"_id": 1, "a": 1}])
        yield storage


def found(storage: Compared, value: int) -> list[int]:
    return sorted(thing["_id"] for thing in storage.find_matching("db", "things", {"a": value}))


def test_a_command_reads_the_indexes_of_a_collection_once(compared: Compared) -> None:
    compared.asked = compared.reads = 0
    assert found(compared, 1) == [1]
    assert compared.reads == 1 < compared.asked
    compared.asked = compared.reads = 0
    compared.insert("db", "things", [{"_id": number, "a": number} for number in range(2, 22)])
    assert compared.reads == 1 < compared.asked // 20


def test_a_thread_sees_the_indexes_of_another_at_once(compared: Compared) -> None:
    def in_another_thread(*write: Any) -> None:
        with ThreadPoolExecutor(1) as other:
            name, *arguments = write
            other.submit(getattr(compared, name), "db", "things", *arguments).result()

    for write in (
        ("create_index", "b_1", {"b": 1}, {"unique": True}),
        ("insert", [{"_id": 2, "a": [2, 3], "b": 2}, {"_id": 4, "b": 4}]),  # an index of lists
        ("set_index_options", "a_1"),
        ("set_index_expiry", "a_1", 60),
        ("drop_index", "a_1"),
        ("drop_all_indexes",),
    ):
        assert found(compared, 1) == [1]
        in_another_thread(*write)
        assert found(compared, 1) == [1]
        compared.insert("db", "things", [{"_id": 3, "a": 3}])
        compared.delete_matching("db", "things", {"_id": 3})
    assert found(compared, 3) == [2]


def test_an_index_that_was_rolled_back_is_forgotten(compared: Compared) -> None:
    several = {"_id": 2, "a": [2, 3]}
    transaction = compared.begin_user_transaction()
    with compared.use_user_transaction(transaction):
        compared.insert("db", "things", [several])
        assert found(compared, 3) == [2]
    compared.abort_user_transaction(transaction)
    assert found(compared, 3) == []
    compared.insert("db", "things", [several])
    assert found(compared, 3) == [2]


def test_what_a_failed_statement_wrote_is_forgotten(compared: Compared) -> None:
    several = {"_id": 2, "a": [2, 3]}
    with suppress(TimeoutError), compared._batch_transaction():
        indexes = compared._all_indexes("db", "things")
        compared._maybe_mark_multikey("db", "things", several, indexes, set())
        compared._refresh_read_snapshot()
        assert compared._multikey_index_names("db", "things") == {"a_1"}
        raise TimeoutError
    assert compared._multikey_index_names("db", "things") == set()


def test_statements_of_transactions_take_turns_and_nothing_else_waits(compared: Compared) -> None:
    first, second = (compared.begin_user_transaction() for _ in range(2))
    with compared.use_user_transaction(second):
        compared.insert("db", "things", [{"_id": 2, "a": 2}])
    with ThreadPoolExecutor(1) as other:
        with compared.use_user_transaction(first):
            assert not other.submit(compared._turn.acquire, blocking=False).result(timeout=30)
            other.submit(compared.commit_user_transaction, second).result(timeout=30)
            other.submit(compared.insert, "db", "others", [{"_id": 1}]).result(timeout=30)
        assert other.submit(compared._turn.acquire, blocking=False).result(timeout=30)
        other.submit(compared._turn.release).result(timeout=30)
    compared.abort_user_transaction(first)
    assert found(compared, 2) == [2]


@pytest.mark.parametrize(
    ("write", "arguments", "indexes"),
    [
        ("create_index", ("things", "b_1", {"b": 1}, {}), 2),
        ("drop_index", ("things", "a_1"), 0),
        ("drop_all_indexes", ("things",), 0),
        ("set_index_expiry", ("things", "a_1", 60), 1),
        ("set_index_options", ("things", "a_1"), 1),
        ("drop_collection", ("things",), 0),
        ("drop_database", (), 0),
        ("rename_collection", ("things", "db", "others"), 0),
    ],
)
def test_a_thread_forgets_the_indexes_that_it_writes(
    compared: Compared, write: str, arguments: tuple[Any, ...], indexes: int
) -> None:
    assert found(compared, 1) == [1]
    getattr(compared, write)("db", *arguments)
    assert len(compared._all_indexes("db", "things")) == indexes


def test_options_of_a_collection_are_those_that_were_committed(compared: Compared) -> None:
    compared.set_collection_options("db", "things", size=5)
    transaction = compared.begin_user_transaction()
    with compared.use_user_transaction(transaction):
        compared.set_collection_options("db", "things", size=6)
        assert compared.get_collection_options("db", "things")["size"] == 6
    compared.abort_user_transaction(transaction)
    assert compared.get_collection_options("db", "things")["size"] == 5
    assert compared.get_collection_options("db", "nothing") == {}


def test_no_write_is_logged_for_change_streams(compared: Compared) -> None:
    compared.update_matching("db", "things", {"_id": 1}, {"$set": {"a": 2}})
    transaction = compared.begin_user_transaction()
    with compared.use_user_transaction(transaction):
        compared.insert("db", "things", [{"_id": 2, "a": 2}])
    compared.commit_user_transaction(transaction)
    assert found(compared, 2) == [1, 2]
    assert compared._count_oplog_rows() == 0


LIFETIME_SECONDS = 5.0


class Registries:
    """Transactions of sessions, with a set clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ended: list[Any] = []
        self.transactions = secantusdb.ClientTransactions(
            rollback_func=self.ended.append,
            lifetime_seconds=LIFETIME_SECONDS,
            time_func=lambda: self.now,
        )

    def state(self, session: int, *, start: bool = False) -> Any:
        """Run a statement of a session."""
        found, refused = self.transactions.for_statement(
            bytes([session] * 16), None, 1, start=start
        )
        assert refused is None
        return found


def test_a_transaction_that_waits_too_long_is_ended_by_the_next_statement() -> None:
    registries = Registries()
    waiting = registries.state(1, start=True)
    registries.now += LIFETIME_SECONDS - 0.01
    at_work = registries.state(2, start=True)
    assert registries.ended == []
    registries.now += secantusdb.PRUNING_SECONDS
    assert registries.state(2) is at_work
    assert registries.ended == [waiting]


def test_a_clock_that_is_set_back_does_not_keep_a_transaction_open() -> None:
    registries = Registries()
    registries.now += 3600
    registries.state(1, start=True)
    registries.now -= 3600
    waiting = registries.state(2, start=True)
    registries.now += LIFETIME_SECONDS + secantusdb.PRUNING_SECONDS
    registries.state(3, start=True)
    assert registries.ended == [waiting]


def test_a_statement_does_not_wait_for_those_of_other_transactions() -> None:
    registries = Registries()
    others = [registries.state(session, start=True) for session in range(3)]
    for other in others:
        other.mutex.acquire()  # this thread is within a statement of each
    with ThreadPoolExecutor(1) as thread:
        statement = thread.submit(registries.state, 9, start=True)
        try:
            assert statement.result(timeout=30) is not None
        finally:
            for other in others:
                other.mutex.release()


def test_an_idle_session_is_forgotten_though_each_command_no_longer_looks() -> None:
    now = 100.0
    sessions = secantusdb.ClientSessions(idle_ttl_seconds=60, time_func=lambda: now)
    sessions.register(b"1" * 16)
    now += 61
    sessions.register(b"2" * 16)
    assert not sessions.is_known(b"1" * 16)
    assert sessions.is_known(b"2" * 16)


@pytest.mark.parametrize(
    "wanted",
    [
        {"$set": {"a": 1, "b.c": 2}, "$inc": {"d": 1}},
        {"$set": {"a": 1}, "$inc": {"a.b": 1}},
        {"$set": {"a.b": 1, "a": 1}},
        {"$set": {"": 1}},
        {"$set": {"a..b": 1}},
        {"$nope": {"a": 1}},
        {"$rename": {"a": "b"}, "$set": {"b": 1}},
        {"$set": "ab", "$unset": {"a": "", "b": ""}},
        {},
    ],
)
def test_an_update_is_checked_as_the_original_checks_it(wanted: dict[str, Any]) -> None:
    def outcome(check: Callable[[Any], Any]) -> Any:
        try:
            return check(wanted)
        except update.UpdateError as refused:
            return str(refused), refused.code

    first = outcome(secantusdb_codes.check_update)
    assert first == outcome(secantusdb_codes.check_update) == outcome(secantusdb_codes.check_paths)


def test_numbers_are_encoded_as_the_original_encodes_them() -> None:
    numbers = (0, 1, -1, 7, 255, 256, -(2**40), 2**62, True, False, 1.0, -0.0, 1.5, float("nan"))
    for number in (*numbers, *numbers):
        assert secantusdb_codes.encode(number) == secantusdb_codes.encode_number(number), number
