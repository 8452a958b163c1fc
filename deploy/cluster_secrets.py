"""The command that makes the secrets of an installation in Kubernetes, as files to apply.

Everything random is kept in the folder, and a second run writes the same.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import yaml

from deploy.broker import definitions
from deploy.compose_files import PASSWORDS, SECRETS
from deploy.configuration import (
    Addresses,
    Secrets,
    SecretsError,
    console_environment,
    environment,
)
from deploy.mongo import DATABASES
from deploy.passwords import load_or_create
from deploy.private_files import UnsafeFileError, make_folder, make_private, write_private
from deploy.settings_page import settings_classes
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service
from shared.runtime.environment import variables

LONGEST_NAME = 40
"""The chart cuts the name of a release to it, so that the names of its parts fit into a label."""
BROKER = "broker.json"
MANIFESTS, DEFINITIONS, USERS = "secrets.yaml", "definitions.json", "database-users.js"


def full_name(release: str) -> str:
    """The beginning of the names of everything in a release, as the chart makes it."""
    name = release if "rolecall" in release else f"{release}-rolecall"
    return name[:LONGEST_NAME].removesuffix("-")


def write_manifests(
    folder: Path, *, release: str, mongo_url: str, amqp_url: str, extra: dict[str, str]
) -> None:
    """Write the Secrets of every part, the public keys, and the users of broker and database.

    Args:
        folder: what a lost installation is restored from; it is private.
        release: the name of the release of Helm.
        mongo_url: the address of the database, with {user} and {password}.
        amqp_url: the address of the broker, with {user} and {password}.
        extra: further secrets by the names of their variables.

    Raises:
        SecretsError: a file does not hold its secrets.
        UnsafeFileError: a file or folder may be under the control of another user.
    """
    make_folder(folder)
    make_private(folder, (SECRETS, PASSWORDS, BROKER, MANIFESTS, DEFINITIONS, USERS))
    given = Secrets.load_or_create(folder / SECRETS)
    broker = load_or_create(folder / BROKER, tuple(Service))
    database = load_or_create(folder / PASSWORDS, tuple(DATABASES))
    name, documents = full_name(release), []
    for service in Service:
        at = Addresses(
            mongo_url=_signed_in(mongo_url, service, database.get(service, "")),
            amqp_url=_signed_in(amqp_url, service, broker[service]),
            public_url="",
            internal_urls={},
            smtp_host="",
            smtp_port=0,
        )
        made = environment(service, given=given, at=at) | extra
        documents.append(_secret(name, service, made))
    pages = console_environment(given=given, public_url="", api_url="")
    documents.append(_secret(name, CONSOLE, pages | extra))
    public = environment(Service.AUTHZ, given=given, at=at)
    keys = ("INTERNAL_KEYS", "JOURNAL_KEYS")
    data = {key: public[f"ROLECALL_AUTHZ_{key}"] for key in keys}
    documents.append(_document("ConfigMap", f"{name}-public-keys", {"data": data}))
    write_private(folder / MANIFESTS, yaml.safe_dump_all(documents, sort_keys=False))
    write_private(folder / DEFINITIONS, json.dumps(definitions(broker), indent=2) + "\n")
    write_private(folder / USERS, _users(database))


def _signed_in(url: str, user: str, password: str) -> str:
    return url.replace("{user}", user).replace("{password}", quote(password, safe=""))


def _secret(name: str, part: str, given: Mapping[str, str]) -> Mapping[str, object]:
    secret = {each.name for each in variables(settings_classes()[part]) if each.secret}
    data = {key: value for key, value in sorted(given.items()) if key in secret}
    return _document("Secret", f"{name}-{part}", {"type": "Opaque", "stringData": data})


def _document(kind: str, name: str, rest: Mapping[str, object]) -> Mapping[str, object]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest}


def _users(passwords: Mapping[str, str]) -> str:
    """What creates the users of the database in `mongosh`, each for its own database."""
    users = [
        {"user": user, "pwd": password, "roles": [{"role": "readWrite", "db": DATABASES[user]}]}
        for user, password in passwords.items()
    ]
    return f'{json.dumps(users, indent=2)}.forEach(u => db.getSiblingDB("admin").createUser(u))\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, and return an exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.cluster_secrets", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help="a folder of your own, which you keep as you keep backups")
    add("--release", required=True, help="the name of the release of Helm")
    add("--mongo-url", required=True, help="mongodb://{user}:{password}@…/?authSource=admin&…")
    add("--amqp-url", required=True, help="amqps://{user}:{password}@…/")
    add("--smtp-password-file", type=Path, help="the file with the password at the mail server")
    add("--sso-connections-file", type=Path, help="the file with the issuers of identity, as JSON")
    options = parser.parse_args(arguments)
    for name in ("mongo_url", "amqp_url"):
        if any(word not in getattr(options, name) for word in ("{user}", "{password}")):
            parser.error(f"--{name.replace('_', '-')} must contain {{user}} and {{password}}")
    files = {
        "ROLECALL_NOTIFICATION_SMTP_PASSWORD": options.smtp_password_file,
        "ROLECALL_IDENTITY_SSO_CONNECTIONS": options.sso_connections_file,
    }
    try:
        extra = {name: file.read_text().rstrip("\r\n") for name, file in files.items() if file}
        write_manifests(
            options.folder,
            release=options.release,
            mongo_url=options.mongo_url,
            amqp_url=options.amqp_url,
            extra=extra,
        )
    except (SecretsError, UnsafeFileError, OSError) as problem:
        sys.stderr.write(f"No secrets were made: {problem}\n")
        return 1
    sys.stdout.write(
        f"{options.folder / MANIFESTS} is for `kubectl apply -f`, {DEFINITIONS} for the broker and"
        f" {USERS} for `mongosh`. Keep the folder: without {SECRETS} the data cannot be opened.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
