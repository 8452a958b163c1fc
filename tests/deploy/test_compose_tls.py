"""The composition whose gateway speaks TLS: its files, its ports, and what is refused before."""

import stat
import subprocess
from dataclasses import replace

import pytest
import yaml

from deploy.compose import ROOT, Compose
from deploy.compose_answers import connection_to
from deploy.compose_tls import (
    PublishedTls,
    listen_address_from_environment,
    tls_from_environment,
)
from tests.support.certificates import Authority

GIVEN = PublishedTls(port=9443, certificate="CERTIFICATE-1", key="KEY-1")
ADDED = yaml.safe_load((ROOT / "docker-compose.tls.yml").read_text())["services"]
VARIABLES = ("TLS_CERTIFICATE", "TLS_KEY", "TLS_PORT", "PUBLIC_URL", "TRUSTED_PROXIES")


@pytest.fixture
def variables(monkeypatch):
    """Sets variables of the environment, which has none of TLS otherwise."""
    for name in (*VARIABLES, "LISTEN_ADDRESS"):
        monkeypatch.delenv(name, raising=False)

    def put(**given):
        for name, value in given.items():
            monkeypatch.setenv(name, str(value))

    return put


@pytest.fixture
def certificate(tmp_path):
    """A PEM file with a certificate and its private key."""
    return Authority(tmp_path, "authority").certify("gateway")


@pytest.fixture
def encrypted(tmp_path):
    made = Compose(project="test", folder=tmp_path, port=1234, mail_port=1235, tls=GIVEN)
    made.prepare()
    return made


def test_the_gateway_speaks_tls_and_leads_http_to_its_public_address(encrypted):
    text = (encrypted.folder / "gateway" / "nginx.conf").read_text()
    assert encrypted.address == "https://localhost:9443"
    for line in (
        "listen 8443 ssl;",
        "ssl_certificate /run/secrets/rolecall/tls.crt;",
        "ssl_certificate_key /run/secrets/rolecall/tls.key;",
        "return 308 https://localhost:9443$request_uri;",
    ):
        assert line in text
    named = replace(encrypted, public_url="https://iam.example")
    named.prepare()
    text = (encrypted.folder / "gateway" / "nginx.conf").read_text()
    assert "return 308 https://iam.example$request_uri;" in text


def test_only_the_container_of_the_gateway_is_given_the_key(encrypted):
    folder = encrypted.folder / "secrets"
    assert {each.name: each.read_text() for each in (folder / "gateway").iterdir()} == {
        "tls.crt": "CERTIFICATE-1\n",
        "tls.key": "KEY-1\n",
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(ADDED) == {"gateway"}
    [volume] = ADDED["gateway"]["volumes"]
    assert volume.endswith("/secrets/gateway:/run/secrets/rolecall:ro")
    others = [path for path in encrypted.folder.rglob("*") if path.is_file()]
    holders = [path.name for path in others if "KEY-1" in path.read_text()]
    assert holders == ["tls.key"]


def test_compose_publishes_both_ports_at_the_address_that_is_named(encrypted):
    moved = replace(encrypted, listen_address="0.0.0.0")
    assert moved.variables["LISTEN_ADDRESS"] == "0.0.0.0"
    assert moved.variables["TLS_PORT"] == "9443"
    assert ADDED["gateway"]["ports"] == ["${LISTEN_ADDRESS:-127.0.0.1}:${TLS_PORT:-8443}:8443"]
    words = moved.told_command("ps").split()
    assert words[-5:] == ["-f", "docker-compose.yml", "-f", "docker-compose.tls.yml", "ps"]


def test_the_gateway_is_asked_where_it_is_published(encrypted):
    for listen, host in {"127.0.0.1": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::1": "::1"}.items():
        asked = connection_to(listen, 1234, GIVEN)
        assert (asked.host, asked.port) == (host, 9443)
        assert connection_to(listen, 1234, None).port == 1234


def test_a_certificate_and_its_key_are_read(variables, certificate):
    assert tls_from_environment() is None
    variables(TLS_CERTIFICATE=certificate, TLS_KEY=certificate, TLS_PORT=443)
    text = certificate.read_text().strip()
    assert tls_from_environment() == PublishedTls(port=443, certificate=text, key=text)


def test_files_that_do_not_match_are_refused_before_anything_starts(
    variables, certificate, tmp_path
):
    other = Authority(tmp_path, "other").certify("stranger")
    empty = tmp_path / "empty"
    empty.write_text("")
    for given, expected in (
        ({"TLS_CERTIFICATE": certificate, "TLS_KEY": ""}, "TLS_KEY is not set"),
        ({"TLS_CERTIFICATE": "", "TLS_KEY": certificate}, "TLS_CERTIFICATE is not set"),
        ({"TLS_KEY": tmp_path / "none", "TLS_CERTIFICATE": certificate}, "TLS_KEY cannot be read"),
        ({"TLS_CERTIFICATE": certificate, "TLS_KEY": other}, "and its private key"),
        ({"TLS_CERTIFICATE": empty, "TLS_KEY": certificate}, "and its private key"),
    ):
        variables(**given)
        with pytest.raises(SystemExit, match=expected):
            tls_from_environment()


def test_a_key_with_a_password_is_refused_without_a_question(variables, certificate, tmp_path):
    locked = tmp_path / "locked.pem"
    command = ("openssl", "pkcs8", "-topk8", "-in", certificate, "-passout", "pass:x", "-out")
    subprocess.run([*command, locked], check=True)
    variables(TLS_CERTIFICATE=certificate, TLS_KEY=locked)
    with pytest.raises(SystemExit, match="without a password"):
        tls_from_environment()


def test_a_certificate_that_has_expired_is_refused(variables, tmp_path):
    old = Authority(tmp_path, "authority").certify("gateway", expired=True)
    variables(TLS_CERTIFICATE=old, TLS_KEY=old)
    with pytest.raises(SystemExit, match="TLS_CERTIFICATE has expired"):
        tls_from_environment()


def test_with_tls_the_public_address_is_https(variables, certificate):
    variables(TLS_CERTIFICATE=certificate, TLS_KEY=certificate, PUBLIC_URL="http://iam.example")
    with pytest.raises(SystemExit, match="PUBLIC_URL must be an https"):
        tls_from_environment()


def test_without_encryption_the_gateway_is_published_to_this_machine_alone(variables):
    assert listen_address_from_environment(encrypted=False) == "127.0.0.1"
    variables(LISTEN_ADDRESS="0.0.0.0")
    assert listen_address_from_environment(encrypted=True) == "0.0.0.0"
    with pytest.raises(SystemExit, match="without encryption"):
        listen_address_from_environment(encrypted=False)
    variables(TRUSTED_PROXIES="10.1.0.0/16")
    assert listen_address_from_environment(encrypted=False) == "0.0.0.0"
    variables(LISTEN_ADDRESS="iam.example")
    with pytest.raises(SystemExit, match="LISTEN_ADDRESS is not valid"):
        listen_address_from_environment(encrypted=True)
