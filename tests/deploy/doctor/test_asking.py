"""The doctor asks real servers: services, a gateway, and the database as a service's user."""

import json
import socket
import ssl
import threading
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web

from deploy.doctor.ask_http import (
    MAX_ANSWER_BYTES,
    ask_certificate,
    ask_gateway,
    ask_peer,
    encrypted_servers,
)
from deploy.doctor.run import main
from deploy.doctor.settings_seen import see
from rolecall.cli import main as rolecall
from shared.runtime.listeners import listen, url_of
from tests.deploy.doctor.installation import variables
from tests.support.certificates import Authority

METRICS = """\
# TYPE rolecall_inbox_dead gauge
rolecall_inbox_dead{service="team"} 2.0
rolecall_inbox_dead{service="audit"} 3.0
# TYPE rolecall_other gauge
rolecall_other 9.0
"""


@asynccontextmanager
async def served(answers, *, ahead=timedelta(), answer=None):
    """A server whose clock is ahead; other paths are answered 404."""

    async def told(request):
        headers = {"Date": format_datetime(datetime.now(UTC) + ahead, usegmt=True)}
        status, content = answers.get(request.path, (404, ""))
        text = content if isinstance(content, str) else json.dumps(content)
        return web.Response(status=status, text=text, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer or told)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = listen("127.0.0.1", 0)
    await web.SockSite(runner, sock).start()
    async with aiohttp.ClientSession() as http:
        yield http, url_of(sock)
    await runner.cleanup()


READY = {"ready": False, "checks": {"keys": False}, "informational": {"bus": True}}
SERVICE = {
    "/health/ready": (503, READY),
    "/health/live": (200, {"status": "live", "version": "1.2.3"}),
    "/metrics": (200, METRICS),
}


async def test_a_service_is_asked_for_checks_version_clock_and_metrics():
    async with served(SERVICE, ahead=timedelta(hours=1)) as (http, url):
        seen = await ask_peer(http, "team", url)
    assert (seen.fault, seen.version, seen.checks) == ("", "1.2.3", {"keys": False})
    assert seen.metrics == {"rolecall_inbox_dead": 3.0}
    assert timedelta(minutes=50) < seen.offset <= timedelta(hours=1)


async def test_a_service_with_the_same_clock_is_not_ahead():
    async with served(SERVICE) as (http, url):
        assert (await ask_peer(http, "team", url)).offset == timedelta()


async def test_an_answer_of_something_else_is_a_fault():
    async with served({"/health/ready": (200, "hello")}) as (http, url):
        assert (await ask_peer(http, "team", url)).fault
        assert (await ask_peer(http, "team", "http://127.0.0.1:1")).fault


LONG = "{" + " " * MAX_ANSWER_BYTES + "}"
DEEP = "[" * 100_000


@pytest.mark.parametrize("path", SERVICE)
@pytest.mark.parametrize(
    "said", [LONG, DEEP, "[]", {"checks": 7}, {"checks": [1]}, 'x{y="'], ids=range(6)
)
async def test_no_answer_at_an_address_ends_the_doctor(path, said):
    async with served({**SERVICE, path: (200, said)}) as (http, url):
        seen = await ask_peer(http, "team", url)
    assert seen.fault or path == "/health/live"


async def test_a_date_without_a_zone_does_not_end_the_doctor():
    async def answer(request):
        return web.json_response({}, headers={"Date": "Sat, 28 Nov 2026 03:00:00 -0000"})

    async with served({}, answer=answer) as (http, url):
        assert (await ask_peer(http, "team", url)).fault


@pytest.mark.parametrize(("status", "paths"), [(404, []), (401, ["/metrics"]), (200, ["/metrics"])])
async def test_an_internal_path_that_a_gateway_passes_on_is_found(status, paths):
    async with served({"/metrics": (status, "")}) as (http, url):
        seen = await ask_gateway(http, url, ports=[1])
    assert (seen.fault, list(seen.open_paths), seen.open_ports) == ("", paths, {})


def serve_tls_once(certificate):
    """A server that makes one connection with TLS; returns its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, suppress(OSError):
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as encrypted:
                encrypted.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


async def test_a_certificate_is_read_from_the_server(tmp_path):
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    port = serve_tls_once(ours.certify("server"))
    good = await ask_certificate("127.0.0.1", port, str(ours.file))
    assert good.until is not None
    assert timedelta() < good.until - datetime.now(UTC) < timedelta(hours=1)
    port = serve_tls_once(ours.certify("server"))
    assert (await ask_certificate("127.0.0.1", port, str(other.file))).fault
    assert (await ask_certificate("127.0.0.1", port, "/no/such/file")).fault


def test_servers_with_tls_are_found_in_the_settings(tmp_path):
    file = Authority(tmp_path, "ours").file
    changes = {
        "ROLECALL_TEAM_AMQP_URL": f"amqps://team:x@b.example/?cafile={file}",
        "ROLECALL_TEAM_MONGO_URL": f"mongodb://team:x@c:1,d:2/?tls=true&tlsCAFile={file}",
    }
    services = {"team": see(variables(**changes)).services["team"]}
    assert set(encrypted_servers(services)) == {
        ("b.example", 5671, str(file)),
        ("c", 1, str(file)),
        ("d", 2, str(file)),
        ("iam.example", 443, None),
    }


@pytest.fixture
def settings_file(tmp_path):
    def write(**changes):
        file = tmp_path / "rolecall.env"
        lines = (f"{name}={value}\n" for name, value in variables(**changes).items())
        file.write_text("".join(lines))
        file.chmod(0o600)
        return str(file)

    return write


def test_the_command_ends_with_0_where_no_error_is(settings_file, capsys):
    assert rolecall(["doctor", "--settings", settings_file(), "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healthy"] is True


def test_the_command_ends_with_1_where_an_error_is(settings_file, capsys):
    file = settings_file(ROLECALL_TEAM_ADMIN_KEY="0123456789abcdef" * 2)
    assert rolecall(["doctor", "--settings", file, "--offline"]) == 1
    assert "follows a pattern" in capsys.readouterr().out


def test_the_command_ends_with_2_where_nothing_is_configured(tmp_path, capsys):
    file = tmp_path / "empty.env"
    file.write_text("PORT=8080\n")
    assert main(["--settings", str(file)]) == 2
    assert main(["--settings", str(tmp_path / "missing")]) == 2
    assert "No service is configured here" in capsys.readouterr().err
