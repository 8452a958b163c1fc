"""Addresses with TLS: accepted by the settings, and obeyed by the clients of both servers."""

import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from pydantic import BaseModel, ValidationError

from shared.bus.rabbitmq_links import BrokerLinks
from shared.mongo import DatabaseAway, connect
from shared.runtime.server_addresses import AmqpAddress, MongoAddress
from shared.timeouts import Timeouts
from tests.support.certificates import Authority
from tests.waiting import wait_for

AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
APP_NAME = "rolecall-team"


class Broker(BaseModel):
    """The setting of the broker alone."""

    url: AmqpAddress


class Database(BaseModel):
    """The setting of the database alone."""

    url: MongoAddress


class TlsServer:
    """Keeps what clients say after the handshake, and answers nothing."""

    def __init__(self, certificate, clients=None):
        """With `clients`, a client needs a certificate of this authority."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        if clients is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients)
        self.said = []

    @contextmanager
    def serving(self):
        """Listen on a free port while the block runs."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._listen, args=(listener,))
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _listen(self, listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return  # the block is over
            with plain, suppress(OSError):  # a client may not like the certificate
                plain.settimeout(5)
                if text := self._hear(plain):
                    self.said.append(text)

    def _hear(self, plain):
        """What a client says first.

        Without `wrap_socket`, which leaves a socket open if the client went before it.
        """
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self._context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                return session.read(4096)
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                if not (heard := plain.recv(4096)):
                    return b""
                incoming.write(heard)


async def reach_broker(url):
    """Connect as a service does; the server ends the connection."""
    address = Broker(url=url).url.get_secret_value()
    links = BrokerLinks(address, "test", 10, connect_seconds=10)
    with pytest.raises((TimeoutError, *CONNECTION_EXCEPTIONS)):
        await links.open()
    await links.close()


async def reach_database(url):
    """Connect as a service does; the server ends the connection."""
    address = Database(url=url).url.get_secret_value()
    client = connect(address, app_name=APP_NAME, timeouts=Timeouts(database=1.0))
    with pytest.raises(DatabaseAway):
        await client.admin.command("ping")
    client.close()


@dataclass(frozen=True)
class Kind:
    """How one server is reached with TLS."""

    reach: Callable[[str], Awaitable[None]]
    address: str
    client_certificate: str
    greeting: bytes


KINDS = {
    "broker": Kind(
        reach_broker,
        "amqps://team:secret@127.0.0.1:{port}/?cafile={authority}",
        "&certfile={certificate}&keyfile={certificate}",
        AMQP_GREETING,
    ),
    "database": Kind(
        reach_database,
        "mongodb://team:secret@127.0.0.1:{port}/?directConnection=true&tls=true"
        "&tlsCAFile={authority}",
        "&tlsCertificateKeyFile={certificate}",
        APP_NAME.encode(),
    ),
}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request):
    return request.param


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ours")


async def test_a_server_with_a_certificate_of_our_authority_is_spoken_to(kind, authority):
    with TlsServer(authority.certify("server")).serving() as server:
        await kind.reach(kind.address.format(port=server.port, authority=authority.file))
        await wait_for(lambda: bool(server.said), what="a greeting over TLS")
    assert kind.greeting in server.said[0]


async def test_a_server_of_another_authority_hears_nothing(kind, authority, tmp_path):
    other = Authority(tmp_path, "other")
    with TlsServer(other.certify("server")).serving() as server:
        await kind.reach(kind.address.format(port=server.port, authority=authority.file))
    assert server.said == []


async def test_a_server_with_a_certificate_for_another_address_hears_nothing(kind, authority):
    with TlsServer(authority.certify("server", "127.0.0.2")).serving() as server:
        await kind.reach(kind.address.format(port=server.port, authority=authority.file))
    assert server.said == []


async def test_a_client_shows_the_certificate_that_its_address_names(kind, authority):
    address = kind.address + kind.client_certificate
    with TlsServer(authority.certify("server"), authority.file).serving() as server:
        files = {"authority": authority.file, "certificate": authority.certify("client")}
        await kind.reach(address.format(port=server.port, **files))
        await wait_for(lambda: bool(server.said), what="a greeting over TLS")
    assert kind.greeting in server.said[0]


WRONG = {
    "no authority": (Broker, "amqps://team:s3cret@mq/?cafile=/no/such/ca.pem", "cafile"),
    "no certificate": (Broker, "amqps://team:s3cret@mq/?certfile=/no/such.pem", "certfile"),
    "no key": (Broker, "amqps://team:s3cret@mq/?keyfile=/no/such.pem", "keyfile"),
    "no TLS": (Broker, "amqp://team:s3cret@mq/?cafile=/etc/hostname", "amqps://"),
    "no authority of the database": (
        Database,
        "mongodb://team:s3cret@a:1,b:2/?tls=true&tlsCAFile=/no/such/ca.pem",
        "tlsCAFile",
    ),
    "no key of the database": (
        Database,
        "mongodb://team:s3cret@a/?tls=true&tlscertificatekeyfile=/no/such.pem",
        "tlscertificatekeyfile",
    ),
}


@pytest.mark.parametrize(("setting", "url", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_stops_the_start_and_is_named(setting, url, told):
    with pytest.raises(ValidationError) as refused:
        setting(url=url)
    [fault] = refused.value.errors(include_input=False)
    assert told in fault["msg"]
    assert "s3cret" not in fault["msg"]


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://team:x@a.example:27017,b.example:27017/?replicaSet=rs0&tls=true&authSource=admin",
        "mongodb+srv://team:x@db.example/?authSource=admin",
    ],
)
def test_an_address_of_a_replica_set_with_tls_is_kept_as_it_is(url):
    assert Database(url=url).url.get_secret_value() == url


@pytest.mark.parametrize(
    ("setting", "scheme"), [(Broker, "amqp"), (Database, "mongodb"), (Database, "mongodb+srv")]
)
@pytest.mark.parametrize("mark", ["/", "?", "#", "@"])
def test_a_password_that_is_not_encoded_is_refused_and_not_told(setting, scheme, mark):
    with pytest.raises(ValidationError) as refused:
        setting(url=f"{scheme}://team:s3c{mark}ret@host.example/?a=b@c")
    [fault] = refused.value.errors(include_input=False)
    assert "as %2F, %3F, %23 and %40" in fault["msg"]
    assert "s3c" not in fault["msg"]
    assert "ret" not in fault["msg"].replace("secret", "")
    setting(url=f"{scheme}://team:s3c%2Fret@host.example/?a=b@c")
