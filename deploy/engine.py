"""The question to the container engine whether a volume exists.

"No such volume" and "the engine does not answer" are different answers: without the second one a
start would make new secrets for data that exist.
"""

import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

DEFAULT_HOST = "unix:///var/run/docker.sock"
ANSWER_SECONDS = 30.0


class EngineError(RuntimeError):
    """The engine cannot be asked; the message says why and what to do."""


@dataclass(frozen=True)
class Engine:
    """The engine of containers, asked with the program `docker`, otherwise over its socket."""

    program: str | None = field(default_factory=lambda: shutil.which("docker"))
    host: str = field(default_factory=lambda: os.environ.get("DOCKER_HOST") or DEFAULT_HOST)
    """Where the engine listens. The program reads `DOCKER_HOST` and its contexts itself."""

    def has_volume(self, name: str) -> bool:
        """Whether the volume exists.

        Raises:
            EngineError: the engine did not answer, so the volume may exist or not.
        """
        scheme, _, path = self.host.partition("://")
        if self.program is None and scheme != "unix":
            raise EngineError(
                f"Docker at DOCKER_HOST={self.host} cannot be asked without the program `docker`"
                f" whether the volume {name} exists. Install the program. Nothing was written."
            )
        try:
            if self.program is not None:
                return name in _listed_by_program(self.program)
            return name in _listed_by_socket(path)
        except (OSError, HTTPException, ValueError, subprocess.SubprocessError) as problem:
            raise EngineError(
                f"Docker cannot be asked whether the volume {name} exists ({problem})."
                " Start Docker, or give this user access to it. Nothing was written."
            ) from problem

    def refuse_other_checkout(self, project: str, own: Path) -> None:
        """Refuse to take over the containers that another checkout of the code has made.

        Without the program `docker` they are not looked for.

        Raises:
            EngineError: there are some; the message names their folder.
        """
        if self.program is None:
            return
        label = "com.docker.compose.project"
        done = subprocess.run(
            [
                *(self.program, "ps", "--all", "--filter", f"label={label}={project}"),
                *("--format", f'{{{{.Label "{label}.working_dir"}}}}'),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
        )
        others = {line for line in done.stdout.splitlines() if line and Path(line) != own}
        if others:
            raise EngineError(
                f"The checkout in {min(others)} runs the composition {project}. Set"
                " ROLECALL_PROJECT, PORT and MAIL_PORT to others for this one, or stop that one."
                " Nothing was written."
            )


def _listed_by_program(program: str) -> list[str]:
    done = subprocess.run(
        [program, "volume", "ls", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWER_SECONDS,
    )
    if done.returncode != 0:
        raise ValueError(done.stderr.strip() or f"{program} ended with status {done.returncode}")
    return done.stdout.split()


def _listed_by_socket(path: str) -> list[str]:
    connection = _SocketConnection(path)
    try:
        connection.request("GET", "/volumes")
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    match json.loads(body) if answer.status == 200 else None:
        case {"Volumes": list() | None as volumes}:
            return [volume["Name"] for volume in volumes or ()]
    raise ValueError(f"{path} gave the status {answer.status} and no list of volumes")


class _SocketConnection(HTTPConnection):
    """A connection for HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
