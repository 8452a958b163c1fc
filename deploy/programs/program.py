"""How does a server run as our child, and end when we end, however we end?"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# The server waits for one line before it becomes itself, and the guard kills the server's process
# group when the pipe from us closes. So there is no moment at which our death leaves an orphan, and
# it does not matter which thread started the server (as it would for PR_SET_PDEATHSIG).
_WAIT_FOR_GUARD = 'read -r _ && exec "$@" </dev/null'
_GUARD = 'read -r _; kill -9 "-$0"'

# Below the range that the kernel takes for outgoing connections (from 32768 on Linux, 49152
# elsewhere): a port there stays ours while its server is down between a kill and a restart.
_PORTS = range(15_000, 32_000)
_PARTS = 8
_given: set[int] = set()


class ProgramError(RuntimeError):
    """A server could not be started; the text says which, why, and where its log is."""


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on, to each who asks in this process another.

    Whoever starts many servers asks for all their ports before the first one listens.
    """
    # The system's randomness: a seeded generator would give two test runs the same ports. Processes
    # that run side by side, whose ids follow each other, take theirs from different parts.
    ports, part = random.SystemRandom(), _PORTS[os.getpid() % _PARTS :: _PARTS]
    while True:
        port = ports.choice(part)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def listens(port: int) -> bool:
    """Tell whether something accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def hold(file: IO[str], *, seconds: float) -> bool:
    """Lock a file for as long as it is open; False when somebody else keeps it for `seconds`.

    A lock ends with its process, so a file that was left behind never blocks anybody.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


class Program(ABC):
    """A server in its own folder and process group, as a child of this process.

    `start` blocks until the server answers; asynchronous callers use `asyncio.to_thread`. A server
    can be started again after `stop` or `kill`: same folder, same port, same data.
    """

    name: ClassVar[str]
    start_seconds: ClassVar[float] = 60
    stop_seconds: ClassVar[float] = 20

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        """Keep everything of the server below `folder`; without `port`, take a free one."""
        self.folder = folder.resolve()
        self.port = free_port() if port is None else port
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address that clients use."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command line; called once per start, after the folder exists."""

    def environment(self) -> Mapping[str, str]:
        """Environment variables that the server gets on top of ours."""
        return {}

    def answers(self) -> bool:
        """Tell, within about a second, whether the server is ready for clients."""
        return listens(self.port)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server, which is its process group's too."""
        if self._process is None:
            message = f"{self.name} is not running"
            raise ProgramError(message)
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises `ProgramError` when it ends, or does not answer within `start_seconds`.
        """
        if self.running:
            return
        self._end(signal.SIGKILL)  # what is left of a server that ended by itself
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self.start_seconds
        with (self.folder / f"{self.name}.lock").open("w") as lock:
            # A dying server of an earlier run still holds it: the server inherits the locked file.
            if not hold(lock, seconds=self.start_seconds):
                raise self._failure(f"cannot start: another {self.name} still uses {self.folder}")
            self._launch(lock)
        while not (self.running and self.answers()):
            if not self.running or time.monotonic() > deadline:
                status = self._process.poll() if self._process else None
                self.kill()
                ended = "did not answer" if status is None else f"ended with status {status}"
                raise self._failure(ended)
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask the server to end (SIGTERM), and insist (SIGKILL) after `stop_seconds`."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _launch(self, lock: IO[str]) -> None:
        command = self.command()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WAIT_FOR_GUARD, self.name, *command],
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fileno()],
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if self._process.stdin is not None:
            with self._process.stdin as go:
                go.write(b"\n")

    def _end(self, how: signal.Signals) -> None:
        process, guard = self._process, self._guard
        self._process = self._guard = None
        if process is None or guard is None:
            return
        try:
            os.killpg(process.pid, how)
            process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it had ended by itself
        process.wait()
        guard.kill()
        guard.wait()
        if guard.stdin:
            guard.stdin.close()

    def _failure(self, what: str) -> ProgramError:
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        return ProgramError(f"{self.name} {what}; the end of {self.log}:\n{tail}")
