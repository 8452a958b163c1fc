"""A process that has imported the product, and forks the Python programs that tests start.

It has one thread. `tests/support/forked.py` starts it; each process that runs tests asks it over a
socket of its own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import socket
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from select import POLLIN, poll
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.probes import Probes

LARGEST_REQUEST = 128 << 10
"""In bytes: a command with all its environment."""
DESCRIPTORS = 4
"""Those of the standard streams, and of the locked file that a program keeps."""


@dataclass(frozen=True, kw_only=True)
class NewProgram:
    """What a program starts with."""

    command: list[str]
    folder: str
    environment: dict[str, str]

    def encode(self) -> bytes:
        """Return the message that asks for this program."""
        return json.dumps(asdict(self)).encode()


def preload(modules: Sequence[str]) -> None:
    """Import what programs need, and open WiredTiger once, because its first time takes long."""
    gc.disable()  # a fifth of the time of the imports
    for module in modules:
        import_module(module)
    if "wiredtiger" in sys.modules:
        with tempfile.TemporaryDirectory() as folder:
            sys.modules["wiredtiger"].wiredtiger_open(folder, "create").close()
    gc.freeze()


def serve(clients: Sequence[socket.socket], modules: Sequence[str]) -> NewProgram | None:
    """Answer requests; return a program in the process that shall be it, `None` at the end.

    The modules are imported for the first program. A number asks how that process has ended. Until
    then its id is not used again.
    """
    asking = poll()
    for each in clients:
        asking.register(each, POLLIN)
    by_number = {each.fileno(): each for each in clients}
    needed = list(modules)
    while by_number:
        [(number, _), *_] = asking.poll()
        client = by_number[number]
        message, descriptors, *_ = socket.recv_fds(client, LARGEST_REQUEST, DESCRIPTORS)
        if not message:
            asking.unregister(client)
            del by_number[number]
            continue
        asked = json.loads(message)
        if needed:
            preload(needed)
            needed = []
        if isinstance(asked, int):
            client.send(json.dumps(status_of(asked)).encode())
        elif os.fork() == 0:
            os.setsid()
            client.send(json.dumps(os.getpid()).encode())
            for stream in range(3):
                os.dup2(descriptors[stream], stream)
                os.close(descriptors[stream])
            return NewProgram(**asked)
        for descriptor in descriptors:
            os.close(descriptor)
    return None


def status_of(pid: int) -> int | None:
    """Return the status of a child that has ended."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def measuring() -> Probes | None:
    """Put probes into the product as it is imported, if this run is measured."""
    if not os.environ.get("ROLECALL_TEST_PROBES"):
        return None
    from tests.probes import Probes

    return Probes()


def run(program: NewProgram, probes: Probes | None = None) -> None:
    """Run a program as Python would: a module after `-m`, or the script at a path."""
    if not sys.stdin.readline():
        raise SystemExit(1)  # the parent died before the program had its guard
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.environ.clear()
    os.environ.update(program.environment)
    os.chdir(program.folder)
    gc.enable()
    if probes:
        if os.environ.get("COVERAGE_PROCESS_CONFIG"):
            atexit.register(probes.write)
        else:
            probes.stop()
    _, *words = program.command
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words[words[0] == "-P" :]
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _, numbers, *preloaded = sys.argv
    measured = measuring()
    with ExitStack() as until_forked:
        sockets = [socket.socket(fileno=int(number)) for number in numbers.split(",")]
        forked = serve([until_forked.enter_context(each) for each in sockets], preloaded)
    if forked:
        run(forked, measured)
