"""The program of SecantusDB: what leaves the memory, and what is as it was without the program."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import wiredtiger

from deploy.programs import mongodb, secantusdb

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
    sys.argv = [program, "5", "--config", folder + "/missing.toml"]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit:
        assert cli.SecantusDBServer.keywords == {{"transaction_lifetime_seconds": 5.0}}
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
        for layout, (texts, last) in secantusdb.LAYOUTS.items()
        for values in product(*[TEXTS] * texts, *([LAST[last]] if last else []))
    ]
    for layout, values in [*rows, *OTHER.items(), ("S", ("a", "b"))]:
        packed = wiredtiger.pack(layout, *values)
        assert secantusdb.pack(layout, *values) == packed, (layout, values)
        assert secantusdb.unpack(layout, packed) == wiredtiger.unpack(layout, packed), layout
    assert secantusdb.unpack("u", None) == wiredtiger.unpack("u", None)


@pytest.mark.parametrize(("layout", "values"), [("SS", ("a",)), ("Sq", ("a", "b")), ("S", (1,))])
def test_values_that_the_binding_refuses_are_refused(layout: str, values: Any) -> None:
    with pytest.raises(Exception) as known:
        wiredtiger.pack(layout, *values)
    with pytest.raises(known.type):
        secantusdb.pack(layout, *values)


class Compared(secantusdb.Storage):
    """Compares the indexes that a thread remembers with those that the table has for it."""

    asked = reads = 0

    def _iter_indexes(self, db: str, coll: str) -> list[Any]:
        known = getattr(self._tls, "indexes", None) or {}
        self.asked, self.reads = self.asked + 1, self.reads + ((db, coll) not in known)
        given = super()._iter_indexes(db, coll)
        assert given == list(super(secantusdb.Storage, self)._iter_indexes(db, coll))
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
        ("insert", [{"_id": 2, "a": [2, 3], "b": 2}]),  # an index of several keys for a document
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
