"""The command `make run`: failures at the start, interrupts, and two runs on the same data."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.configuration import Secrets, SecretsError
from deploy.local import run
from deploy.local.product import Product, service_options
from deploy.local.settings import LocalSettings
from deploy.programs.mongodb import Secantusdb
from deploy.programs.program import free_port
from shared.contracts.topology import Service
from shared.mongo import Collection, DbClient, connect, majority
from tests.patience import PATIENT
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
VARIABLE = "ROLECALL_TEAM_RESOURCES_PER_ACCOUNT"
PRODUCT = (sys.executable, "-m", "deploy.local")


def command(*words: str, **variables: object) -> subprocess.Popen[str]:
    ports = {"PORT": str(free_port()), "MAIL_PORT": str(free_port())}
    given = ports | {name: str(value) for name, value in variables.items()}
    return subprocess.Popen(
        words or PRODUCT,
        cwd=ROOT,
        env=os.environ | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def output(started: subprocess.Popen[str]) -> str:
    """Everything that the process prints until it ends; imports take most of the time."""
    with started:
        try:
            return started.communicate(timeout=240)[0]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("variables", "status", "sentence"),
    [
        ({"PORT": "abc"}, 2, "PORT is not valid: must be an integer."),
        (
            {"ROLECALL_LOG_LEVEL": "LOUD"},
            2,
            "ROLECALL_LOG_LEVEL is not valid: must be DEBUG, INFO",
        ),
        (
            {"PORT": "8000", "MAIL_PORT": "8000"},
            2,
            "MAIL_PORT is not valid: must differ from PORT.",
        ),
        ({"ROLECALL_DATA_DIR": __file__}, 1, "Set ROLECALL_DATA_DIR"),
    ],
)
def test_a_setting_that_is_not_valid_is_named(
    tmp_path: Path,
    monkeypatch,
    capsys,
    variables: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    for name, value in ({"ROLECALL_DATA_DIR": str(tmp_path)} | variables).items():
        monkeypatch.setenv(name, value)
    try:
        ended: object = run.main([])
    except SystemExit as refused:
        ended = refused.code
    assert ended == status
    assert sentence in capsys.readouterr().err


def test_an_unknown_catalog_is_named_without_a_traceback(tmp_path: Path) -> None:
    started = command(ROLECALL_DATA_DIR=tmp_path, ROLECALL_TEAM_PERSONAL_CATALOG="nope")
    said = output(started)
    assert started.returncode > 0
    assert "did not start: ROLECALL_TEAM_PERSONAL_CATALOG names the catalog nope, which" in said
    assert "Traceback" not in said


def test_damaged_secrets_are_named_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    for text in ("{", "{}", "[]"):
        file.write_text(text)
        with pytest.raises(SecretsError, match=r"secrets\.json is damaged"):
            Secrets.load_or_create(file)
    started = command(ROLECALL_DATA_DIR=tmp_path)
    said = output(started)
    assert started.returncode == 1
    assert f"{file} is damaged" in said
    assert "Traceback" not in said


def test_a_port_in_use_is_named(tmp_path: Path, taken: int) -> None:
    started = command(ROLECALL_DATA_DIR=tmp_path, PORT=taken)
    said = output(started)
    assert started.returncode == 1
    assert f"port {taken} cannot be used" in said
    assert "Set PORT" in said


def test_a_mail_port_in_use_is_named(tmp_path: Path, taken: int) -> None:
    started = command(ROLECALL_DATA_DIR=tmp_path, MAIL_PORT=taken)
    said = output(started)
    assert started.returncode == 1
    assert "the mail page cannot be started" in said
    assert "set MAIL_PORT to another one" in said
    assert "Traceback" not in said


@contextlib.asynccontextmanager
async def leases_of_a_source(database: Secantusdb) -> AsyncIterator[Collection]:
    client: DbClient = connect(database.url, app_name="tests", timeouts=PATIENT)
    try:
        yield majority(client["rolecall_team"], "leases")
    finally:
        client.close()


async def test_the_leases_of_a_run_that_was_killed_are_deleted(tmp_path: Path) -> None:
    """They last half a minute, and the changes after a crash would wait for them."""
    Secrets.load_or_create(tmp_path / "secrets.json")
    database = Secantusdb(tmp_path / "database")
    await asyncio.to_thread(database.start)
    async with leases_of_a_source(database) as rows:
        await rows.insert_one({"_id": "authz/local/dead"})
    await asyncio.to_thread(database.stop)
    product = Product(
        LocalSettings(PORT=free_port(), MAIL_PORT=free_port(), ROLECALL_DATA_DIR=tmp_path)
    )
    try:
        await product.start()
        async with leases_of_a_source(product.database) as rows:
            [left] = [row["_id"] async for row in rows.find({})]
            assert left.startswith("authz/local/")
            assert left != "authz/local/dead"
    finally:
        await product.stop()


@pytest.mark.parametrize(("given", "limit"), [({}, "5000"), ({VARIABLE: 70}, "70")])
def test_an_account_of_a_local_run_has_fewer_registered_resources(
    given: dict[str, Any], limit: str
) -> None:
    """The database of the runner cannot page through as many as the default allows."""
    options = service_options(Service.TEAM, LocalSettings(**given), mail_password="unused")
    assert options["resources_per_account"] == limit


def test_a_mail_folder_that_cannot_be_used_ends_the_start_and_the_database(
    tmp_path: Path,
) -> None:
    (tmp_path / "mail").touch()
    started = command(ROLECALL_DATA_DIR=tmp_path)
    said = output(started)
    assert started.returncode == 1
    assert "Rolecall did not start" in said
    assert "Traceback" not in said


def test_an_interrupt_during_the_imports_prints_nothing(tmp_path: Path) -> None:
    # This module shadows a real import, so the interrupt certainly comes during the imports.
    (tmp_path / "aiohttp.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    search = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    started = command(ROLECALL_DATA_DIR=tmp_path / "data", PYTHONPATH=search)
    said = output(started)
    assert (started.returncode, said) == (-signal.SIGINT, "")


async def test_an_interrupt_during_the_start_stops_it_at_once(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    with (tmp_path / "database" / "secantusdb.lock").open("w") as held:
        # A dying database of an earlier run would hold this lock too. The start waits for it.
        fcntl.flock(held, fcntl.LOCK_EX)
        started = command(ROLECALL_DATA_DIR=tmp_path)
        # Its event loop is running now.
        await wait_for(
            (tmp_path / "secrets.json").exists, within=240, what="the begin of the start"
        )
        started.send_signal(signal.SIGINT)
    said = output(started)
    assert (started.returncode, "Rolecall is ready" in said) == (0, False)
    assert "Traceback" not in said
    assert not (tmp_path / "run.json").exists()


@pytest.fixture
def make_run(tmp_path: Path) -> tuple[str, ...]:
    """The words of `make run` with the packages of these tests, so nothing is installed."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    for made in ("bin/python", ".local"):
        (tmp_path / "venv" / made).touch()
    return ("make", "run", f"VENV={tmp_path / 'venv'}", f"BIN={Path(sys.executable).parent}")


