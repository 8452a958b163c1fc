"""A server as a child process that ends with its parent, however the parent ends."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# The shell waits for one line before it becomes the server, and a guard process kills the server's
# process group when its pipe from the parent closes. No moment of the parent's death leaves an
# orphan. Unlike PR_SET_PDEATHSIG, this does not depend on the thread that started the server.
_WAIT_FOR_GUARD = 'read -r _ && exec "$@" </dev/null'
_GUARD = 'read -r _; kill -9 "-$0"'

PORTS = range(15_000, 32_000)
"""The ports that `free_port` chooses from.

They lie below the range of outgoing connections (from 32768 on Linux, from 49152 elsewhere), so a
port stays free while its server is down between a kill and a restart.
"""
_PROCESS_SHARES = 8
_returned_ports: set[int] = set()


class ProgramError(RuntimeError):
    """A server could not be started; the message names it, the reason and its log file."""


def free_port(ports: Sequence[int] = PORTS) -> int:
    """A port of 127.0.0.1 without a listener, never the same twice in one process.

    A caller can therefore ask for the ports of many servers before it starts the first one.
    """
    # The randomness of the system, because a seeded generator would give two test runs the same
    # ports. Processes that run side by side have consecutive ids and use different shares.
    generator, share = (
        random.SystemRandom(),
        ports[os.getpid() % _PROCESS_SHARES :: _PROCESS_SHARES],
    )
    while True:
        port = generator.choice(share)
        if port in _returned_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _returned_ports.add(port)
        return port


def listens(port: int) -> bool:
    """Whether a server accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def acquire_lock(file: IO[str], *, seconds: float) -> bool:
    """Lock a file while it is open; return False if another process keeps it for `seconds`.

    A lock ends with its process, so a file that was left behind blocks no later start.
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


class Process(Protocol):
    """What a program needs of its process; `subprocess.Popen` has it."""

    pid: int
    stdin: IO[bytes] | None

    def poll(self) -> int | None:
        """Return the status of a process that has ended."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, and return its status."""
        ...


class Program(ABC):
    """A server in its own folder and process group, as a child of this process.

    `start` blocks until the server answers; asynchronous callers use `asyncio.to_thread`. A server
    can be started again after `stop` or `kill`, with the same folder, port and data.
    """

    name: ClassVar[str]
    start_seconds: ClassVar[float] = 60
    stop_seconds: ClassVar[float] = 20

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        """Keep every file of the server below `folder`; without `port`, choose a free one."""
        self.folder = folder.resolve()
        self.port = free_port() if port is None else port
        self.log = self.folder / f"{self.name}.log"
        self._process: Process | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address that clients use."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command line; called once per start, when the folder exists."""

    def environment(self) -> Mapping[str, str]:
        """Variables that are added to this process's environment for the server."""
        return {}

    def answers(self) -> bool:
        """Whether the server is ready for clients; returns within about a second.

        Raises:
            ProgramError: it will never be.
        """
        return listens(self.port)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server, which is its process group's too."""
        if self._process is None:
            message = f"{self.name} is not running. Start it first."
            raise ProgramError(message)
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ProgramError: the server ended, or did not answer within `start_seconds`.
        """
        if self.running:
            return
        self._end(signal.SIGKILL)  # the remains of a server that ended by itself
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self.folder / f"{self.name}.lock").open("w") as lock:
            # A server inherits its locked file, so a dying one of an earlier run still holds it.
            if not acquire_lock(lock, seconds=self.start_seconds):
                raise self._failure(
                    f"cannot start, because another {self.name} still uses {self.folder}"
                )
            self._launch(lock)
        deadline = time.monotonic() + self.start_seconds
        while not (self.running and self._answers()):
            if not self.running or time.monotonic() > deadline:
                status = self._process.poll() if self._process else None
                self.kill()
                ended = "did not answer" if status is None else f"ended with status {status}"
                raise self._failure(ended)
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return self.answers()
        except ProgramError:
            self.kill()
            raise

    def stop(self) -> None:
        """End the server with SIGTERM, and after `stop_seconds` with SIGKILL."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def spawn(self, *, log: IO[bytes], lock: IO[str]) -> Process:
        """Start the command in a session of its own. It waits for a line before it begins.

        The process keeps the lock; its output goes to the log.
        """
        return subprocess.Popen(
            ["/bin/sh", "-c", _WAIT_FOR_GUARD, self.name, *self.command()],
            cwd=self.folder,
            env={**os.environ, **self.environment()},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )

    def _launch(self, lock: IO[str]) -> None:
        with self.log.open("ab") as log:
            self._process = self.spawn(log=log, lock=lock)
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
            pass  # it ended by itself
        process.wait()
        guard.kill()
        guard.wait()
        if guard.stdin:
            guard.stdin.close()

    def _failure(self, what: str) -> ProgramError:
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        return ProgramError(f"{self.name} {what}. The end of {self.log}:\n{tail}")
