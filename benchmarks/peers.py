"""P1: checks in the process that asks, beside other products with the same workload.

    PYTHONPATH=.:sdk python -m benchmarks.peers --peers FOLDER

`benchmarks.checks` says how the folder is made.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.peer_checks import PEERS, SHARE_OF_CHECKS, measured
from benchmarks.results import Bars, Cell, Goal, Result, Table
from benchmarks.workload import checks, for_peers, of_team
from rolecall import Resource, Subject, decide, milliseconds
from services.authz.domain.policy_state import PolicyState
from shared.clock import SystemClock

SCRIPT = Path(__file__).parent / "peer_checks.py"
NOTE = (
    f"The median of passes over the same {SHARE_OF_CHECKS} checks, CPU time, one function for all."
)
OURS, TIMES = "Rolecall", 10
"""The name of ours, and how many times as fast as each peer it should be."""


def ours() -> dict[str, Any]:
    """The microseconds of a check here, from strings to the decision, timed as those of the peers.

    Raises:
        SystemExit: an answer is wrong.
    """
    state, now = PolicyState(), milliseconds(SystemClock().now())
    state.put([each.model_copy(update={"rev": 1}) for each in of_team()])

    def check_one(check: dict[str, str]) -> bool:
        account = state.account(check["account"])
        name, resource = f"{check['type']}:{check['action']}", Resource("r-1", check["owner"])
        if account is None:
            return False
        return decide(account, Subject(check["user"]), name, resource, now=now).allowed

    asked = [asdict(check) for check in checks()[:SHARE_OF_CHECKS]]
    found: dict[str, Any] = measured(check_one, asked)
    if "us" not in found:
        raise SystemExit(found["reason"])
    return found


def compared(peers: Path | None) -> dict[str, dict[str, Any]]:
    """What was found of each product: the microseconds of a check, or why there are none."""
    found = {OURS: ours()}
    python = None if peers is None else peers / "bin" / "python"
    if python is None or not python.exists():
        return found | {name: {"reason": "no folder of peers is named"} for name in PEERS}
    with tempfile.TemporaryDirectory() as folder:
        workload = Path(folder) / "workload.json"
        workload.write_text(json.dumps(for_peers()))
        command = [str(python), str(SCRIPT), str(workload)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return found | json.loads(output)


def run(peers: Path | None = None) -> Result:
    """Measure."""
    found = compared(peers)
    times = {name: each["us"] for name, each in found.items() if "us" in each}
    own = times[OURS]
    rows: list[tuple[Cell, ...]] = [
        (name, each.get("version", ""), each["us"], each["us"] / own)
        if "us" in each
        else (name, "", "not compared", each["reason"])
        for name, each in found.items()
    ]
    others = {name: value / own for name, value in times.items() if name != OURS}
    nearest = min(others, key=lambda name: others[name], default=None)
    goal = Goal(
        "P1",
        "a check from strings, beside the nearest product that Python can call",
        "not compared"
        if nearest is None
        else f"{own:.2f} µs; {nearest} takes {others[nearest]:.1f} times as long",
        f"at least {TIMES} times",
        None if nearest is None else others[nearest] >= TIMES,
    )
    return Result(
        "Checks in process, beside other products",
        "python -m benchmarks --only peers --peers FOLDER",
        tables=[Table(("in process, from strings", "version", "a check, µs", "beside ours"), rows)],
        plots=[
            Bars(
                "peers",
                "One check in the process that asks",
                "microseconds (each line is ten times the one before); less is better",
                list(times.items()),
                log=True,
            )
        ],
        goals=[goal],
        notes=[NOTE],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder with the other products")
    print(run(parser.parse_args().peers).markdown())


if __name__ == "__main__":
    main()
