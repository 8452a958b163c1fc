"""Loads servers with requests, and measures their answers per second and their CPU."""

import os
import re
import shutil
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, CLIENT_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")

SCRIPT = """\
local bodies = {{}}
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
wrk.method = "POST"
{headers}
local requests, at = {{}}, {first}
init = function(args)
  for number, body in ipairs(bodies) do requests[number] = wrk.format(nil, nil, nil, body) end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency, requests)
  io.write(string.format("rate=%.1f count=%d p50=%.0f p99=%.0f errors=%d\\n",
    summary.requests / summary.duration * 1e6, summary.requests,
    latency:percentile(50), latency:percentile(99),
    summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout + summary.errors.status))
end
"""


@dataclass(frozen=True)
class Measured:
    """One run: requests per second, latencies in milliseconds, answers other than 2xx.

    `cpu` is the microseconds of CPU that the servers spent for one request.
    """

    rate: float
    p50: float
    p99: float
    errors: int
    cpu: float = 0.0


def require_wrk() -> str:
    """The load generator.

    Raises:
        SystemExit: wrk is not installed; the text says what to install.
    """
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("Measuring needs wrk: install the system's package wrk.")
    return program


class Load:
    """Requests with these bodies in turn, over `connections`, from one core."""

    def __init__(
        self,
        url: str,
        *,
        bodies: Sequence[str],
        headers: Mapping[str, str],
        connections: int,
        seconds: int,
        folder: Path,
        servers: Sequence[int] = (),
        core: str = CLIENT_CORE,
    ) -> None:
        """Start it; `servers` are the processes whose CPU counts."""
        texts, script = folder / f"bodies-{core}", folder / f"post-{core}.lua"
        texts.write_text("\n".join(bodies))
        lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
        script.write_text(SCRIPT.format(bodies=texts, headers=lines, first=int(core) * 1000))
        command = [
            *("taskset", "-c", core, require_wrk()),
            *("-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url),
        ]
        self._servers = servers
        self._spent = cpu_seconds(servers)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def result(self) -> Measured:
        """Wait for the end; what was measured."""
        output, _ = self._process.communicate()
        found = re.search(r"rate=([\d.]+) count=(\d+) p50=(\d+) p99=(\d+) errors=(\d+)", output)
        if found is None:
            raise RuntimeError(output)
        return Measured(
            rate=float(found[1]),
            p50=int(found[3]) / 1000,
            p99=int(found[4]) / 1000,
            errors=int(found[5]),
            cpu=(cpu_seconds(self._servers) - self._spent) / max(1, int(found[2])) * 1e6,
        )


def cpu_seconds(pids: Sequence[int]) -> float:
    """The seconds of CPU that these processes have spent."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def pin(pids: Sequence[int], core: str = SERVER_CORE) -> None:
    """Put processes on one core, by default the server's."""
    for pid in pids:
        command = ["taskset", "-a", "-p", "-c", core, str(pid)]
        subprocess.run(command, capture_output=True, check=True)


def children(pid: int) -> list[int]:
    """A process and its children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in listed)]


def median(runs: Sequence[Measured]) -> Measured:
    """The run whose rate is the median."""
    middle = statistics.median_low(run.rate for run in runs)
    return next(run for run in runs if run.rate == middle)
