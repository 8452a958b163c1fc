"""Tests of the HTTP client with a stub server: tokens, failures, and never an allow by mistake."""

import json
import socket
import ssl
import threading
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rolecall import RolecallClient, UndecidedError
from rolecall.cli import main
from rolecall.client.admin import create_client
from rolecall.client.evaluations import evaluation_of
from tests.sdk.stub import stub_server

ALLOW = {
    "decision": True,
    "context": {"reason": "allowed", "role": "developer", "revision": "team.e1.3.7"},
}
DENY = {"decision": False, "context": {"reason": "not-a-member"}}


class FakeRolecall:
    """Both routes; each token that it gives is valid until it is revoked."""

    def __init__(self) -> None:
        self.evaluation: tuple[int, Any] = (200, ALLOW)
        self.token_answer: tuple[int, Any] | None = None
        self.lifetime = 600
        self.tokens = 0
        self.lock = threading.Lock()

    def __call__(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if path == "/oauth2/token":
            with self.lock:
                self.tokens += 1
            granted = {"access_token": f"t{self.tokens}", "expires_in": self.lifetime}
            status, content = self.token_answer or (200, granted)
        elif path == "/internal/admin/service-clients":
            status, content = 201, {"id": "svc_1", "secret": "s3cret"}
        else:
            status, content = self.evaluation
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        return status, {"Location": "/elsewhere"} if 300 <= status < 400 else {}, text


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def rolecall():
    return FakeRolecall()


@pytest.fixture
def server(rolecall):
    with stub_server() as running:
        running.answer = rolecall
        yield running


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def client(server, clock):
    return RolecallClient(server.url + "/", "cli_1", "s:cret", timeout=10, clock=clock)


def paths(server):
    return [path for path, _, _ in server.asked]


def test_a_check_sends_an_evaluation_and_returns_the_decision(client, server):
    decision = client.check(
        "usr_b",
        "instance:write",
        account_id="acc_1",
        project_id="prj_1",
        resource_id="i-1",
        owner_id="usr_c",
        session_id="ses_1",
        at_least_revision="team.e1.3.6",
    )
    assert (decision.allowed, decision.reason, decision.role) == (True, "allowed", "developer")
    assert (decision.override, decision.revision) == (None, "team.e1.3.7")
    (token_path, token_headers, form), (path, headers, body) = server.asked
    assert token_path == "/oauth2/token"
    basic = token_headers["Authorization"].removeprefix("Basic ")
    assert b64decode(basic) == b"cli_1:s%3Acret", "RFC 6749, 2.3.1"
    assert form == b"grant_type=client_credentials&scope=authz%3Acheck"
    assert path == "/access/v1/evaluation"
    assert headers["Authorization"] == "Bearer t1"
    assert json.loads(body) == {
        "subject": {"type": "user", "id": "usr_b", "properties": {"session_id": "ses_1"}},
        "action": {"name": "write"},
        "resource": {
            "type": "instance",
            "id": "i-1",
            "properties": {"account_id": "acc_1", "project_id": "prj_1", "owner_id": "usr_c"},
        },
        "context": {"at_least_revision": "team.e1.3.6"},
    }


def test_a_denial_is_false_in_a_condition(client, rolecall):
    rolecall.evaluation = 200, DENY
    decision = client.check("usr_b", "instance:write")
    assert not decision
    assert (decision.allowed, decision.reason) == (False, "not-a-member")


def test_a_token_is_used_until_shortly_before_it_expires(client, server, clock, rolecall):
    for seconds, tokens in ((0, 1), (569, 1), (1, 2), (569, 2), (1, 3)):
        clock.now += seconds
        assert client.check("usr_b", "instance:write")
        assert rolecall.tokens == tokens
    assert [headers["Authorization"] for path, headers, _ in server.asked if "access" in path] == [
        "Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"
    ]  # fmt: skip


def test_threads_share_one_token(client, rolecall):
    with ThreadPoolExecutor(8) as pool:
        decisions = pool.map(lambda _: client.check("usr_b", "instance:write"), range(40))
        assert all(decisions)
    assert rolecall.tokens == 1


def test_a_refused_token_is_renewed_once(client, server, rolecall):
    assert client.check("usr_b", "instance:write")
    rolecall.evaluation = 401, {"code": "unauthenticated", "detail": "Sign in."}
    with pytest.raises(UndecidedError, match=r"401 \(unauthenticated\): Sign in\.") as failed:
        client.check("usr_b", "instance:write")
    assert not failed.value.temporary
    assert rolecall.tokens == 2
    assert paths(server)[2:] == ["/access/v1/evaluation", "/oauth2/token", "/access/v1/evaluation"]


@pytest.mark.parametrize(
    ("sentence", "status", "content", "temporary"),
    [
        ("a stale replica", 503, {"code": "stale", "decision": True, "context": ALLOW}, True),
        ("a broken gateway", 502, b"<html>", True),
        ("too many requests", 429, {}, True),
        ("another account", 403, {"code": "account-not-bound"}, False),
        ("a bad request", 400, {"code": "bad-request"}, False),
        ("a redirect", 302, ALLOW, False),
        ("another status with a decision", 202, ALLOW, False),
        ("no JSON", 200, b"true", True),
        ("not even text", 200, b"\xff\xfe", True),
        ("a list", 200, [True], True),
        ("a decision as text", 200, {"decision": "true", "context": {"reason": "allowed"}}, True),
        ("a decision as number", 200, {"decision": 1, "context": {"reason": "allowed"}}, True),
        ("no reason", 200, {"decision": True}, True),
        ("nothing", 200, b"", True),
        ("too much", 200, json.dumps(ALLOW).encode() + b" " * 1_000_000, True),
    ],
)
def test_everything_but_a_decision_is_undecided(
    client, server, rolecall, sentence, status, content, temporary
):
    rolecall.evaluation = status, content
    with pytest.raises(UndecidedError) as failed:
        client.check("usr_b", "instance:write")
    assert failed.value.temporary is temporary, sentence
    assert "/elsewhere" not in paths(server), "a redirect would carry the token along"


@pytest.mark.parametrize(
    ("sentence", "answer", "temporary"),
    [
        ("a wrong secret", (401, {"error": "invalid_client", "error_description": "No."}), False),
        ("identity is away", (503, {}), True),
        ("no token", (200, {"expires_in": 600}), True),
        ("no lifetime", (200, {"access_token": "t"}), True),
        ("a redirect", (307, {"access_token": "t", "expires_in": 600}), False),
        (
            "a token that no header can carry",
            (200, {"access_token": "a\nb", "expires_in": 9}),
            True,
        ),
    ],
)
def test_without_a_token_a_check_is_undecided(
    client, server, rolecall, sentence, answer, temporary
):
    rolecall.token_answer = answer
    with pytest.raises(UndecidedError) as failed:
        client.check("usr_b", "instance:write")
    assert failed.value.temporary is temporary, sentence
    assert paths(server) == ["/oauth2/token"]


def test_a_server_that_does_not_answer_in_time_is_undecided():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(UndecidedError, match="does not answer") as failed:
            RolecallClient(url, "cli_1", "secret", timeout=0.05).check("usr_b", "instance:write")
        assert time.monotonic() - started < 30
    assert failed.value.temporary


def drip(head: bytes, connection: socket.socket, over: threading.Event) -> None:
    """Send the head, then a byte ten times a second until the test is over."""
    with connection, suppress(OSError):
        connection.recv(65536)
        connection.sendall(head)
        while not over.wait(0.1):
            connection.sendall(b" ")


BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n"
ERROR = b"HTTP/1.1 503 Busy\r\nContent-Length: 600\r\n\r\n"


@pytest.mark.parametrize("head", [BODY, ERROR, b"HTTP/1.1 200 OK\r\nX: ", b""])
def test_a_check_of_a_server_that_drips_ends_at_its_deadline(head):
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with suppress(OSError):
                while True:
                    drip(head, listener.accept()[0], over)

        threading.Thread(target=accept, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(UndecidedError, match="does not answer: timed out") as failed:
            RolecallClient(url, "cli_1", "secret", timeout=0.5).check("usr_b", "instance:write")
        assert 0.4 < time.monotonic() - started < 30
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    assert failed.value.temporary


def test_token_and_answer_share_one_deadline(server, rolecall):
    never = threading.Event()

    def slowly(path: str, body: bytes):
        never.wait(1.5)
        return FakeRolecall.__call__(rolecall, path, body)

    quick, server.answer = server.answer, slowly
    client = RolecallClient(server.url, "cli_1", "secret", timeout=2.5)
    with pytest.raises(UndecidedError) as failed:
        client.check("usr_b", "instance:write")
    assert failed.value.temporary
    server.answer = quick
    assert client.check("usr_b", "instance:write"), "the token is kept"


def test_a_server_that_does_not_listen_is_undecided():
    with socket.socket() as bound:  # no other server can take the port
        bound.bind(("127.0.0.1", 0))
        client = RolecallClient(f"http://127.0.0.1:{bound.getsockname()[1]}", "cli_1", "secret")
        with pytest.raises(UndecidedError, match="does not answer"):
            client.check("usr_b", "instance:write")


def test_a_certificate_that_is_not_trusted_is_undecided(tmp_path):
    with stub_server(self_signed(tmp_path)) as server:
        server.answer = FakeRolecall()
        with pytest.raises(UndecidedError, match="certificate verify failed"):
            RolecallClient(server.url, "cli_1", "secret").check("usr_b", "instance:write")
        assert server.asked == [], "the secret was not sent"


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names for every address; it would allow everything."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with stub_server() as running:
        running.answer = FakeRolecall()
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, running.url)
        yield running


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_proxy_of_the_environment_is_not_given_the_secret(server, rolecall, proxy, host):
    url = f"http://{host}:{server.server_port}"
    rolecall.evaluation = 200, DENY
    assert not RolecallClient(url, "cli_1", "secret").check("usr_b", "instance:write")
    assert create_client(url=url, key="k3y", name="x", timeout=10.0).id == "svc_1"
    assert proxy.asked == []


def test_plain_http_to_another_machine_is_sent_without_the_proxy(proxy):
    client = RolecallClient("http://rolecall.invalid", "cli_1", "secret", allow_http=True)
    with pytest.raises(UndecidedError, match="does not answer"):
        client.check("usr_b", "instance:write")
    assert proxy.asked == []


def test_https_to_this_machine_is_sent_without_the_proxy(tmp_path, proxy):
    with stub_server(self_signed(tmp_path)) as server, pytest.raises(UndecidedError):
        RolecallClient(server.url, "cli_1", "secret").check("usr_b", "instance:write")
    assert proxy.asked == []


def test_https_to_another_machine_goes_through_a_tunnel_of_the_proxy(proxy):
    with pytest.raises(UndecidedError, match="502"):
        RolecallClient("https://rolecall.invalid", "cli_1", "secret").check("usr_b", "a:b")
    [(path, headers, sent)] = proxy.asked
    assert (path, sent) == ("rolecall.invalid:443", b"")
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    "url", ["ftp://example.test", "rolecall:8080", "file:///etc/passwd", "", "http://["]
)
def test_only_http_addresses_are_accepted(url):
    with pytest.raises(ValueError, match="not an http or https address"):
        RolecallClient(url, "cli_1", "secret")


