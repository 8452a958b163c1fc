"""The engine of containers says that a volume exists, that it does not, or that it cannot tell."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from deploy.engine import Engine, EngineError

VOLUMES = {"Volumes": [{"Name": "rolecall_mongo"}, {"Name": "other_mongo_2"}], "Warnings": None}


@contextmanager
def socket_of_engine(folder: Path, *, status: int, body: str) -> Iterator[Engine]:
    """An engine on a Unix socket that gives one answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/volumes" else 500)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_request(self, *_: object) -> None:
            """Write nothing; a Unix socket has no address to name."""

    file = folder / "engine"
    with socketserver.UnixStreamServer(str(file), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Engine(program=None, host=f"unix://{file}")
        finally:
            server.shutdown()
            thread.join()


def program(folder: Path, script: str) -> Engine:
    """An engine whose program `docker` is a shell script; its socket does not exist."""
    file = folder / "docker"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return Engine(program=str(file), host=f"unix://{folder}/none")


LISTS = '[ "$*" = "volume ls --quiet" ] && printf "rolecall_mongo\\nother_mongo_2\\n"'


@pytest.mark.parametrize(
    ("name", "exists"), [("rolecall_mongo", True), ("other_mongo", False), ("mongo", False)]
)
def test_a_volume_exists_if_the_engine_lists_it(tmp_path: Path, name: str, *, exists: bool) -> None:
    assert program(tmp_path, LISTS).has_volume(name) is exists
    with socket_of_engine(tmp_path, status=200, body=json.dumps(VOLUMES)) as engine:
        assert engine.has_volume(name) is exists


def test_an_engine_without_volumes_has_none(tmp_path: Path) -> None:
    assert not program(tmp_path, "exit 0").has_volume("rolecall_mongo")
    with socket_of_engine(tmp_path, status=200, body='{"Volumes": null}') as engine:
        assert not engine.has_volume("rolecall_mongo")


def test_a_program_that_fails_does_not_say_that_there_is_no_volume(tmp_path: Path) -> None:
    failing = program(tmp_path, "echo Cannot connect to the Docker daemon >&2; exit 1")
    with pytest.raises(EngineError, match=r"Cannot connect to the Docker daemon.*Start Docker"):
        failing.has_volume("rolecall_mongo")


@pytest.mark.parametrize(
    ("status", "body"), [(404, '{"message": "page not found"}'), (200, "[]"), (200, "<html>")]
)
def test_an_answer_without_a_list_of_volumes_is_none(
    tmp_path: Path, status: int, body: str
) -> None:
    with (
        socket_of_engine(tmp_path, status=status, body=body) as engine,
        pytest.raises(EngineError, match="cannot be asked"),
    ):
        engine.has_volume("rolecall_mongo")


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:2376", "ssh://example.org"])
def test_an_engine_elsewhere_is_asked_with_its_program_only(host: str) -> None:
    with pytest.raises(EngineError, match="Install the program"):
        Engine(program=None, host=host).has_volume("rolecall_mongo")


def test_containers_of_another_checkout_are_not_taken_over(tmp_path: Path) -> None:
    """Its own containers do not hinder a start, nor do those without a checkout."""
    wanted = "ps --all --filter label=com.docker.compose.project=rolecall --format"
    shows = f'[ "$(echo "$*" | cut -d" " -f1-5)" = "{wanted}" ] && printf "%s\\n\\n"'
    own = tmp_path / "own"
    program(tmp_path, f"{shows} {own}").refuse_other_checkout("rolecall", own)
    program(tmp_path, "exit 1").refuse_other_checkout("rolecall", own)
    Engine(program=None).refuse_other_checkout("rolecall", own)
    with pytest.raises(EngineError, match=r"checkout in /other runs .* Set ROLECALL_PROJECT, PORT"):
        program(tmp_path, f"{shows} /other").refuse_other_checkout("rolecall", own)
