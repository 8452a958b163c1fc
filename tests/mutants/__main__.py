"""`make mutants`: plant every mutant (or those named) and demand that a test fails for each."""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.mutants.runner import ROOT, Result, line, run_all
from tests.mutants.table import MUTANTS
from tests.summary import TABLES_VARIABLE


def main() -> int:
    """Run; the exit status is 0 if every mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("ids", nargs="*", help="only these rows (the start of an id is enough)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="list the rows, run nothing")
    given = parser.parse_args()
    chosen = [
        row
        for row in MUTANTS
        if not given.ids or any(row.id.startswith(name) for name in given.ids)
    ]
    if given.list:
        sys.stdout.write("".join(f"{row.id:<54}{row.file}\n" for row in chosen))
        return 0
    if not chosen:
        sys.stderr.write("No row has such an id; --list shows all.\n")
        return 2
    if stale := [fault for row in chosen if (fault := row.fault(ROOT))]:
        sys.stderr.write("".join(f"{fault}\n" for fault in stale))
        return 2
    began = time.monotonic()
    outcomes = run_all(chosen, workers=given.workers, done=lambda each: _print(line(each)))
    caught = sum(outcome.result is Result.CAUGHT for outcome in outcomes)
    _print(f"{caught} of {len(outcomes)} mutants caught in {time.monotonic() - began:.0f} s")
    if folder := os.environ.get(TABLES_VARIABLE):
        Path(folder).mkdir(parents=True, exist_ok=True)
        table = "".join(f"{line(outcome)}\n" for outcome in outcomes)
        (Path(folder) / "mutants.txt").write_text(table)
    return 0 if caught == len(outcomes) else 1


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
