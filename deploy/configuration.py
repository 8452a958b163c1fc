"""The environment of each service, for every way of running the product.

The one-process runner, processes on one machine and containers differ in addresses only. Secrets
are created once and kept in a file that only its owner can read.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.private_files import read_own, write_private
from rolecall.client.jwk import encode
from shared.auth.keys import generate_service_keys
from shared.contracts.topology import SOURCES, Service


class SecretsError(RuntimeError):
    """The file with the secrets cannot be used; the message names it and says what to do."""


def refuse_lost(file: Path, *, data: str, anew: str) -> None:
    """Refuse to make new secrets for data that exist: nothing could open the data with them.

    Raises:
        SecretsError: the file is missing.
    """
    if not file.exists():
        raise SecretsError(
            f"{file} is missing, but {data} exists. Restore {file} from a backup. With new secrets"
            " no one could open the data: their keys are sealed, and their rows are signed, with"
            f" the lost ones. To lose the data and begin anew, {anew}."
        )


@dataclass(frozen=True)
class Secrets:
    """The random values that must stay the same from one start to the next."""

    private_keys: Mapping[str, str]
    public_keys: Mapping[str, str]
    journal_private_keys: Mapping[str, str]
    journal_public_keys: Mapping[str, str]
    admin_key: str
    identity_link_key: str
    identity_refresh_key: str
    identity_sealing_key: str
    team_link_key: str
    audit_checkpoint_key: str
    audit_stream_key: str
    console_cookie_key: str
    notification_webhook_key: str

    @classmethod
    def generate(cls) -> "Secrets":
        """Create new random values."""
        keys, journal_keys = generate_service_keys(tuple(Service)), generate_service_keys(SOURCES)
        return cls(
            private_keys=dict(keys.private),
            public_keys=dict(keys.public),
            journal_private_keys=dict(journal_keys.private),
            journal_public_keys=dict(journal_keys.public),
            # Given on command lines, where a value that begins with "-" counts as an option.
            admin_key=secrets.token_hex(32),
            identity_link_key=encode(secrets.token_bytes(32)),
            identity_refresh_key=encode(secrets.token_bytes(32)),
            identity_sealing_key=encode(secrets.token_bytes(32)),
            team_link_key=encode(secrets.token_bytes(32)),
            audit_checkpoint_key=encode(secrets.token_bytes(32)),
            audit_stream_key=encode(secrets.token_bytes(32)),
            console_cookie_key=encode(secrets.token_bytes(32)),
            notification_webhook_key=encode(secrets.token_bytes(32)),
        )

    @classmethod
    def load_or_create(cls, file: Path) -> "Secrets":
        """Read the secrets from the file; create both if the file is missing.

        A file of an earlier version lacks some keys; they are created and added.

        Raises:
            SecretsError: the file does not hold the secrets.
            UnsafeFileError: the file may be under the control of another user.
        """
        created = cls.generate()
        if file.exists():
            try:
                stored = json.loads(read_own(file))
                known = cls(**(_added(created) | stored))
            except (ValueError, TypeError):
                raise SecretsError(
                    f"{file} is damaged or of another version. Restore it from a backup. Without it"
                    " the data in its folder cannot be opened."
                ) from None
            if stored.keys() >= _added(created).keys():
                return known
            created = known
        write_private(file, json.dumps(asdict(created), indent=2) + "\n")
        return created


def _added(of: Secrets) -> dict[str, object]:
    """The secrets that earlier versions did not have."""
    names = (
        "journal_private_keys",
        "journal_public_keys",
        "console_cookie_key",
        "notification_webhook_key",
        "audit_checkpoint_key",
        "audit_stream_key",
    )
    return {name: getattr(of, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The addresses of everything that a service talks to; `mongo_url` names no database."""

    mongo_url: str
    amqp_url: str
    public_url: str
    internal_urls: Mapping[str, Sequence[str]]
    smtp_host: str
    smtp_port: int


def environment(
    service: str, *, given: Secrets, at: Addresses, options: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Every variable that `service` needs; `options` sets further fields of its settings."""
    fields = {
        "amqp_url": at.amqp_url,
        "public_url": at.public_url,
        "internal_key": given.private_keys[service],
        "internal_keys": json.dumps(dict(given.public_keys)),
        "internal_urls": json.dumps({name: list(urls) for name, urls in at.internal_urls.items()}),
        "journal_keys": json.dumps(
            {source: [key] for source, key in given.journal_public_keys.items()}
        ),
        "admin_key": given.admin_key,
    }
    if service != Service.AUTHZ:
        fields["mongo_url"] = at.mongo_url
        fields["journal_key"] = given.journal_private_keys[service]
    if service == Service.IDENTITY:
        fields |= {
            "link_key": given.identity_link_key,
            "refresh_key": given.identity_refresh_key,
            "sealing_key": given.identity_sealing_key,
        }
    if service == Service.TEAM:
        fields["link_key"] = given.team_link_key
    if service == Service.AUDIT:
        fields |= {
            "checkpoint_key": given.audit_checkpoint_key,
            "stream_key": given.audit_stream_key,
        }
    if service == Service.NOTIFICATION:
        fields |= {
            "smtp_host": at.smtp_host,
            "smtp_port": str(at.smtp_port),
            "smtp_security": "none",
            "mail_from": "no-reply@rolecall.example",
            "webhook_key": given.notification_webhook_key,
        }
    fields |= options or {}
    return {f"ROLECALL_{service}_{name}".upper(): value for name, value in fields.items()}


def console_environment(
    *, given: Secrets, public_url: str, api_url: str, options: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Every variable that the console needs: it has no bus, no database and no key of a service."""
    fields = {
        "public_url": public_url,
        "api_url": api_url,
        "cookie_keys": json.dumps([given.console_cookie_key]),
        **(options or {}),
    }
    return {f"ROLECALL_CONSOLE_{name}".upper(): value for name, value in fields.items()}
