"""The program of SecantusDB: closed cursors and sessions leave the memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.programs import mongodb

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
