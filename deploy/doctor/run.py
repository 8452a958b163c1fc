"""The doctor: it reads settings, asks everything that they name, and tells what it found."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import aiohttp
from pydantic_settings import BaseSettings

from deploy.doctor.ask_http import (
    SECONDS,
    ask_certificate,
    ask_gateway,
    ask_peer,
    encrypted_servers,
)
from deploy.doctor.credentials import check_credentials, check_settings
from deploy.doctor.disks import checked_folders, free_part
from deploy.doctor.encryption import check_certificates, check_links, links_of
from deploy.doctor.findings import Finding, as_json, as_text, healthy, in_order
from deploy.doctor.mongo import ask_database
from deploy.doctor.peers import check_bound, check_gateway, check_peers
from deploy.doctor.rabbitmq import ask_broker
from deploy.doctor.servers import check_broker, check_database, check_disk
from deploy.doctor.settings_seen import SeenSettings, SettingsUnreadableError, see, variables_of
from rolecall.version import VERSION
from services.authz.settings import Settings as AuthzSettings
from shared.contracts.topology import Service
from shared.runtime.server_addresses import MEMORY_BUS, is_loopback
from shared.runtime.settings import ListenerSettings, ServiceSettings, StatelessSettings

FOUND, WRONG, USAGE = 0, 1, 2
CONTAINER = Path("/.dockerenv")
NOTHING = """\
No service is configured here. Run this command where a service runs, such as in its container, or
name the files with the variables of the services: --settings FILE.
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="rolecall doctor",
        description="Look over the services whose settings are in the environment: credentials,"
        " clocks, versions, ports, TLS, rights of broker and database users, disks, journals,"
        " migrations. Exit codes: 0 no error, 1 errors, 2 wrong usage.",
    )
    options.add_argument(
        "--settings",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="read the variables from this file instead; may be repeated, one for each service",
    )
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--all", action="store_true", help="show also what is right")
    options.add_argument(
        "--offline", action="store_true", help="look at the settings alone, and ask no server"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    given = parser().parse_args(arguments)
    try:
        seen = see(variables_of(given.settings), files=given.settings)
    except SettingsUnreadableError as problem:
        sys.stderr.write(f"{problem}\n")
        return USAGE
    if not seen.services and not seen.faults:
        sys.stderr.write(NOTHING)
        return USAGE
    found = in_order(
        asyncio.run(look(seen, offline=given.offline, in_container=CONTAINER.exists()))
    )
    text = as_json(found) if given.json else as_text(found, all_of_them=given.all)
    sys.stdout.write(f"{text}\n")
    return FOUND if healthy(found) else WRONG


async def look(seen: SeenSettings, *, offline: bool, in_container: bool) -> Sequence[Finding]:
    """Everything that is found; `offline` asks no server."""
    services = seen.services
    findings = [
        *check_settings(seen),
        *check_credentials(services),
        *check_links(links_of(services)),
        *check_bound(_internal_hosts(services), in_container=in_container),
    ]
    for folder in checked_folders(services):
        findings += check_disk(str(folder), free_part(folder))
    if not offline:
        findings += await _ask(services, in_container=in_container)
    return findings


async def _ask(services: Mapping[str, BaseSettings], *, in_container: bool) -> Sequence[Finding]:
    databases = [
        ask_database(name, one)
        for name, one in services.items()
        if isinstance(one, ServiceSettings)
    ]
    brokers = [
        ask_broker(Service(name), one)
        for name, one in services.items()
        if isinstance(one, StatelessSettings) and one.amqp_url.get_secret_value() != MEMORY_BUS
    ]
    certificates = [ask_certificate(*server) for server in set(encrypted_servers(services))]
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        peers = [
            ask_peer(http, service, url) for service, url in sorted(internal_addresses(services))
        ]
        gateways = [
            ask_gateway(http, url, ports=_internal_ports(services))
            for url in {_listener(one).public_url for one in services.values()}
            if not (in_container and is_loopback(urlsplit(url).hostname or ""))
        ]
        groups = (databases, brokers, certificates, peers, gateways)
        asked = await asyncio.gather(*(asyncio.gather(*group) for group in groups))
    return [
        *(found for one in asked[0] for found in check_database(one)),
        *(found for one in asked[1] for found in check_broker(one)),
        *check_certificates(iter(asked[2]), now=datetime.now(UTC)),
        *check_peers(asked[3], own_version=VERSION),
        *(found for one in asked[4] for found in check_gateway(one)),
    ]


def _listener(settings: BaseSettings) -> ListenerSettings:
    return cast("ListenerSettings", settings)


def internal_addresses(services: Mapping[str, BaseSettings]) -> set[tuple[str, str]]:
    """Each service, and its internal addresses, as any service knows them."""
    known = {
        (name, url)
        for settings in services.values()
        if isinstance(settings, StatelessSettings)
        for name, urls in settings.internal_urls.items()
        for url in urls
    }
    groups = [one for one in services.values() if isinstance(one, AuthzSettings)]
    return known | {
        (str(Service.AUTHZ), url)
        for settings in groups
        for urls in settings.group_internal_urls
        for url in urls
    }


def _internal_hosts(services: Mapping[str, BaseSettings]) -> Mapping[str, str]:
    return {name: _listener(one).internal_host for name, one in services.items()}


def _internal_ports(services: Mapping[str, BaseSettings]) -> Sequence[int]:
    return [port for one in services.values() if (port := _listener(one).internal_port)]
