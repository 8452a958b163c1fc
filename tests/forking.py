"""A pytest plugin that runs the tests in forked processes: `--workers 5`.

The first process imports what the tests share, and finds their files. Its workers are forked from
it. Each takes one unit after the other (`tests/spreading.py`), and imports a file of tests when it
runs it: no process collects the tests of another.
"""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

import pytest

from tests.spreading import in_order, take, unit_of, units_of
from tests.support.forked import leave, share, use_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from tests.spreading import Unit

ENDED_WELL = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}

PROGRESS_LINES = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the number of workers."""
    parser.addoption(
        "--workers", type=int, default=0, help="run the tests in this number of forked processes"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Become the first process of a run with workers, unless it is about single tests."""
    chosen = any("::" in argument for argument in config.args)
    if config.option.workers and not chosen and not config.option.collectonly:
        config.pluginmanager.register(FirstProcess(config.option.workers), FirstProcess.NAME)


class LateModule(pytest.Module):
    """A file of tests that only a worker imports."""

    def collect(self) -> Any:
        """Return its tests in a worker; tell the first process of it, and return nothing."""
        if first := self.config.pluginmanager.get_plugin(FirstProcess.NAME):
            first.modules.append(self)
            return ()
        return super().collect()


class BetweenUnits(pytest.Item):
    """What a worker runs next after the last test of a unit, so that it keeps what it shares."""

    def runtest(self) -> None:
        """Do nothing: it is never run."""


@dataclass(eq=False)
class WorkerProcess:
    """What the first process knows of a worker."""

    number: int
    pid: int
    unit: str = ""
    running: tuple[str, Any] | None = None
    """The test that it runs now, and its place."""
    error: str = ""
    """What went wrong in the worker itself."""


