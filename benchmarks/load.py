"""Loads a server with one request and measures its answers per second."""

import re
import shutil
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, CLIENT_CORE = "0", "1"

SCRIPT = """\
wrk.method = "POST"
wrk.body = [==[{body}]==]
{headers}
done = function(summary, latency, requests)
  io.write(string.format("rate=%.1f p50=%.0f p99=%.0f errors=%d\\n",
    summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99),
    summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout + summary.errors.status))
end
"""


@dataclass(frozen=True)
class Measured:
    """One run: requests per second, latencies in milliseconds, answers other than 2xx."""

    rate: float
    p50: float
    p99: float
    errors: int


def require_wrk() -> str:
    """The load generator.

    Raises:
        SystemExit: wrk is not installed; the text says what to install.
    """
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("Measuring needs wrk: install the system's package wrk.")
    return program


def post(
    url: str,
    *,
    body: str,
    headers: Mapping[str, str],
    connections: int,
    seconds: int,
    folder: Path,
) -> Measured:
    """Send the same POST over `connections` for `seconds`, from the client's core."""
    script = folder / "post.lua"
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    script.write_text(SCRIPT.format(body=body, headers=lines))
    command = [
        *("taskset", "-c", CLIENT_CORE, require_wrk()),
        *("-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url),
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"rate=([\d.]+) p50=(\d+) p99=(\d+) errors=(\d+)", output)
    if found is None:
        raise RuntimeError(output)
    return Measured(
        rate=float(found[1]),
        p50=int(found[2]) / 1000,
        p99=int(found[3]) / 1000,
        errors=int(found[4]),
    )


def pin(pids: Sequence[int]) -> None:
    """Put processes on the server's core."""
    for pid in pids:
        command = ["taskset", "-a", "-p", "-c", SERVER_CORE, str(pid)]
        subprocess.run(command, capture_output=True, check=True)


def median(runs: Sequence[Measured]) -> Measured:
    """The run whose rate is the median."""
    middle = statistics.median_low(run.rate for run in runs)
    return next(run for run in runs if run.rate == middle)
