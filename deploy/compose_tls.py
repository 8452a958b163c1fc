"""TLS at the gateway of the composition, with a certificate that the operator has."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from deploy.compose_environment import port_from_environment
from deploy.gateway.tls import Tls
from deploy.production import MOUNTED, write_secrets

TLS_FILE = "docker-compose.tls.yml"
"""What it adds to docker-compose.yml."""
TLS_PORT, REDIRECTING_PORT = 8443, 8080
"""The ports in the gateway's container: the first speaks TLS, the second leads to it."""
CERTIFICATE, KEY = "tls.crt", "tls.key"
"""Files of the container."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class PublishedTls:
    """The port of this machine that speaks TLS, and the texts of two PEM files."""

    port: int
    certificate: str
    key: str

    def write(self, folder: Path) -> None:
        """Write the files that the gateway's container gets; no other container has them."""
        given = {CERTIFICATE: self.certificate, KEY: self.key}
        write_secrets(folder, "gateway", given, secret=set(given))

    def at_gateway(self, public_url: str) -> Tls:
        """The gateway's TLS, which leads http to the public address."""
        return Tls(
            certificate=f"{MOUNTED}/{CERTIFICATE}",
            key=f"{MOUNTED}/{KEY}",
            redirect_from=str(REDIRECTING_PORT),
            public_url=public_url.rstrip("/"),
        )

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables that the file of compose reads."""
        return {"TLS_PORT": str(self.port)}


def tls_from_environment() -> PublishedTls | None:
    """What `TLS_CERTIFICATE`, `TLS_KEY` and `TLS_PORT` say; `None` without a certificate.

    Raises:
        SystemExit: a file cannot be read, the key is of another certificate, the certificate has
            expired, or the public address is not https.
    """
    files = {name: os.environ.get(name, "").strip() for name in ("TLS_CERTIFICATE", "TLS_KEY")}
    if not any(files.values()):
        return None
    texts = {}
    for name, file in files.items():
        if not file:
            raise SystemExit(f"{name} is not set. TLS_CERTIFICATE and TLS_KEY belong together.")
        try:
            texts[name] = Path(file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise SystemExit(f"{name} cannot be read: it must be a PEM file.") from problem
    try:
        # A key that is encrypted would be asked for at the terminal.
        ssl.create_default_context().load_cert_chain(
            files["TLS_CERTIFICATE"], files["TLS_KEY"], password=""
        )
    except (OSError, ValueError) as problem:
        raise SystemExit(
            "TLS_CERTIFICATE and TLS_KEY must be a certificate and its private key, as PEM and"
            " without a password."
        ) from problem
    ends = load_pem_x509_certificates(texts["TLS_CERTIFICATE"].encode())[0].not_valid_after_utc
    if ends <= datetime.now(UTC):
        raise SystemExit(f"TLS_CERTIFICATE has expired, at {ends:%Y-%m-%d %H:%M} UTC.")
    if not os.environ.get("PUBLIC_URL", "https://").startswith("https://"):
        raise SystemExit("PUBLIC_URL must be an https:// address where TLS_CERTIFICATE is set.")
    return PublishedTls(
        port=port_from_environment("TLS_PORT", TLS_PORT),
        certificate=texts["TLS_CERTIFICATE"],
        key=texts["TLS_KEY"],
    )


def listen_address_from_environment(*, encrypted: bool) -> str:
    """The address of this machine at which the gateway is published, `LISTEN_ADDRESS`.

    Raises:
        SystemExit: it is not an IP address, or others could reach a gateway that neither speaks TLS
            nor has a balancer in front (`TRUSTED_PROXIES`).
    """
    text = os.environ.get("LISTEN_ADDRESS", "").strip() or LOOPBACK
    try:
        loopback = ip_address(text).is_loopback
    except ValueError as problem:
        raise SystemExit(
            f"LISTEN_ADDRESS is not valid: {text!r} is not an IP address."
        ) from problem
    if not loopback and not encrypted and not os.environ.get("TRUSTED_PROXIES", "").strip():
        raise SystemExit(
            f"LISTEN_ADDRESS={text} would let others send passwords without encryption. Set"
            " TLS_CERTIFICATE and TLS_KEY, or TRUSTED_PROXIES if a load balancer ends TLS."
        )
    return text