@dataclass(eq=False)
class FirstProcess:
    """Gives units to the workers, and reports what they tell."""

    NAME = "first process of a run"

    count: int
    modules: list[pytest.Module] = field(default_factory=list)
    workers: dict[Connection, WorkerProcess] = field(default_factory=dict)

    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> pytest.Module:
        """Make a file of tests, which only a worker imports."""
        module: pytest.Module = LateModule.from_parent(parent, path=module_path)
        return module

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork the workers and run every unit; a worker returns from here when it has no more."""
        if session.testsfailed:
            raise session.Interrupted("The files of tests were not found; see the errors.")
        units = in_order(
            units_of(self.modules), seed=session.config.getoption("randomly_seed", default=0)
        )
        count = min(self.count, len(units))
        share(count)
        for number in range(count):
            ours, theirs = Pipe()
            if (pid := os.fork()) == 0:
                for connection in (ours, *self.workers):
                    connection.close()
                session.config.pluginmanager.unregister(self)
                use_as(number)
                Worker(theirs, units).run(session)
                return True
            theirs.close()
            self.workers[ours] = WorkerProcess(number, pid)
        leave()
        if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
            reporter.showfspath = False  # the results of several files stand in one line
        self._serve(session, units, count)
        return True

    def _serve(self, session: pytest.Session, units: list[Unit[pytest.Module]], count: int) -> None:
        left, numbers = list(units), {unit.name: number for number, unit in enumerate(units)}
        while self.workers:
            for connection in wait(self.workers):
                assert connection in self.workers
                try:
                    kind, content = connection.recv()
                except (EOFError, ConnectionResetError):
                    self._end(session, self.workers.pop(connection))
                    connection.close()
                    continue
                if kind == "next":
                    number = self.workers[connection].number
                    unit = take(left, worker=number, workers=count)
                    connection.send(numbers[unit.name] if unit else None)
                    if unit:
                        _show_progress(session, len(units) - len(left), len(units))
                else:
                    self._tell(session, self.workers[connection], kind, content)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
        if left:
            self._fail(session, f"{len(left)} units", None, "No worker was left to run them.")

    def _tell(
        self, session: pytest.Session, worker: WorkerProcess, kind: str, content: Any
    ) -> None:
        hook = session.config.hook
        if kind == "unit":
            worker.unit, tests = content
            session.testscollected += tests
        elif kind == "begins":
            worker.running = content
            hook.pytest_runtest_logstart(nodeid=content[0], location=content[1])
        elif kind == "reports":
            for data in content:
                report = hook.pytest_report_from_serializable(config=session.config, data=data)
                hook.pytest_runtest_logreport(report=report)
            if worker.running:
                nodeid, location = worker.running
                hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
                worker.running = None
        elif kind == "broken":
            worker.error = content
        else:
            report = hook.pytest_report_from_serializable(config=session.config, data=content)
            hook.pytest_collectreport(report=report)

    def _end(self, session: pytest.Session, worker: WorkerProcess) -> None:
        """Report a worker that ended otherwise than with its session."""
        _, status = os.waitpid(worker.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in ENDED_WELL or worker.running:
            nodeid, location = worker.running or (worker.unit, None)
            self._fail(
                session, nodeid, location, f"Its worker ended with status {code}. {worker.error}"
            )

    def _fail(self, session: pytest.Session, nodeid: str, location: Any, why: str) -> None:
        report = pytest.TestReport(
            nodeid=nodeid,
            location=location or (nodeid, None, nodeid),
            keywords={},
            outcome="failed",
            longrepr=why,
            when="call",
        )
        session.config.hook.pytest_runtest_logreport(report=report)


class Worker:
    """Runs units in a forked process, and sends what it finds to the first one."""

    NAME = "worker of a run"

    def __init__(self, connection: Connection, units: Sequence[Unit[pytest.Module]]) -> None:
        """Know each unit by its place."""
        self._connection = connection
        self._units = units
        self._reports: list[Any] = []

    def run(self, session: pytest.Session) -> None:
        """Run units until there are no more, or the first process has ended."""
        self._config = config = session.config
        config.workerinput = {}  # type: ignore[attr-defined] # plugins then leave the cache alone
        _have_own_output(config)
        config.pluginmanager.register(self, self.NAME)
        between = BetweenUnits.from_parent(session, name="between units")
        try:
            while (number := self._next()) is not None:
                self._run(session, self._units[number], between)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            session.shouldstop = "The first process has ended."

    def _next(self) -> int | None:
        self._connection.send(("next", None))
        number: int | None = self._connection.recv()
        return number

    def _run(
        self, session: pytest.Session, unit: Unit[pytest.Module], between: pytest.Item
    ) -> None:
        tests = [test for module in unit.modules for test in session.genitems(module)]
        session.items = [test for test in tests if unit_of(test.nodeid) == unit.name]
        hook = self._config.hook
        hook.pytest_collection_modifyitems(
            session=session, config=self._config, items=session.items
        )
        session.testscollected += len(session.items)
        self._connection.send(("unit", (unit.name, len(session.items))))
        for test, following in _pairs(session.items, between):
            self._config.hook.pytest_runtest_protocol(item=test, nextitem=following)
            if session.shouldfail or session.shouldstop:
                return

    def pytest_internalerror(self, excrepr: object) -> None:
        """Send what ends this process, which has no terminal."""
        with suppress(OSError):
            self._connection.send(("broken", str(excrepr)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Send what is wrong with a file of tests."""
        if not report.passed:
            self._connection.send(("collected", self._serialized(report)))

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Send which test begins."""
        self._connection.send(("begins", (nodeid, location)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a report until its test has ended."""
        self._reports.append(self._serialized(report))

    def pytest_runtest_logfinish(self) -> None:
        """Send the reports of a test."""
        self._connection.send(("reports", self._reports))
        self._reports = []

    def _serialized(self, report: object) -> Any:
        return self._config.hook.pytest_report_to_serializable(config=self._config, report=report)


def _show_progress(session: pytest.Session, begun: int, units: int) -> None:
    """Say at each twentieth how far the run is; how many tests there are is known at its end."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and begun * PROGRESS_LINES // units > (begun - 1) * PROGRESS_LINES // units:
        text = f" [{begun} of {units} parts, {session.testscollected} tests]\n"
        reporter.write(text, flush=True)


class Silent:
    """What stands for the terminal in a worker: plugins ask it where to write."""

    def __init__(self, config: pytest.Config) -> None:
        """Write where nothing is read: a timeout says in its test's report what it was."""
        self._tw = config.get_terminal_writer().__class__(io.StringIO())


def _have_own_output(config: pytest.Config) -> None:
    """Capture output in files of this process, and write nothing to the terminal."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None
    capture.stop_global_capturing()
    capture.start_global_capturing()
    capture.suspend_global_capture()
    silent = Silent(config)
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(silent, "terminalreporter")


def _pairs(
    tests: Sequence[pytest.Item], last: pytest.Item
) -> Iterator[tuple[pytest.Item, pytest.Item]]:
    return zip(tests, [*tests, last][1:], strict=True)
