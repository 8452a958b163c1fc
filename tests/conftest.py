"""Fixtures that every test may use: servers and names."""

from __future__ import annotations

import gc
import os
import signal
import uuid
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from deploy.programs.mongodb import Mongod, Secantusdb
from deploy.programs.rabbitmq import Rabbitmq
from tests.memory import use_memory
from tests.servers import (
    UNMEASURED,
    SmtpServer,
    amqp_server,
    mongo_server,
    require_rabbitmq,
    unmeasured_database,
)
from tests.support.forked import PRELOADED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

pytest_plugins = ["tests.forking", "tests.lateness", "tests.summary"]
# No test trusts a certificate of the system. Each process that imports aiohttp would read them all.
os.environ.setdefault("SSL_CERT_FILE", os.devnull)
use_memory()


GARBAGE_THRESHOLD = 30_000
"""New objects between two looks for garbage: Python's own 700 cost 4 % of a run's time."""

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.default_int_handler(number, frame)


def pytest_configure() -> None:
    """Handle SIGINT as Python does, by a function that asyncio does not replace.

    asyncio sets a handler of its own around each run of its loop. Python looks that up as a number
    and writes an error text with all that the coroutine has returned, a tenth of a test's time.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    # What is collected stays until the end of the run; `pytest_collection_finish` goes on.
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage again, but not in the modules and tests, which stay.

    The process that workers are forked from has imported the product for all of them.
    """
    if session.config.option.workers:
        for module in PRELOADED:
            import_module(module)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.enable()


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one database server for the whole run, started at its first use."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture(scope="session")
def amqp_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one RabbitMQ for the whole run, started at its first use."""
    with amqp_server(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Measure nothing in new processes: long tests repeat what others measure."""
    with pytest.MonkeyPatch.context() as changed:
        for name, value in UNMEASURED.items():
            changed.setenv(name, value)
        yield


@pytest.fixture
def database_name() -> str:
    """A database name that no other test uses."""
    return f"test_{uuid.uuid4().hex}"


@pytest.fixture
def private_database(tmp_path: Path) -> Iterator[Callable[[], Secantusdb | Mongod]]:
    """A function that starts a database server which the test may kill."""
    servers: list[Secantusdb | Mongod] = []

    def start() -> Secantusdb | Mongod:
        server = unmeasured_database(tmp_path / f"database-{len(servers)}")
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def private_rabbitmq(tmp_path: Path) -> Iterator[Callable[[], Rabbitmq]]:
    """A function that starts a RabbitMQ node which the test may kill."""
    require_rabbitmq()
    nodes: list[Rabbitmq] = []

    def start() -> Rabbitmq:
        node = Rabbitmq(tmp_path / f"rabbitmq-{len(nodes)}")
        nodes.append(node)
        node.start()
        return node

    yield start
    for node in nodes:
        node.kill()


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real SMTP server that keeps the mails that it receives."""
    with SmtpServer() as server:
        yield server
