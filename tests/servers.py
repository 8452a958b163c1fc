"""The servers that the tests need: found by an address in the environment, or started."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from aiosmtpd.controller import Controller

from deploy.programs.mongodb import Mongod, Secantusdb, database
from deploy.programs.nginx import nginx_program
from deploy.programs.program import ProgramError, free_port
from deploy.programs.rabbitmq import Rabbitmq, rabbitmq_program
from tests.support.forked import DATABASE, Forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope, Session

MONGO_VARIABLE = "ROLECALL_TEST_MONGO_URL"
AMQP_VARIABLE = "ROLECALL_TEST_AMQP_URL"
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""The variables of a Python process whose coverage is not measured: a killed one writes none."""


class UnmeasuredSecantusdb(Forked, Secantusdb):
    """SecantusDB without coverage: it would double the time of a program that is not ours."""

    preloaded = DATABASE

    def environment(self) -> Mapping[str, str]:
        """Measure nothing."""
        return UNMEASURED


def unmeasured_database(folder: Path) -> UnmeasuredSecantusdb | Mongod:
    """The best database server on this machine, below `folder`."""
    best = database(folder)
    return best if isinstance(best, Mongod) else UnmeasuredSecantusdb(folder, port=best.port)


@contextmanager
def mongo_server(folder: Path) -> Iterator[str]:
    """Give the address of a database: from the environment, else of a new one below `folder`."""
    if given := os.environ.get(MONGO_VARIABLE):
        yield given
        return
    server = unmeasured_database(folder)
    if isinstance(server, Secantusdb):
        # A run makes thousands of databases in it, whose times are far ahead of its clock.
        server.cache_size, server.expiry_seconds = "1G", 3600
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def amqp_server(folder: Path) -> Iterator[str]:
    """Give the address of a broker: from the environment, else of a new one below `folder`."""
    if given := os.environ.get(AMQP_VARIABLE):
        yield given
        return
    require_rabbitmq()
    server = Rabbitmq(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def require_rabbitmq() -> None:
    """Make sure that RabbitMQ is installed; root installs the system's package when it is missing.

    Raises:
        ProgramError: it cannot be installed; the text says what to do.
    """
    _require(
        rabbitmq_program,
        package="rabbitmq-server",
        otherwise=f"The tests need RabbitMQ: set {AMQP_VARIABLE} to the address of a broker,",
    )


def require_nginx() -> None:
    """Make sure that nginx is installed; root installs the system's package when it is missing.

    Raises:
        ProgramError: it cannot be installed; the text says what to do.
    """
    _require(nginx_program, package="nginx-light", otherwise="The tests need nginx:")


def require_chromium() -> str:
    """The path of Chromium, which is installed as nginx is.

    Raises:
        ProgramError: it cannot be installed; the text says what to do.
    """
    _require(
        chromium_program, package="chromium-headless-shell", otherwise="The tests need Chromium:"
    )
    return str(chromium_program())


def require_promtool() -> str:
    """The path of Prometheus' tool for rules, which is installed as nginx is.

    Raises:
        ProgramError: it cannot be installed; the text says what to do.
    """
    _require(
        lambda: shutil.which("promtool"),
        package="prometheus",
        otherwise="The tests need Prometheus' promtool:",
    )
    return str(shutil.which("promtool"))


def chromium_program() -> str | None:
    """The path of Chromium; the shell without windows takes a third less work."""
    programs = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next(filter(None, map(shutil.which, programs)), None)


def _require(find: Callable[[], object], *, package: str, otherwise: str) -> None:
    if find():
        return
    if os.geteuid() == 0:
        # A package would start a system-wide server: its init scripts ask this variable first.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", package]
        for command in (["apt-get", "update"], install):
            subprocess.run(command, env=environment, check=False, capture_output=True)
    if not find():
        raise ProgramError(
            f"{otherwise} install the system's package {package} (as root, the tests do it "
            "with apt-get)."
        )


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as the SMTP server received it: the envelope and the bytes after DATA."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class SmtpServer:
    """A real SMTP server in this process, on a free port of 127.0.0.1.

    It answers each mail with the next of `replies`, and with 250 when none is left. A mail counts
    as received when its reply starts with 2.
    """

    replies: list[str] = field(default_factory=list)
    received: list[ReceivedMail] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Self:
        """Listen."""
        self._controller = Controller(self, hostname=self.host, port=self.port, ready_timeout=60.0)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._controller.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Receive one mail; aiosmtpd calls this."""
        del server, session
        reply = self.replies.pop(0) if self.replies else "250 taken"
        if reply.startswith("2"):
            content = envelope.content or b""
            self.received.append(
                ReceivedMail(
                    sender=envelope.mail_from or "",
                    recipients=tuple(envelope.rcpt_tos),
                    content=content.encode() if isinstance(content, str) else content,
                )
            )
        return reply
