"""Python programs that are forked from a process which has imported the product already.

A start would otherwise take a second of imports. Each process that runs tests has one fork server.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from deploy.programs.program import Process, Program, ProgramError
from tests.support.fork_server import NewProgram

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVER = (sys.executable, "-m", "tests.support.fork_server")
ROOT = Path(__file__).parents[2]
LONGEST_PAUSE_SECONDS = 0.05
PRELOADED = (
    "services.team.app",
    "services.identity.app",
    "services.authz.app",
    "services.audit.app",
    "services.notification.app",
    "services.console.app",
    "deploy.local.run",
    "deploy.mailcatcher.catcher",
    "uvloop",
)
DATABASE = ("secantus.cli",)
"""Nothing of the product, which shares no process with this one (docs/decisions/0003)."""


class ForkServer:
    """A fork server that has imported some modules; any thread may ask it.

    A process that forks others, which shall ask it too, starts it with a connection for each.
    """

    def __init__(self, modules: Sequence[str], *, processes: int = 1) -> None:
        self._lock = threading.Lock()
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(processes)]
        self._connections = [ours for ours, _ in pairs]
        self._connection = self._connections[0]
        numbers = [theirs.fileno() for _, theirs in pairs]
        self._process = subprocess.Popen(
            [*SERVER, ",".join(map(str, numbers)), *modules],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}",
                "OPENBLAS_NUM_THREADS": "1",
                "COVERAGE_PROCESS_CONFIG": "",
            },
            stdin=subprocess.DEVNULL,
            pass_fds=numbers,
            start_new_session=True,
        )
        for _, theirs in pairs:
            theirs.close()

    def for_process(self, number: int) -> None:
        """Use the connection of this forked process only."""
        self._connection = self._connections[number]
        self._close_all_but(self._connection)

    def ask(self, message: bytes, *files: IO[Any] | int) -> Any:
        """Send a request with open files, and return the answer.

        Raises:
            ProgramError: the server has ended.
        """
        descriptors = [file if isinstance(file, int) else file.fileno() for file in files]
        try:
            with self._lock:
                socket.send_fds(self._connection, [message], descriptors)
                answer = self._connection.recv(64)
        except OSError:
            answer = b""
        if not answer:
            raise ProgramError("The fork server of the tests has ended. Read what it wrote above.")
        return json.loads(answer)

    def close(self) -> None:
        """End the server, if no other process uses it; what it forked goes on."""
        self._close_all_but(None)

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()

    def _close_all_but(self, kept: socket.socket | None) -> None:
        for each in self._connections:
            if each is not kept:
                each.close()


_shared: dict[tuple[str, ...], ForkServer] = {}


def share(processes: int) -> None:
    """Start the fork servers that this many processes will use, which this one forks next."""
    for modules in (PRELOADED, DATABASE):
        _shared[modules] = ForkServer(modules, processes=processes)


def use_as(number: int) -> None:
    """Ask the shared servers as this of the forked processes."""
    for server in _shared.values():
        server.for_process(number)


def leave() -> None:
    """Let the shared servers end with the forked processes."""
    for server in _shared.values():
        server.close()


@cache
def fork_server(modules: tuple[str, ...]) -> ForkServer:
    """Return the server that has imported these modules: the shared one, or one of this process."""
    if modules in _shared:
        server = _shared[modules]
        atexit.register(server.close)
    else:
        server = ForkServer(modules)
        atexit.register(server.wait)
        atexit.register(server.close)
    return server


class ForkedProcess:
    """A child of the fork server, with what `Program` uses of `subprocess.Popen`."""

    def __init__(
        self, server: ForkServer, program: NewProgram, *, log: IO[bytes], lock: IO[str]
    ) -> None:
        """Fork the process; it waits for a line from its `stdin`."""
        self._server = server
        self.returncode: int | None = None
        read, write = os.pipe()
        self.stdin: IO[bytes] | None = os.fdopen(write, "wb")
        try:
            self.pid = int(self._server.ask(program.encode(), read, log, log, lock))
        finally:
            os.close(read)

    def poll(self) -> int | None:
        """Return its status if it has ended."""
        if self.returncode is None:
            self.returncode = self._server.ask(json.dumps(self.pid).encode())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, and return its status.

        Raises:
            subprocess.TimeoutExpired: it did not end within this time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return status


class Forked(Program):
    """A program whose command is this interpreter with a module or a script."""

    preloaded: ClassVar[tuple[str, ...]] = PRELOADED
    """What the process that it is forked from has imported."""

    def spawn(self, *, log: IO[bytes], lock: IO[str]) -> Process:
        """Fork it instead of starting an interpreter."""
        program = NewProgram(
            command=list(self.command()),
            folder=str(self.folder),
            environment={**os.environ, **self.environment()},
        )
        return ForkedProcess(fork_server(self.preloaded), program, log=log, lock=lock)
