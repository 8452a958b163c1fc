"""Runs every measurement and writes one report: `benchmarks/report.md`."""

import argparse
import contextlib
import io
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks import (
    authz_state,
    checks,
    decide,
    floods,
    peers,
    removals,
    rolling,
    sign_in,
    team,
)
from benchmarks.load import require_wrk

REPORT = Path(__file__).parent / "report.md"


def one_decision() -> str:
    """The output of `benchmarks.decide`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        decide.main()
    return f"```\n{printed.getvalue().strip()}\n```"


def main() -> None:
    """Measure everything; it takes about fifteen minutes."""
    parser = argparse.ArgumentParser(description="Measure everything.")
    parser.add_argument("--peers", type=Path, help="a folder as `benchmarks.checks` describes it")
    folder = parser.parse_args().peers
    require_wrk()
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    parts = [
        "# Measurements",
        f"Revision {revision}, {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}.",
        "Only ratios within one table mean anything: the machine is shared and small.",
    ]
    for title, measure in (
        ("One decision in process (P1)", one_decision),
        ("Checks in process, beside other products (P1)", partial(peers.run, folder)),
        ("Checks over HTTP (P2 to P5)", partial(checks.run, folder)),
        ("The state of a replica (P6, P7)", authz_state.run),
        ("Removal to acknowledgement, three replicas (P9)", removals.run),
        ("Writes, and a page of members", team.run),
        ("Sign-ins during guesses, and what their time reveals (T8, T9)", sign_in.run),
        ("Checks and sign-ins during floods (T19)", floods.run),
        ("Restarts of every service under load (F29)", rolling.run),
    ):
        sys.stderr.write(f"{title} …\n")
        parts += [f"## {title}", measure()]
    REPORT.write_text("\n\n".join(parts) + "\n")
    print(REPORT.read_text())


if __name__ == "__main__":
    main()
