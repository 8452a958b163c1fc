"""The connections to the mail server, and its replies."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from datetime import timedelta

import bson
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from deploy.programs.program import free_port
from services.notification.adapters.smtp import SmtpTransport
from services.notification.domain.attempts import Deferred, Rejected, Sent, Unreachable
from services.notification.domain.mails import ComposedMail
from services.notification.settings import Security, Settings
from shared.clock import SystemClock
from shared.runtime.environment import load
from shared.timeouts import Timeouts
from tests.services.notification.conftest import MovedClock
from tests.waiting import wait_for

MAIL = ComposedMail(
    sender="no-reply@mail.example",
    recipient="bo@example.com",
    content=b"Subject: Hello\r\nMessage-ID: <msg_1@cloud.example>\r\n\r\nHello.\r\n",
)


def transport_to(port, *, security=Security.NONE, clock=None, **options):
    return SmtpTransport(
        host="127.0.0.1", port=port, security=security, clock=clock or SystemClock(), **options
    )


@pytest.fixture
def clock():
    return MovedClock()


@pytest_asyncio.fixture(loop_scope="module")
async def transport(scripted, clock):
    transport = transport_to(scripted.port, clock=clock)
    yield transport
    await transport.close()


async def test_a_mail_goes_to_its_recipient(transport, scripted):
    assert isinstance(await transport.send(MAIL), Sent)
    assert scripted.taken == [(("bo@example.com",), "<msg_1@cloud.example>")]


async def test_the_server_is_greeted_with_the_configured_name(scripted):
    transport = transport_to(scripted.port, own_name="cloud.example")
    await transport.send(MAIL)
    await transport.close()
    assert scripted.greetings == ["cloud.example"]


async def test_several_mails_share_a_connection(transport, scripted):
    for _ in range(3):
        assert isinstance(await transport.send(MAIL), Sent)
    assert len(scripted.taken) == 3
    assert len(scripted.sessions) == 1


async def test_a_connection_that_was_idle_too_long_is_not_reused(transport, clock, scripted):
    assert isinstance(await transport.send(MAIL), Sent)
    clock.ahead += timedelta(seconds=29)
    assert isinstance(await transport.send(MAIL), Sent)
    assert (len(scripted.sessions), scripted.quits) == (1, 0)
    clock.ahead += timedelta(seconds=29)
    assert isinstance(await transport.send(MAIL), Sent)
    assert (len(scripted.sessions), scripted.quits) == (1, 0)
    clock.ahead += timedelta(seconds=30)
    assert isinstance(await transport.send(MAIL), Sent)
    assert (len(scripted.sessions), scripted.quits) == (2, 1)
    assert len(scripted.taken) == 4


async def test_the_idle_time_of_a_connection_can_be_configured(clock, scripted):
    transport = transport_to(scripted.port, clock=clock, timeouts=Timeouts(smtp_idle=2.0))
    for idle_seconds, sessions in [(0, 1), (1, 1), (2, 2), (5, 3)]:
        clock.ahead += timedelta(seconds=idle_seconds)
        assert isinstance(await transport.send(MAIL), Sent)
        assert len(scripted.sessions) == sessions
    await transport.close()


@pytest.mark.parametrize("reply", ["450 busy", "451 try later", "452 full"])
@pytest.mark.parametrize("where", ["recipient_replies", "data_replies"])
async def test_a_4xx_reply_defers_the_mail(transport, scripted, where, reply):
    getattr(scripted, where).append(reply)
    assert await transport.send(MAIL) == Deferred(reply=reply)
    assert isinstance(await transport.send(MAIL), Sent)


@pytest.mark.parametrize("reply", ["550 no such user", "552 too large", "554 no"])
@pytest.mark.parametrize("where", ["recipient_replies", "data_replies"])
async def test_a_5xx_reply_rejects_the_mail(transport, scripted, where, reply):
    getattr(scripted, where).append(reply)
    assert await transport.send(MAIL) == Rejected(reply=reply)
    assert isinstance(await transport.send(MAIL), Sent)


@pytest.mark.parametrize("reply", [f"{code} 5.7.0 sign in" for code in (530, 534, 535, 538)])
@pytest.mark.parametrize("where", ["sender_replies", "recipient_replies", "data_replies"])
async def test_a_refused_sign_in_is_not_the_recipients_fault(transport, scripted, where, reply):
    getattr(scripted, where).append(reply)
    assert await transport.send(MAIL) == Unreachable(reason=reply)
    assert isinstance(await transport.send(MAIL), Sent)


@pytest.mark.parametrize(
    ("where", "reply", "result"),
    [
        ("hello_replies", "550 not you", Unreachable(reason="550 not you")),
        ("sender_replies", "451 later", Deferred(reply="451 later")),
        ("sender_replies", "553 not your address", Unreachable(reason="553 not your address")),
        ("sender_replies", "552 too large", Rejected(reply="552 too large")),
        ("recipient_replies", "503 sign in first", Unreachable(reason="503 sign in first")),
        ("recipient_replies", "556 no mail here", Rejected(reply="556 no mail here")),
        ("data_replies", "525 disabled", Unreachable(reason="525 disabled")),
        ("data_replies", "554 policy", Rejected(reply="554 policy")),
    ],
)
async def test_the_smtp_step_decides_the_result_of_a_reply(
    transport, scripted, where, reply, result
):
    # A client that gets no good reply to EHLO tries HELO.
    getattr(scripted, where).extend([reply] * (2 if where == "hello_replies" else 1))
    assert await transport.send(MAIL) == result
    assert isinstance(await transport.send(MAIL), Sent)


@pytest.mark.parametrize(
    ("where", "reply", "understood"),
    [
        ("data_replies", "250 f\xfcr Bo", Sent),
        ("data_replies", "451 sp\xe4ter", Deferred),
        ("recipient_replies", "550 Empf\xe4nger unbekannt", Rejected),
    ],
)
async def test_a_reply_in_another_encoding_can_be_stored(
    transport, scripted, where, reply, understood
):
    getattr(scripted, where).append(reply)
    attempt = await transport.send(MAIL)
    assert isinstance(attempt, understood)
    assert bson.encode({"reply": attempt.reply})


async def test_a_421_defers_the_mail_to_another_connection(transport, scripted):
    scripted.data_replies.append("421 closing")
    assert isinstance(await transport.send(MAIL), Deferred)
    assert isinstance(await transport.send(MAIL), Sent)


async def test_a_connection_that_drops_after_the_data_defers_the_mail(transport, scripted):
    scripted.data_replies.append("drop")
    assert isinstance(await transport.send(MAIL), Deferred)
    assert len(scripted.taken) == 1


async def test_a_closed_connection_is_replaced_before_the_mail_is_tried(transport, scripted):
    servers = []

    async def remember(server):
        servers.append((server.loop, server.transport))

    scripted.after_data = remember
    assert isinstance(await transport.send(MAIL), Sent)
    [(loop, socket)] = servers
    loop.call_soon_threadsafe(socket.close)
    [(connection, _)] = transport._idle
    await wait_for(lambda: not connection.is_connected, what="the end of the connection")
    assert isinstance(await transport.send(MAIL), Sent)
    assert len(servers) == 2


REPLIES = ["220 hello", "250 mail.example", "250 fine", "250 fine", "354 go on", "250 taken"]
"""To the connection, EHLO, MAIL FROM, RCPT TO, DATA, and the mail's bytes."""


