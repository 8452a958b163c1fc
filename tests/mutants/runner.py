"""Plants each mutant in a copy of the project and runs its tests there."""

import itertools
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parent.parent.parent
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".data", "*cache*", ".hypothesis", "*.egg-info"
)
FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - |$)", re.MULTILINE)
TESTS_FAILED = 1
"""The exit status of pytest for a failed test; others say that the tests did not run."""


class Result(StrEnum):
    """What became of a mutant. Only `CAUGHT` is good."""

    CAUGHT = "caught"
    FAILS_ANYWAY = "fails anyway"
    """The test that failed also fails without the defect, and proves nothing."""
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    NOT_RUN = "not run"
    """pytest ended without a verdict: a wrong path, no test, or a file that cannot be imported."""


@dataclass(frozen=True)
class Outcome:
    """One mutant's result; `detail` is the test that failed, or the end of pytest's output."""

    mutant: Mutant
    result: Result
    detail: str
    seconds: float


class Copy:
    """A copy of the project in which one mutant at a time is planted."""

    _seconds = itertools.count(1_000_000_000, 10)

    def __init__(self, source: Path, folder: Path) -> None:
        """Copy `source` to `folder`, without what git ignores."""
        self.root = folder
        shutil.copytree(source, folder, ignore=NOT_COPIED, dirs_exist_ok=True)
        # Tests of the project's shape ask git for the files.
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)

    def run(self, mutant: Mutant) -> Outcome:
        """Plant the mutant, run its tests, and take it back."""
        before = mutant.plant(self.root)
        self._touch(mutant)
        try:
            return self.run_tests(mutant)
        finally:
            (self.root / mutant.file).write_text(before)
            self._touch(mutant)

    def run_tests(self, mutant: Mutant) -> Outcome:
        """Run the mutant's tests on what the copy holds now."""
        began = time.monotonic()
        status, output = self._pytest(mutant.tests, mutant.seconds)
        took = time.monotonic() - began
        failed = FAILED_TEST.search(output)
        if status is None:
            return Outcome(mutant, Result.TIMED_OUT, f"after {mutant.seconds:.0f} s", took)
        if status == 0:
            return Outcome(mutant, Result.SURVIVED, " ".join(mutant.tests), took)
        if status != TESTS_FAILED or failed is None:
            return Outcome(mutant, Result.NOT_RUN, output.strip()[-400:], took)
        return Outcome(mutant, Result.CAUGHT, failed[1], took)

    def passes(self, test: str, seconds: float) -> bool:
        """Whether one test, with all its parameters, passes on what the copy holds now."""
        status, _ = self._pytest([test], seconds)
        return status == 0

    def _pytest(self, tests: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """The exit status (`None`: it took too long) and the output."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            process = subprocess.Popen(
                [*command, "-p", "no:randomly", f"--basetemp={folder}/tests", *tests],
                cwd=self.root,
                env={**os.environ, "PYTHONPATH": f"{self.root}:{self.root / 'sdk'}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                # Its servers end by themselves when it does (`deploy.programs.program`).
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
                return None, output
        return process.returncode, output

    def _touch(self, mutant: Mutant) -> None:
        """Give the file a time of its own, so that Python compiles it anew."""
        moment = next(self._seconds)
        os.utime(self.root / mutant.file, (moment, moment))


@contextmanager
def copies(source: Path, count: int) -> Iterator[list[Copy]]:
    """As many copies as workers."""
    with ExitStack() as stack:
        folders = [
            stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-"))
            for _ in range(count)
        ]
        yield [Copy(source, Path(folder) / "project") for folder in folders]


def run_all(
    mutants: Sequence[Mutant],
    *,
    workers: int,
    source: Path = ROOT,
    done: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Run every mutant; `done` gets each outcome as it comes.

    Each test that caught a mutant must pass without a defect; it is run for that once.
    """
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    telling = threading.Lock()
    passing: dict[str, bool] = {}

    def run(mutant: Mutant) -> Outcome:
        copy = free.get()
        try:
            outcome = copy.run(mutant)
            if outcome.result is Result.CAUGHT:
                test = outcome.detail.partition("[")[0]
                if test not in passing:
                    passing[test] = copy.passes(test, mutant.seconds)
                if not passing[test]:
                    outcome = replace(outcome, result=Result.FAILS_ANYWAY)
        finally:
            free.put(copy)
        with telling:
            done(outcome)
        return outcome

    with copies(source, workers) as made, ThreadPoolExecutor(workers) as threads:
        for copy in made:
            free.put(copy)
        return list(threads.map(run, mutants))


def line(outcome: Outcome) -> str:
    """One line of the table."""
    row = outcome.mutant
    return (
        f"{outcome.result:<13}{outcome.seconds:7.1f} s  {row.kind:<13}{row.id:<54}{outcome.detail}"
    )