def test_plain_http_to_another_machine_must_be_allowed():
    with pytest.raises(ValueError, match="not encrypted"):
        RolecallClient("http://rolecall.example", "cli_1", "secret")
    RolecallClient("http://rolecall.example", "cli_1", "secret", allow_http=True)
    RolecallClient("https://rolecall.example", "cli_1", "secret")


def check_command(server, *more):
    return main(
        ["check", "usr_b", "instance:write", "--url", server.url, "--client-id", "cli_1", *more]
    )


@pytest.mark.parametrize(
    ("evaluation", "code", "out", "err"),
    [
        ((200, ALLOW), 0, "allowed by role developer\n", ""),
        ((200, DENY), 1, "denied (not-a-member)\n", ""),
        ((503, {"code": "stale", "detail": "Try again."}), 2, "",
         "Not decided: Rolecall refused with status 503 (stale): Try again.\n"),
    ],
)  # fmt: skip
def test_the_check_command_prints_the_decision(
    server, rolecall, capsys, evaluation, code, out, err
):
    rolecall.evaluation = evaluation
    more = ("--client-secret", "secret", "--account", "acc_1", "--project", "prj_1")
    assert check_command(server, *more) == code
    assert capsys.readouterr() == (out, err)
    properties = json.loads(server.asked[-1][2])["resource"]["properties"]
    assert properties == {"account_id": "acc_1", "project_id": "prj_1", "owner_id": None}


def test_the_check_command_takes_its_secret_from_the_environment(server, monkeypatch, capsys):
    monkeypatch.delenv("ROLECALL_CLIENT_SECRET", raising=False)
    assert check_command(server) == 2
    assert "ROLECALL_CLIENT_SECRET" in capsys.readouterr().err
    monkeypatch.setenv("ROLECALL_CLIENT_SECRET", "secret")
    assert check_command(server) == 0


@pytest.mark.rule("B2")
def test_the_id_of_an_api_token_tells_the_type_of_the_subject():
    token = f"tok_{7:032x}"
    assert evaluation_of(token, "instance:write")["subject"]["type"] == "api_token"
    for user in ("usr_b", "tok_short", f"x{token}", f"{token}\n"):
        assert evaluation_of(user, "instance:write")["subject"]["type"] == "user"
