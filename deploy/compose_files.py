"""The files that docker-compose.yml expects, below `.data/compose`.

They are one file of variables per service, the files of the broker, the database and the gateway.
Secrets are created once and kept.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.broker import configuration as broker_configuration
from deploy.broker import definitions
from deploy.compose_tls import TLS_PORT, PublishedTls
from deploy.configuration import (
    Addresses,
    Secrets,
    SecretsError,
    console_environment,
    environment,
    refuse_lost,
)
from deploy.gateway.files import gateway_files
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import Version
from deploy.mongo import DATABASES, USERS
from deploy.passwords import load_or_create
from deploy.private_files import make_folder, write_private, write_readable
from deploy.production import Production, move_secrets, write_secrets
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service
from shared.networks import PRIVATE_NETWORKS

PUBLIC_PORT, INTERNAL_PORT = 8080, 8081
"""The ports in the containers."""
CONSOLE_LISTENER = ConsoleListener(listen="gateway-inside:8082", trusted=PRIVATE_NETWORKS)
"""The name is that of the gateway on the network `pages`, which has no member but the console."""
RESOLVER = "127.0.0.11"
"""The name server that Docker provides on every network of a composition."""
SECRETS, PASSWORDS = "secrets.json", "database.json"
"""The files of secrets that belong to the data."""
MONGO_HOST = "mongo:27017"
REPLICA_SET_KEY = "replica-set-key"
BROKER_DEFINITIONS = "/etc/rolecall/definitions.json"
BROKER_MEMORY_MIB = 600
ASKED_BY_OPERATORS = (Service.IDENTITY, Service.TEAM)
"""In their containers `rolecall` finds the admin key: clients are created, catalogs published."""


LISTENING = {
    "host": "0.0.0.0",  # noqa: S104 - the container's own network
    "port": str(PUBLIC_PORT),
    "internal_host": "0.0.0.0",  # noqa: S104
    "internal_port": str(INTERNAL_PORT),
    "trusted_proxies": json.dumps(PRIVATE_NETWORKS),
}
"""The settings of every service in its container."""


def missing_secrets(folder: Path) -> Sequence[Path]:
    """The files of secrets that a start would make anew, and which data may already need.

    The broker gets its passwords at each start, so they may be new. An earlier version had no users
    at the database: its identity has an address without a user.
    """
    missing = [file for name in (SECRETS, PASSWORDS) if not (file := folder / name).exists()]
    variables = folder / f"{Service.IDENTITY}.env"
    if variables.exists() and f"mongodb://{MONGO_HOST}" in variables.read_text():
        return [file for file in missing if file.name != PASSWORDS]
    return missing


def refuse_lost_secrets(file: Path, *, volume: str, anew: str) -> None:
    """Refuse to replace a missing file of secrets, because the volume with the data exists.

    Raises:
        SecretsError: the message names the file and what to do.
    """
    data = f"the volume {volume}"
    if file.name == SECRETS:
        refuse_lost(file, data=data, anew=anew)
    raise SecretsError(
        f"{file} is missing, but {data} exists. Restore {file} from a backup. It has the passwords"
        " of the database. The data are not lost without it: docs/operations/rotation.md"
        " says how to give the database new ones."
    )


def write_files(
    folder: Path,
    *,
    public_url: str,
    proxies: Sequence[str],
    limits_factor: int,
    nginx_version: Version,
    production: Production | None = None,
    tls: PublishedTls | None = None,
) -> None:
    """Write every file; a second call keeps every secret.

    Raises:
        SecretsError: a file does not hold its secrets.
        UnsafeFileError: a file or folder may be under the control of another user.
    """
    make_folder(folder)
    given = Secrets.load_or_create(folder / SECRETS)
    broker = load_or_create(folder / "broker.json", tuple(Service))
    database = load_or_create(folder / PASSWORDS, (*USERS, REPLICA_SET_KEY))
    for service in Service:
        user = f"{service}:{database[service]}@" if service in DATABASES else ""
        at = Addresses(
            mongo_url=f"mongodb://{user}{MONGO_HOST}/?directConnection=true&authSource=admin",
            amqp_url=f"amqp://{service}:{broker[service]}@rabbitmq:5672/",
            public_url=public_url,
            internal_urls={name: [f"http://{name}:{INTERNAL_PORT}"] for name in Service},
            smtp_host="mail",
            smtp_port=1025,
        )
        options = {"pages": "true"} if service == Service.NOTIFICATION else {}
        if production is not None and service == Service.NOTIFICATION:
            options |= production.mail_options
        variables = environment(service, given=given, at=at, options=LISTENING | options)
        if service in ASKED_BY_OPERATORS:
            variables["ROLECALL_ADMIN_KEY"] = given.admin_key
        if production is not None:
            variables = operators_key_in_file(move_secrets(folder, service, variables), service)
        _write_variables(folder / f"{service}.env", variables)
    pages = console_environment(
        given=given,
        public_url=public_url,
        api_url=f"http://{CONSOLE_LISTENER.listen}",
        options=LISTENING,
    )
    setup = {"MONGO_PASSWORDS": json.dumps({user: database[user] for user in USERS})}
    if production is not None:
        pages = move_secrets(folder, CONSOLE, pages)
        setup = write_secrets(folder, "mongo-setup", setup, secret=set(setup))
    _write_variables(folder / f"{CONSOLE}.env", pages)
    _write_variables(folder / "mongo-setup.env", setup)
    write_private(folder / "mongo" / "key", database[REPLICA_SET_KEY] + "\n")
    # The programs in the containers read these files as other users. They contain no secret: the
    # broker's passwords are random and hashed.
    broker_files = {
        "definitions.json": json.dumps(definitions(broker), indent=2),
        "rabbitmq.conf": broker_configuration(BROKER_DEFINITIONS, memory_mib=BROKER_MEMORY_MIB),
        "enabled_plugins": "[].\n",
    }
    _write_readable(folder / "broker", broker_files)
    files = gateway_files(
        listen=str(TLS_PORT if tls else PUBLIC_PORT),
        console=CONSOLE_LISTENER,
        names={name: f"{name}:{PUBLIC_PORT}" for name in (*Service, CONSOLE)},
        resolver=RESOLVER,
        version=nginx_version,
        proxies=proxies,
        limits_factor=limits_factor,
        tls=tls.at_gateway(public_url) if tls else None,
    )
    _write_readable(folder / "gateway", files)
    if tls is not None:
        tls.write(folder)


def operators_key_in_file(variables: Mapping[str, str], service: str) -> dict[str, str]:
    """The variables, in which the key that `rolecall admin` uses is that of the service's file."""
    own = f"ROLECALL_{service}_ADMIN_KEY_FILE".upper()
    named = {"ROLECALL_ADMIN_KEY_FILE": variables[own]} if "ROLECALL_ADMIN_KEY" in variables else {}
    return {name: text for name, text in variables.items() if name != "ROLECALL_ADMIN_KEY"} | named


def _write_variables(file: Path, variables: Mapping[str, str]) -> None:
    write_private(file, "".join(f"{name}={value}\n" for name, value in variables.items()))


def _write_readable(folder: Path, texts: Mapping[str, str]) -> None:
    make_folder(folder)
    folder.chmod(0o755)
    for name, text in texts.items():
        write_readable(folder / name, text)
