"""`make faults`: every fault of the design under load, with its tests, or with its defence off."""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.fault_table import FAULTS, FaultRow
from tests.mutants.runner import ROOT, Result, line, run_all
from tests.mutants.table import MUTANTS

DRILLS = ("tests/faults/test_broker_cluster.py",)
"""The long tests that begin with other servers."""
LIVE = "tests/faults/test_fault_table.py"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def main() -> int:
    """Run; the exit status is 0 if each fault was survived, or seen where its defence was off."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="F1", help="only these faults")
    parser.add_argument(
        "--without",
        action="store_true",
        help="turn the defences off, one after the other: a test must fail for each",
    )
    given = parser.parse_args()
    rows = [row for row in FAULTS if not given.ids or row.id in given.ids]
    if len(rows) < len(set(given.ids)):
        parser.error("no fault has such an id; the ids are F1 to F34")
    if given.without:
        return _without(rows)
    tested = _run_tests(rows)
    drills = () if given.ids else DRILLS
    live = [row.id for row in rows if row.live]
    status = _run_live(live, drills) if live or drills else 0
    for row in rows:
        _say(f"{row.id:<4} {row.what:<52} {tested[row.id]:<22} {_needs(row)}")
    return status or int(any("failed" in result for result in tested.values()))


def _without(rows: Sequence[FaultRow]) -> int:
    """Plant the defects that turn the defences off."""
    wanted = {name for row in rows for name in row.switches}
    chosen = [mutant for mutant in MUTANTS if mutant.id in wanted]
    outcomes = run_all(chosen, workers=2, done=lambda each: _say(line(each)))
    red = {outcome.mutant.id for outcome in outcomes if outcome.result is Result.CAUGHT}
    for row in rows:
        seen = "red" if set(row.switches) <= red else "not seen"
        _say(f"{row.id:<4} {row.what:<52} {seen:<9} without {', '.join(row.switches)}")
    return int(red != wanted)


def _run_tests(rows: Sequence[FaultRow]) -> Mapping[str, str]:
    """The result of each row's tests, in words."""
    tests = sorted({test for row in rows for test in row.tests})
    if not tests:
        return {row.id: "" for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.xml"
        # The reports of long tests do not fit into the newer form of this file.
        results = ("-o", "junit_family=xunit1", f"--junitxml={file}")
        subprocess.run([*PYTEST, *results, *tests], cwd=ROOT, check=False)
        cases = list(ET.parse(file).iter("testcase")) if file.exists() else []
    return {row.id: _result(row, cases) for row in rows}


def _result(row: FaultRow, cases: Sequence[ET.Element]) -> str:
    own = [case for case in cases if any(_belongs(case, test) for test in row.tests)]
    bad = sum(case.find("failure") is not None or case.find("error") is not None for case in own)
    if not row.tests:
        return ""
    if bad or not own:
        return f"{bad} of {len(own)} tests failed"
    return f"{len(own)} tests passed"


def _belongs(case: ET.Element, test: str) -> bool:
    """Whether a test is this one, or in this file."""
    file, _, name = test.partition("::")
    module = file.removesuffix(".py").replace("/", ".")
    in_file = case.get("classname", "").startswith(module)
    return in_file and name in {"", case.get("name", "").partition("[")[0]}


def _run_live(ids: Sequence[str], drills: Sequence[str]) -> int:
    chosen = {"ROLECALL_SOAK": "1", "ROLECALL_TEST_FAULTS": " ".join(ids)}
    files = [*([LIVE] if ids else []), *drills]
    command = [*PYTEST, "-p", "no:randomly", *files]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **chosen}, check=False).returncode


def _needs(row: FaultRow) -> str:
    return f"needs {row.needs}" if row.needs else ""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
