"""The program of SecantusDB: closed cursors and sessions leave the memory, keys are as before."""

import subprocess
import sys
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
from secantus import cli
_, program, folder, how = sys.argv
if how == "repaired":
    # The program repairs the binding, then ends because its configuration is not there.
    sys.argv = [program, "5", "--config", folder + "/missing.toml"]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit:
        assert cli.SecantusDBServer.keywords == {{"transaction_lifetime_seconds": 5.0}}
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
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


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
