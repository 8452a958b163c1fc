"""Does a mail reach the mail server, and is its answer understood?"""

import datetime as dt
import ipaddress
import ssl

import bson
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from deploy.programs.program import free_port
from services.notification.domain import Deferred, Refused, Sent, Unreachable
from services.notification.mails import Mail
from services.notification.smtp import Mailer, Security
from tests.waiting import wait_for

MAIL = Mail(
    sender="no-reply@mail.example",
    recipient="bo@example.com",
    content=b"Subject: Hello\r\nMessage-ID: <msg_1@cloud.example>\r\n\r\nHello.\r\n",
)


@pytest.fixture
async def mailer(scripted):
    mailer = Mailer(host="127.0.0.1", port=scripted.port, security=Security.NONE)
    yield mailer
    await mailer.close()


async def test_a_mail_goes_to_its_one_recipient(mailer, scripted):
    assert isinstance(await mailer.send(MAIL), Sent)
    assert scripted.taken == [(("bo@example.com",), "<msg_1@cloud.example>")]


async def test_the_server_is_greeted_by_our_public_name_and_not_by_the_machines(scripted):
    mailer = Mailer(
        host="127.0.0.1",
        port=scripted.port,
        security=Security.NONE,
        own_name="cloud.example",
    )
    await mailer.send(MAIL)
    await mailer.close()
    assert scripted.greetings == ["cloud.example"]


async def test_several_mails_share_a_connection(mailer, scripted):
    for _ in range(3):
        assert isinstance(await mailer.send(MAIL), Sent)
    assert len(scripted.taken) == 3
    assert len(scripted.sessions) == 1


@pytest.mark.parametrize("reply", ["450 busy", "451 try later", "452 full"])
@pytest.mark.parametrize("where", ["recipient_replies", "data_replies"])
async def test_a_4xx_means_later(mailer, scripted, where, reply):
    getattr(scripted, where).append(reply)
    assert await mailer.send(MAIL) == Deferred(reply=reply)
    assert isinstance(await mailer.send(MAIL), Sent)


@pytest.mark.parametrize("reply", ["550 no such user", "552 too large", "554 no"])
@pytest.mark.parametrize("where", ["recipient_replies", "data_replies"])
async def test_a_5xx_means_never(mailer, scripted, where, reply):
    getattr(scripted, where).append(reply)
    assert await mailer.send(MAIL) == Refused(reply=reply)
    assert isinstance(await mailer.send(MAIL), Sent)


@pytest.mark.parametrize(
    ("where", "reply", "understood"),
    [
        ("data_replies", "250 f\xfcr Bo", Sent),
        ("data_replies", "451 sp\xe4ter", Deferred),
        ("recipient_replies", "550 Empf\xe4nger unbekannt", Refused),
    ],
)
async def test_a_reply_in_an_encoding_of_its_own_can_be_kept(
    mailer, scripted, where, reply, understood
):
    getattr(scripted, where).append(reply)
    attempt = await mailer.send(MAIL)
    assert isinstance(attempt, understood)
    assert bson.encode({"reply": attempt.reply})


async def test_a_421_means_later_and_on_another_connection(mailer, scripted):
    scripted.data_replies.append("421 closing")
    assert isinstance(await mailer.send(MAIL), Deferred)
    assert isinstance(await mailer.send(MAIL), Sent)


async def test_a_connection_that_drops_after_the_data_leaves_us_unsure(mailer, scripted):
    scripted.data_replies.append("drop")
    assert isinstance(await mailer.send(MAIL), Deferred)
    assert len(scripted.taken) == 1


async def test_a_connection_that_went_stale_is_replaced_before_the_mail_is_tried(mailer, scripted):
    servers = []

    async def remember(server):
        servers.append((server.loop, server.transport))

    scripted.after_data = remember
    assert isinstance(await mailer.send(MAIL), Sent)
    [(loop, transport)] = servers
    loop.call_soon_threadsafe(transport.close)
    [(connection, _)] = mailer._idle
    await wait_for(lambda: not connection.is_connected, what="the end of the connection")
    assert isinstance(await mailer.send(MAIL), Sent)
    assert len(servers) == 2


async def test_nobody_at_the_address_means_that_nothing_was_sent():
    mailer = Mailer(host="127.0.0.1", port=free_port(), security=Security.NONE)
    assert isinstance(await mailer.send(MAIL), Unreachable)


@pytest.mark.parametrize(
    "recipient",
    ["a@x.example>\r\nRCPT TO:<b@x.example", "a@x\n.example", "a@x.example,b@x.example"],
)
async def test_an_address_with_more_in_it_is_never_spoken(mailer, scripted, recipient):
    mail = Mail(sender=MAIL.sender, recipient=recipient, content=MAIL.content)
    assert isinstance(await mailer.send(mail), Refused)
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
    """A mail server that wants STARTTLS and a sign-in."""

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


def guarded(port, *, password="correct horse"):
    return Mailer(
        host="127.0.0.1",
        port=port,
        security=Security.STARTTLS,
        username="rolecall",
        password=SecretStr(password),
    )


async def test_a_mail_goes_through_starttls_and_a_sign_in(
    guarded_server, certificate, scripted, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailer = guarded(guarded_server)
    assert isinstance(await mailer.send(MAIL), Sent)
    await mailer.close()
    assert len(scripted.taken) == 1


async def test_a_server_that_cannot_prove_its_name_gets_no_mail(guarded_server, scripted):
    assert isinstance(await guarded(guarded_server).send(MAIL), Unreachable)
    assert scripted.taken == []


async def test_a_refused_sign_in_is_our_fault_and_bounces_nothing(
    guarded_server, certificate, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    attempt = await guarded(guarded_server, password="wrong").send(MAIL)
    assert isinstance(attempt, Unreachable)


async def test_a_server_without_starttls_gets_no_mail_when_it_was_asked_for(scripted):
    mailer = Mailer(host="127.0.0.1", port=scripted.port, security=Security.STARTTLS)
    assert isinstance(await mailer.send(MAIL), Unreachable)
    assert scripted.taken == []
