"""Asks services and the gateway over HTTP, and servers for their certificates."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from pydantic_settings import BaseSettings

from deploy.doctor.encryption import SeenCertificate
from deploy.doctor.peers import LIMITS, SeenGateway, SeenPeer
from shared.runtime.server_addresses import MEMORY_BUS, is_loopback

INTERNAL_PATHS = ("/internal/admin/service-clients", "/health/ready", "/metrics")
SERVER_PORTS = {5672: "RabbitMQ", 15672: "RabbitMQ's management", 27017: "MongoDB"}
DEFAULT_PORTS = {"amqps": 5671, "https": 443, "mongodb": 27017}
SECONDS = 20.0
"""How long an answer may take: the doctor comes when a machine is busy."""
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""The longest answer that is read: something else may listen at an address."""
NOT_ANSWERED = (
    *(aiohttp.ClientError, OSError, TimeoutError, ValueError),
    *(TypeError, LookupError, RecursionError),
)
"""What an answer of something else may cause: other shapes, unknown characters, deep nesting."""


async def ask_peer(http: aiohttp.ClientSession, service: str, url: str) -> SeenPeer:
    """Ask one address of a service for its readiness, its version and its metrics."""
    try:
        ready, offset = await _json(http, f"{url}/health/ready")
        live, _ = await _json(http, f"{url}/health/live")
        async with http.get(f"{url}/metrics") as answer:
            metrics = highest_values((await _content(answer)).decode())
        return SeenPeer(
            service=service,
            url=url,
            offset=offset,
            version=str(live.get("version", "")),
            checks=dict(ready.get("checks", {})),
            informational=dict(ready.get("informational", {})),
            metrics=metrics,
        )
    except NOT_ANSWERED as problem:
        return SeenPeer(service=service, url=url, fault=fault_text(problem))


async def ask_gateway(
    http: aiohttp.ClientSession, url: str, *, ports: Sequence[int] = ()
) -> SeenGateway:
    """Ask for what people should not reach. `ports` are the internal ports of the services.

    Ports of this machine itself are open to itself, so they are not asked there.
    """
    open_paths, offset = [], timedelta()
    try:
        for path in INTERNAL_PATHS:
            sent = datetime.now(UTC)
            async with http.get(f"{url}{path}", allow_redirects=False) as answer:
                offset = _offset(answer.headers, sent)
                if answer.status != 404:
                    open_paths.append(path)
    except NOT_ANSWERED as problem:
        return SeenGateway(url=url, fault=fault_text(problem))
    host, open_ports = urlsplit(url).hostname or "", {}
    if not is_loopback(host):
        named = {**dict.fromkeys(ports, "a service's internal listener"), **SERVER_PORTS}
        answers = await asyncio.gather(*(_is_open(host, port) for port in named))
        open_ports = {
            port: named[port] for port, is_open in zip(named, answers, strict=True) if is_open
        }
    return SeenGateway(url=url, offset=offset, open_paths=open_paths, open_ports=open_ports)


async def _json(http: aiohttp.ClientSession, url: str) -> tuple[Mapping[str, Any], timedelta]:
    """The JSON object that is answered, and how far the clock of its server is ahead."""
    sent = datetime.now(UTC)
    async with http.get(url) as answer:
        content = json.loads(await _content(answer))
        if not isinstance(content, dict):
            raise ValueError(f"{url} did not answer as a service does")
        return content, _offset(answer.headers, sent)


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    """The content of an answer, unpacked.

    Raises:
        ValueError: it is too long.
    """
    content = bytearray()
    async for part in answer.content.iter_any():
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            raise ValueError(f"{answer.url} answered with more than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _offset(headers: Mapping[str, str], sent: datetime) -> timedelta:
    """How far the clock of a server is ahead; its header has whole seconds, rounded down."""
    told = headers.get("Date")
    if told is None:
        return timedelta()
    now, at = datetime.now(UTC), parsedate_to_datetime(told)
    return ahead_by(at - now, at + timedelta(seconds=1) - sent)


def ahead_by(least: timedelta, most: timedelta) -> timedelta:
    """How far a clock is ahead at least, given between what it lies; nothing if it may agree."""
    if least <= timedelta() <= most:
        return timedelta()
    return least if least > timedelta() else most


async def _is_open(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def highest_values(text: str) -> Mapping[str, float]:
    """The highest value of each metric that has a limit."""
    wanted = {limit.metric for limit in LIMITS}
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in wanted:
                found[sample.name] = max(sample.value, found.get(sample.name, 0.0))
    return found


def encrypted_servers(
    services: Mapping[str, BaseSettings],
) -> Iterator[tuple[str, int, str | None]]:
    """Host, port and file of authorities of each server that is asked with TLS at once."""
    for settings in services.values():
        for field in ("amqp_url", "mongo_url", "public_url"):
            value = getattr(settings, field, None)
            url = value if isinstance(value, str) else value and value.get_secret_value()
            if url and url != MEMORY_BUS:
                yield from _encrypted(url)


def _encrypted(url: str) -> Iterator[tuple[str, int, str | None]]:
    parts = urlsplit(url)
    options = {key.lower(): value for key, value in parse_qsl(parts.query)}
    secure = parts.scheme in {"amqps", "https"} or options.get("tls", "").lower() == "true"
    if secure and parts.scheme in DEFAULT_PORTS:
        authorities = options.get("cafile") or options.get("tlscafile")
        for address in parts.netloc.rpartition("@")[2].split(","):
            one = urlsplit(f"//{address}")
            yield one.hostname or "", one.port or DEFAULT_PORTS[parts.scheme], authorities


async def ask_certificate(host: str, port: int, authorities: str | None) -> SeenCertificate:
    """Make an encrypted connection, and look until when the certificate is valid."""
    return await asyncio.to_thread(_certificate, host, port, authorities)


def _certificate(host: str, port: int, authorities: str | None) -> SeenCertificate:
    where = f"{host}:{port}"
    try:
        context = ssl.create_default_context(cafile=authorities and Path(authorities))
        with (
            socket.create_connection((host, port), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            shown = encrypted.getpeercert() or {}
    except OSError as problem:
        return SeenCertificate(where=where, fault=fault_text(problem))
    until = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return SeenCertificate(where=where, until=datetime.fromtimestamp(until, UTC))


def fault_text(problem: BaseException) -> str:
    """What went wrong, in one line and without a password of an address."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return problem.verify_message
    if isinstance(problem, TimeoutError):
        return "it was silent for too long"
    text = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return str(text).splitlines()[0][:200].rstrip(".")
