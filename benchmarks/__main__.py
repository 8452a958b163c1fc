"""Runs the measurements, and writes `docs/benchmarks.md` with its plots.

    python -m benchmarks [--peers FOLDER] [--only PART,PART] [--short]

With `--only`, the other parts of the page stay as they were measured before. `--short` tries each
part in little time; it prints what it finds and writes nothing.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks import (
    acceptance,
    audit_ingest,
    audit_search,
    authz_state,
    checks,
    console,
    decide,
    flatness,
    floods,
    local_mode,
    peers,
    removals,
    rolling,
    seals,
    sign_in,
    start,
    team,
)
from benchmarks.load import require_wrk
from benchmarks.page import Measurement, files
from benchmarks.results import Result
from deploy.documents import ROOT
from deploy.rules import LEGEND, PAGE

DOCS = ROOT / "docs"
RECORDED = DOCS / "benchmarks" / "results.json"
"""What was measured, from which the page is made."""
PACKAGES = ("aiohttp", "msgspec", "motor", "pydantic", "SecantusDB", "uvloop")


def parts(folder: Path | None, *, short: bool) -> dict[str, Callable[[], Result]]:
    """What is measured, in its order; `short` takes little time and says little."""
    return {
        "decide": lambda: decide.run(rounds=2 if short else decide.ROUNDS),
        "peers": lambda: peers.run(folder),
        "local": lambda: local_mode.run(rounds=2 if short else local_mode.ROUNDS),
        "checks": lambda: checks.run(folder, seconds=1 if short else checks.SECONDS),
        "state": lambda: authz_state.run(short=short),
        "flatness": lambda: flatness.run(short=short),
        "start": lambda: start.run(10_000 if short else start.MEMBERS),
        "removals": lambda: removals.run(count=5 if short else removals.REMOVALS),
        "acceptance": lambda: acceptance.run(count=5 if short else acceptance.ACCEPTANCES),
        "audit_ingest": lambda: audit_ingest.run(short=short),
        "audit_search": lambda: audit_search.run(short=short),
        "team": lambda: team.run(seconds=1 if short else team.SECONDS),
        "console": lambda: console.run(rounds=2 if short else console.ROUNDS),
        "sign_in": lambda: sign_in.run(samples=10 if short else sign_in.SAMPLES),
        "seals": lambda: seals.run(rounds=2 if short else seals.ROUNDS),
        "floods": lambda: floods.run(seconds=4 if short else floods.SECONDS),
        "rolling": lambda: rolling.run(("authz",) if short else rolling.SERVICES),
    }


def measured(name: str, measure: Callable[[], Result]) -> Result | None:
    """The result of a part; a part that fails does not stop the others."""
    began = time.monotonic()
    sys.stderr.write(f"{name} …\n")
    try:
        return measure()
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - the run says which part is missing
        sys.stderr.write(f"{name} failed: {type(problem).__name__}: {problem}\n")
        return None
    finally:
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")


def figures() -> dict[str, str]:
    """The figures that have a goal, as the page of rules names them."""
    found = map(LEGEND.match, (ROOT / PAGE).read_text().splitlines())
    return {one["id"]: one["text"].strip() for one in found if one and one["id"].startswith("P")}


def circumstances() -> dict[str, object]:
    """The revision, the day, the machine and the versions."""
    command = ["git", "describe", "--always", "--dirty"]
    revision = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in PACKAGES if _installed(name)]
    return {
        "revision": revision.strip(),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "Python": platform.python_version(),
            **{name: version(name) for name in names},
        },
    }


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False


def known() -> Mapping[str, Measurement]:
    """What was measured before."""
    if not RECORDED.exists():
        return {}
    return msgspec.json.decode(RECORDED.read_bytes(), type=dict[str, Measurement])


def write(found: Mapping[str, Measurement]) -> None:
    """Write the page, its plots, and what they are made of."""
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    for old in RECORDED.parent.glob("*.svg"):
        old.unlink()
    for name, content in files(found, figures()).items():
        (DOCS / name).write_text(content)


def main() -> int:
    """Measure; 0 if every part could be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", type=Path, help="a folder as `benchmarks.checks` describes it")
    parser.add_argument("--only", help="the parts to measure, with commas between them")
    parser.add_argument(
        "--short", action="store_true", help="try it: measure little, write nothing"
    )
    given = parser.parse_args()
    every = parts(given.peers, short=given.short)
    chosen = given.only.split(",") if given.only else list(every)
    if unknown := [name for name in chosen if name not in every]:
        parser.error(f"There is no part {', '.join(unknown)}. Choose from: {', '.join(every)}.")
    if "checks" in chosen:
        require_wrk()
    about = circumstances()
    found = dict(known())
    failed = []
    for name in chosen:
        result = measured(name, every[name])
        if result is None:
            failed.append(name)
            continue
        print(f"## {result.title}\n\n{result.markdown()}\n", flush=True)
        found[name] = msgspec.convert({"result": result, **about}, Measurement)
        if not given.short:
            write({part: found[part] for part in every if part in found})
    if failed:
        sys.stderr.write(f"Not measured: {', '.join(failed)}.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
