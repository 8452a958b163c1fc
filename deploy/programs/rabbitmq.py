"""A private RabbitMQ node as a child process, separate from the system's own node."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.broker import configuration
from deploy.programs.program import Program, ProgramError, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Debian's /usr/sbin/rabbitmq-server changes the user and the folder; the original script does not.
_SCRIPTS = Path("/usr/lib/rabbitmq/bin")


def rabbitmq_program(name: str = "rabbitmq-server") -> Path | None:
    """The path of a program of RabbitMQ on this machine."""
    found = shutil.which(name, path=os.pathsep.join([str(_SCRIPTS), os.environ.get("PATH", "")]))
    return Path(found) if found else None


class _PortMapper(Program):
    """A private port mapper of Erlang; a shared one would outlive this process."""

    name = "epmd"
    url = ""

    def command(self) -> Sequence[str]:
        return [_found("epmd", shutil.which("epmd")), "-port", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        return {"ERL_EPMD_ADDRESS": "127.0.0.1"}


class Rabbitmq(Program):
    """One RabbitMQ node with its own folder, cookie, port mapper and ports; no plugins."""

    name = "rabbitmq"
    start_seconds = 120

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        definitions: Mapping[str, object] | None = None,
    ) -> None:
        """Keep every file of the node below `folder`; without `port`, choose a free one.

        With `definitions` (`deploy/broker.py`) the node has their users and no `guest`.
        """
        super().__init__(folder, port=port)
        self._definitions = definitions
        self._distribution_port = free_port()
        self._port_mapper = _PortMapper(folder)

    @property
    def url(self) -> str:
        """The address for `guest`, an administrator who can connect from this machine only."""
        return self.url_for("guest", "guest")

    def url_for(self, user: str, password: str) -> str:
        """The address for one user."""
        return f"amqp://{user}:{password}@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the port mapper, then the node, which would otherwise start its own."""
        self._port_mapper.start()
        super().start()

    def stop(self) -> None:
        """End the node in order; its durable queues stay on disk."""
        super().stop()
        self._port_mapper.stop()

    def kill(self) -> None:
        """End the node and its port mapper as a crash would."""
        super().kill()
        self._port_mapper.kill()

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node and return its output.

        Raises:
            ProgramError: the command failed.
        """
        program = rabbitmq_program("rabbitmqctl")
        done = subprocess.run(
            [_found("rabbitmqctl", program), "--quiet", *arguments],
            env={**os.environ, **self.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            message = f"rabbitmqctl {' '.join(arguments)} failed: {done.stderr or done.stdout}"
            raise ProgramError(message)
        return done.stdout

    def command(self) -> Sequence[str]:
        """Write the configuration of the node and return the command line."""
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.port}",
            "log.file.level = warning",
            "log.console = false",
        ]
        file = None
        if self._definitions is not None:
            file = self.folder / "definitions.json"
            file.write_text(json.dumps(self._definitions))
        product = configuration(None if file is None else str(file))
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n" + product)
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "rabbitmq-env.conf").touch()
        return [_found("rabbitmq-server", rabbitmq_program())]

    def environment(self) -> Mapping[str, str]:
        """Variables that keep every file and port of the node private."""
        return {
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._port_mapper.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_NODENAME": "rolecall@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            # Erlang's threads sleep when they have no work; by default they first spin for a while,
            # which the other processes of this machine pay for.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def answers(self) -> bool:
        """Whether the broker speaks AMQP; it answers a wrong protocol header with its own."""
        with socket.socket() as probe:
            probe.settimeout(1)
            try:
                probe.connect(("127.0.0.1", self.port))
                probe.sendall(b"AMQP\x00\x00\x00\x00")
                return probe.recv(8).startswith(b"AMQP")
            except OSError:
                return False


def _found(name: str, program: str | Path | None) -> str:
    if program is None:
        message = f"{name} is missing. Install the package rabbitmq-server."
        raise ProgramError(message)
    return str(program)
