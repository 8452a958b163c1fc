"""P1: checks in the process that asks, beside other products with the same workload.

    PYTHONPATH=.:sdk python -m benchmarks.peers --peers FOLDER

`benchmarks.checks` says how the folder is made.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.workload import Check, checks, for_peers, of_team
from rolecall import Resource, Subject, decide, milliseconds
from services.authz.domain.policy_state import PolicyState
from shared.clock import SystemClock

SCRIPT = Path(__file__).parent / "peer_checks.py"
ROUNDS = 5


def ours(asked: list[Check]) -> float:
    """The microseconds of a check here, from strings to the decision.

    Raises:
        SystemExit: an answer is wrong.
    """
    state, now = PolicyState(), milliseconds(SystemClock().now())
    state.put([each.model_copy(update={"rev": 1}) for each in of_team()])
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for check in asked:
            account = state.account(check.account)
            resource = Resource("r-1", check.owner)
            name = f"{check.type}:{check.action}"
            if account is None:
                raise SystemExit(f"{check.account} is not there.")
            decision = decide(account, Subject(check.user), name, resource, now=now)
            if decision.allowed is not check.allowed:
                raise SystemExit(f"{check} is decided as {decision}.")
        best = min(best, (time.process_time() - started) / len(asked))
    return best * 1e6


def run(peers: Path | None = None) -> str:
    """Measure; the rows of the report."""
    own = ours(checks())
    rows = [
        "| in process | a check, µs | beside ours |",
        "|---|---|---|",
        f"| Rolecall, from strings | {own:.2f} | 1 |",
    ]
    python = None if peers is None else peers / "bin" / "python"
    if python is None or not python.exists():
        return "\n".join([*rows, "", "Other products: not compared, no folder of peers is named."])
    with tempfile.TemporaryDirectory() as folder:
        workload = Path(folder) / "workload.json"
        workload.write_text(json.dumps(for_peers()))
        command = [str(python), str(SCRIPT), str(workload)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name, found in json.loads(output).items():
        if "us" in found:
            rows.append(f"| {name} | {found['us']:,.1f} | {found['us'] / own:,.1f} |")
        else:
            rows.append(f"| {name} | not compared | {found['reason']} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder with the other products")
    print(run(parser.parse_args().peers))


if __name__ == "__main__":
    main()
