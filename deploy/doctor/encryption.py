"""Rules about connections: whether each is encrypted, and how long its certificate is valid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import chain
from urllib.parse import parse_qsl, urlsplit

from pydantic_settings import BaseSettings

from deploy.doctor.findings import Finding, error, good, warning
from services.notification.settings import Security
from services.notification.settings import Settings as Mails
from shared.runtime.environment import variable
from shared.runtime.server_addresses import MEMORY_BUS, is_loopback

AREA = "tls"
SOON = timedelta(days=21)
DO = "docs/operations/tls.md says how to encrypt it."
UNCHECKED = {
    "tlsinsecure": "true",
    "tlsallowinvalidcertificates": "true",
    "tlsallowinvalidhostnames": "true",
    "no_verify_ssl": "1",
}
"""Parameters of addresses that let a stranger answer for the server."""


@dataclass(frozen=True, kw_only=True)
class ServerLink:
    """One connection of a service: the setting that names it, the other end, and what protects it.

    People come through a `public` one.
    """

    name: str
    host: str
    encrypted: bool
    checked: bool = True
    public: bool = False


@dataclass(frozen=True, kw_only=True)
class SeenCertificate:
    """The certificate that a server showed, or why the connection did not come about."""

    where: str
    until: datetime | None = None
    fault: str = ""


def links_of(services: Mapping[str, BaseSettings]) -> Iterator[ServerLink]:
    """The connections that the settings name."""
    for settings in services.values():
        kind = type(settings)
        for field in ("amqp_url", "mongo_url"):
            value = getattr(settings, field, None)
            if value is not None and value.get_secret_value() != MEMORY_BUS:
                yield from _server_links(variable(kind, field), value.get_secret_value())
        if isinstance(settings, Mails):
            yield ServerLink(
                name=variable(kind, "smtp_security"),
                host=settings.smtp_host,
                encrypted=settings.smtp_security is not Security.NONE,
            )
        for service, urls in getattr(settings, "internal_urls", {}).items():
            for url in urls:
                yield _http_link(f"INTERNAL_URLS of {service}", url)
        for field in ("group_urls", "group_internal_urls"):
            for url in chain.from_iterable(getattr(settings, field, ())):
                yield _http_link(variable(kind, field), url)
        if hasattr(settings, "public_url"):
            yield _http_link(variable(kind, "public_url"), settings.public_url, public=True)


def _server_links(name: str, url: str) -> Iterator[ServerLink]:
    parts = urlsplit(url)
    options = {key.lower(): value.lower() for key, value in parse_qsl(parts.query)}
    encrypted = (
        parts.scheme == "amqps"
        or options.get("tls", options.get("ssl")) == "true"
        or (parts.scheme == "mongodb+srv" and options.get("tls") != "false")
    )
    checked = not any(options.get(key) == value for key, value in UNCHECKED.items())
    for address in parts.netloc.rpartition("@")[2].split(","):
        host = urlsplit(f"//{address}").hostname or ""
        yield ServerLink(name=name, host=host, encrypted=encrypted, checked=checked)


def _http_link(name: str, url: str, *, public: bool = False) -> ServerLink:
    parts = urlsplit(url)
    return ServerLink(
        name=name, host=parts.hostname or "", encrypted=parts.scheme == "https", public=public
    )


def check_links(links: Iterator[ServerLink]) -> Iterator[Finding]:
    """Find the connections that others can read or answer."""
    for link in sorted(set(links), key=lambda one: (one.name, one.host)):
        if not link.checked:
            what = f"The certificate of {link.host} is not checked: anyone can answer for it."
            yield error(AREA, link.name, what, "Remove that parameter, and name the authority.")
        elif link.encrypted or is_loopback(link.host):
            yield good(AREA, link.name, f"{link.host} is reached safely.")
        elif link.public:
            what = "People reach the product without encryption, with their passwords."
            do = "Put TLS in front of the gateway (docs/operations/gateway.md)."
            yield error(AREA, link.name, what, do)
        elif is_container(link.host):
            yield good(AREA, link.name, f"{link.host} is on a network of containers.")
        else:
            grave = error if is_outside(link.host) else warning
            yield grave(AREA, link.name, f"The connection to {link.host} is not encrypted.", DO)


def is_container(host: str) -> bool:
    """Whether a name has no dot: then it is that of a container, on a network of this machine."""
    return "." not in host and ":" not in host


def is_outside(host: str) -> bool:
    """Whether an address is on the internet."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def check_certificates(seen: Iterator[SeenCertificate], *, now: datetime) -> Iterator[Finding]:
    """Find the certificates that are not accepted, or soon will not be."""
    for one in seen:
        if one.until is None:
            do = "Compare the authority, the name and the dates of the certificate."
            yield error(AREA, one.where, f"No encrypted connection: {one.fault}.", do)
        elif one.until - now < SOON:
            what = f"The certificate ends on {one.until:%Y-%m-%d}."
            yield warning(AREA, one.where, what, "Renew it.")
        else:
            yield good(AREA, one.where, f"The certificate is valid until {one.until:%Y-%m-%d}.")
