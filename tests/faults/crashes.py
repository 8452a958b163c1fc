"""Programs that kill themselves at a step, their runs, and the tables of what their deaths left."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from shared.inbox import AWAY
from tests.lengths import SEED, SOAK
from tests.servers import UNMEASURED
from tests.support.forked import Forked
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL
"""The status of a program that has killed itself."""
BEFORE_COMMIT = "before the first commit"
DEAD_TRANSACTION_SECONDS = 62.0
"""The database keeps for a minute what a dead process was changing."""
_numbers = count(1)


def die() -> None:
    """End this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


class CrashingProgram(Forked):
    """One run of a program of this folder."""

    name = "crashing"
    url = ""

    def __init__(self, folder: Path, module: str, *arguments: str) -> None:
        super().__init__(folder)
        self.log = folder / f"{module}-{next(_numbers)}.log"
        self._command = [sys.executable, "-m", f"tests.faults.{module}", *arguments]

    def command(self) -> list[str]:
        return self._command

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **UNMEASURED}

    def answers(self) -> bool:
        return True

    async def run_to_its_end(self) -> int:
        """Run until it ends, and return its status."""
        self.start()
        process = self._process
        assert process is not None
        what = f"the end of {self._command[2:]}"
        try:
            await wait_for(lambda: not self.running, within=120, what=what)
        finally:
            self.kill()
        assert "Traceback" not in self.log.read_text(), self.log.read_text()
        return process.wait()


async def when_back(work: Callable[..., Awaitable[T]], *given: Any) -> T:
    """Do it, and again while the database does not answer."""
    while True:
        with contextlib.suppress(*AWAY):
            return await work(*given)


@dataclass
class StepKills:
    """Kills of a program at each of its steps, one after the other, in several rounds.

    The program takes the number of the step as its last argument. It writes the step's name.
    """

    module: str
    every: int = 1
    """In a short run, which of the steps are tried: each second one, for instance."""
    died: Counter[str] = field(default_factory=Counter)
    doubles: Counter[str] = field(default_factory=Counter)

    def steps(self) -> Iterator[int]:
        """The numbers of the steps that are tried, without an end."""
        return count(1) if SOAK else count(1 + SEED % self.every, self.every)

    async def run(self, folder: Path, step: int, *arguments: str) -> str | None:
        """Run the program; return the step at which it died, or `None` when it has no such step."""
        program = CrashingProgram(folder, self.module, *arguments, str(step))
        status = await program.run_to_its_end()
        if status == 0:
            return None
        assert status == KILLED, program.log.read_text()
        name = program.log.read_text().splitlines()[-1]
        self.died[name] += 1
        if name == BEFORE_COMMIT:
            over = time.monotonic() + DEAD_TRANSACTION_SECONDS
            what = "the end of the transaction of a dead process"
            await wait_for(lambda: time.monotonic() > over, within=90, what=what)
        return name


def kill_table(
    what: str, died: Mapping[str, int], *, doubles: Mapping[str, int], last: Iterable[str] = ()
) -> str:
    """The figures of a run as text; the assertions have shown that the other columns are 0."""
    lines = [f"{what:<56}{'kills':>6}{'lost':>6}{'double':>8}{'invented':>10}"]
    lines += [
        f"{point:<56}{times:>6}{0:>6}{doubles.get(point, 0):>8}{0:>10}"
        for point, times in died.items()
    ]
    return "\n".join([*lines, *last])