@pytest.mark.parametrize("replies", range(len(REPLIES)))
async def test_a_server_that_falls_silent_is_waited_for_only_so_long(replies):
    ended = asyncio.Event()

    async def serve(reader, writer):
        for number, reply in enumerate(REPLIES[:replies]):
            if number:
                await reader.readline()
            writer.write(f"{reply}\r\n".encode())
        await reader.read()
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = transport_to(port, timeouts=Timeouts(smtp_connect=0.2, smtp_reply=0.2))
    async with server, asyncio.timeout(30):
        result = await transport.send(MAIL)
        await ended.wait()
    assert isinstance(result, Deferred | Unreachable)


async def test_a_server_that_does_not_listen_is_unreachable():
    transport = transport_to(free_port())
    assert isinstance(await transport.send(MAIL), Unreachable)


@pytest.mark.parametrize(
    "recipient",
    ["a@x.example>\r\nRCPT TO:<b@x.example", "a@x\n.example", "a@x.example,b@x.example"],
)
async def test_an_address_with_more_than_one_mailbox_is_rejected(transport, scripted, recipient):
    mail = ComposedMail(sender=MAIL.sender, recipient=recipient, content=MAIL.content)
    assert isinstance(await transport.send(mail), Rejected)
    assert scripted.taken == []


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "mail.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def guarded_server(certificate, scripted):
    """A mail server that requires STARTTLS and a sign-in."""

    def signs_in(server, session, envelope, mechanism, credentials):
        good = (credentials.login, credentials.password) == (b"rolecall", b"correct horse")
        return AuthResult(success=good, handled=False)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    controller = Controller(
        scripted,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=signs_in,
    )
    controller.start()
    yield controller.port
    controller.stop()


def guarded(port, *, password="correct horse", **options):
    secret = {"username": "rolecall", "password": SecretStr(password)}
    return transport_to(port, security=Security.STARTTLS, **secret, **options)


async def test_a_mail_goes_through_starttls_and_a_sign_in(
    guarded_server, certificate, scripted, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    transport = guarded(guarded_server)
    assert isinstance(await transport.send(MAIL), Sent)
    await transport.close()
    assert len(scripted.taken) == 1


async def test_a_server_without_a_valid_certificate_gets_no_mail(guarded_server, scripted):
    assert isinstance(await guarded(guarded_server).send(MAIL), Unreachable)
    assert scripted.taken == []


async def test_the_authority_of_the_mail_server_may_be_in_a_file(
    guarded_server, certificate, scripted
):
    transport = guarded(guarded_server, authorities=certificate)
    assert isinstance(await transport.send(MAIL), Sent)
    await transport.close()
    assert len(scripted.taken) == 1


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_file_without_authorities_stops_the_start(tmp_path, monkeypatch, capsys, content):
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("ROLECALL_NOTIFICATION_SMTP_CA_FILE", str(file))
    with pytest.raises(SystemExit):
        load(Settings)
    told = "ROLECALL_NOTIFICATION_SMTP_CA_FILE is not valid: the file has no certificates"
    assert told in capsys.readouterr().err


async def test_wrong_credentials_make_the_server_unreachable(
    guarded_server, certificate, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    attempt = await guarded(guarded_server, password="wrong").send(MAIL)
    assert isinstance(attempt, Unreachable)


async def test_a_server_without_starttls_gets_no_mail_if_it_is_required(scripted):
    transport = transport_to(scripted.port, security=Security.STARTTLS)
    assert isinstance(await transport.send(MAIL), Unreachable)
    assert scripted.taken == []