async def test_a_killed_make_leaves_nothing_that_blocks_the_next_start(
    tmp_path: Path, make_run: tuple[str, ...]
) -> None:
    where, port = tmp_path / "run.json", free_port()
    variables = {"ROLECALL_DATA_DIR": tmp_path, "PORT": port}
    parent = command(*make_run, **variables)
    await wait_for(where.exists, within=240, what="the first run")
    client = json.loads(where.read_text())["service_client"]
    parent.kill()
    again = command(**variables, PUBLIC_URL=f"http://localhost:{port}")
    assert "Stopping." in output(parent)
    await wait_for(where.exists, within=240, what="the next run")
    assert json.loads(where.read_text())["service_client"] == client
    again.send_signal(signal.SIGINT)
    said = output(again)
    assert (again.returncode, "Rolecall is ready" in said) == (0, True)
    assert f"http://localhost:{port}/sign-up" in said


def test_a_second_run_on_the_same_data_waits_and_then_refuses_to_start(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("ROLECALL_DATA_DIR", str(tmp_path))
    with run.lock_folder(tmp_path, seconds=0):
        assert run.main([], lock_seconds=0.3) == 1
    waiting, refusal = capsys.readouterr().err.splitlines()
    assert waiting == f"Another run uses {tmp_path}. Waiting for it to end."
    assert refusal == (
        f"Another run still uses {tmp_path}. Stop it, or set ROLECALL_DATA_DIR to another folder."
    )
