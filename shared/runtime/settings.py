"""Settings of the services, read from the environment."""

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, NamedTuple, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from rolecall.client.jwk import KEY_BYTES, decode, read_public
from shared.auth.keys import public_text, read_private
from shared.auth.row_signatures import check_journal_keys
from shared.http.lanes import REQUESTS_AT_ONCE
from shared.http.proxies import Proxies, ProxyHeader
from shared.networks import check_trusted_networks
from shared.runtime.server_addresses import AmqpAddress, MongoAddress

MIN_ADMIN_KEY_LENGTH = 32


class LogLevel(StrEnum):
    """The lowest level of lines that are written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def settings_config(service: str) -> SettingsConfigDict:
    """The configuration of a service's `Settings` class: its prefix, and that it is frozen."""
    return SettingsConfigDict(
        env_prefix=f"ROLECALL_{service.upper()}_",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )


def secret_bytes(secret: SecretStr) -> bytes:
    """Return the 32 bytes of a secret.

    Raises:
        ValueError: the secret has another length, another alphabet, or is not random.
    """
    try:
        data = decode(secret.get_secret_value())
    except ValueError:
        data = b""
    if len(data) != KEY_BYTES or len(set(data)) < KEY_BYTES // 4:
        raise ValueError(f"must be {KEY_BYTES} random bytes in base64url without padding")
    return data


def _checked_secret(secret: SecretStr) -> SecretStr:
    secret_bytes(secret)
    return secret


Secret32 = Annotated[SecretStr, AfterValidator(_checked_secret)]
"""A setting with 32 random bytes in base64url."""


class ListenerSettings(BaseSettings):
    """The settings of every process that listens: its addresses, its proxies, its end, its log."""

    public_url: str = Field(
        description="Address of the gateway for users; also the issuer of tokens"
    )
    host: str = Field("127.0.0.1", description="Address of the public port")
    port: int = Field(0, ge=0, le=65535, description="Public port; 0 takes a free one")
    share_port: bool = Field(
        default=False,
        description="true: several processes of this service answer on the public port",
    )
    internal_host: str = Field("127.0.0.1", description="Address of the internal port")
    internal_port: int = Field(0, ge=0, le=65535, description="Internal port; 0 takes a free one")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="JSON: networks of proxies that are trusted to name the client"
    )
    proxy_header: ProxyHeader = Field(
        ProxyHeader.X_FORWARDED_FOR,
        description="The header in which they name it: X-Forwarded-For or Forwarded",
    )
    drain_seconds: float = Field(3.0, ge=0, le=60, description="Seconds of answers after SIGTERM")
    log_level: LogLevel = Field(LogLevel.INFO, description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("public_url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("must be an http:// or https:// address")
        return url.rstrip("/")

    @property
    def proxies(self) -> Proxies:
        """The trusted proxies, and the header that they write."""
        return Proxies(self.trusted_proxies, self.proxy_header)

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_only(
        cls, networks: tuple[IPv4Network | IPv6Network, ...]
    ) -> tuple[IPv4Network | IPv6Network, ...]:
        """Refuse networks that together cover most addresses (`T18`).

        With them any client could claim the address that it comes from.
        """
        check_trusted_networks(networks)
        return networks


class StatelessSettings(ListenerSettings):
    """The settings of every service of the bus."""

    amqp_url: AmqpAddress = Field(description="Address of RabbitMQ, amqp:// or amqps://")
    internal_key: SecretStr = Field(description="This service's Ed25519 private key, base64url")
    internal_keys: Mapping[str, str] = Field(description="JSON: service -> public key, base64url")
    internal_urls: Mapping[str, tuple[str, ...]] = Field(
        description="JSON: service -> list of its internal addresses"
    )
    journal_keys: Mapping[str, tuple[str, ...]] = Field(
        description="JSON: service -> list of the public keys of its journal, base64url"
    )
    admin_key: SecretStr = Field(description="Key of the operator, at least 32 random characters")
    requests_at_once: int = Field(
        REQUESTS_AT_ONCE,
        ge=8,
        description="Requests of users at the same time; other kinds have limits in proportion",
    )

    @field_validator("internal_key")
    @classmethod
    def _whole_key(cls, key: SecretStr) -> SecretStr:
        read_private(key.get_secret_value())
        return key

    @field_validator("internal_keys")
    @classmethod
    def _whole_keys(cls, keys: Mapping[str, str]) -> Mapping[str, str]:
        for text in keys.values():
            read_public(text)
        return keys

    @field_validator("journal_keys")
    @classmethod
    def _keys_of_every_source(
        cls, keys: Mapping[str, tuple[str, ...]]
    ) -> Mapping[str, tuple[str, ...]]:
        """Refuse a source without a key, and a key with which two services could sign."""
        check_journal_keys(keys)
        return keys

    @field_validator("admin_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if len(text) < MIN_ADMIN_KEY_LENGTH or len(set(text)) < MIN_ADMIN_KEY_LENGTH // 4:
            raise ValueError(f"must be random and have at least {MIN_ADMIN_KEY_LENGTH} characters")
        return key


class ServiceSettings(StatelessSettings):
    """The settings of a service that owns data."""

    journal_key: SecretStr = Field(
        description="Ed25519 private key that signs this service's journal, base64url"
    )
    journal_retention_days: int = Field(
        7,
        ge=1,
        le=3650,
        description="Days for which rows of the journal are kept, also when no service needs them",
    )
    mongo_url: MongoAddress = Field(description="Address of MongoDB, a replica set")
    mongo_database: str = Field(
        "",
        description="Name of the database; the default is `rolecall_` and the service's name",
        validate_default=True,
    )

    @field_validator("journal_key")
    @classmethod
    def _key_that_others_know(cls, key: SecretStr, info: ValidationInfo) -> SecretStr:
        """Refuse a key whose rows no service would accept."""
        public = public_text(read_private(key.get_secret_value()).public_key())
        service = cls.model_config.get("env_prefix", "").split("_")[1].lower()
        known = info.data.get("journal_keys")
        if known is not None and public not in known.get(service, ()):
            raise ValueError(f"its public key must be among the keys of {service} in journal_keys")
        return key

    @field_validator("mongo_database")
    @classmethod
    def _own_database(cls, name: str) -> str:
        prefix = cls.model_config.get("env_prefix", "")
        return name or prefix.rstrip("_").lower()


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(settings: type[SettingsT]) -> SettingsT:
    """Read the environment; end the process with status 2 and a sentence for each fault."""
    try:
        return settings()
    except ValidationError as error:
        refuse_start(_sentences(settings, error))
    except SettingsError as error:
        # pydantic-settings names the field between quotes and would show the value further on.
        name = str(error).split('"')[1]
        refuse_start([f"{variable(settings, name)} is not valid: it must be JSON."])


def refuse_start(sentences: list[str]) -> NoReturn:
    """Write the reasons to standard error and end the process with status 2."""
    sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
    raise SystemExit(2)


def variable(settings: type[BaseSettings], field: str) -> str:
    """The environment variable of a field."""
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def service_name(settings: type[BaseSettings]) -> str:
    """The service that a `Settings` class is for, by its prefix."""
    return settings.model_config.get("env_prefix", "").split("_")[1].lower()


class Variable(NamedTuple):
    """One environment variable; `default` is None when a value is required."""

    name: str
    description: str
    default: str | None


def variables(settings: type[BaseSettings]) -> list[Variable]:
    """The variables of a service in the order of its class, for `.env.example`."""
    return [
        Variable(
            name=variable(settings, name),
            description=field.description or "",
            default=None if field.is_required() else _as_text(field.get_default()),
        )
        for name, field in settings.model_fields.items()
    ]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


_REASONS = {
    "int_parsing": "must be an integer",
    "int_type": "must be an integer",
    "float_parsing": "must be a number",
    "enum": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
}
"""By pydantic's type of error; other types keep the message of the validator."""


def _sentences(settings: type[BaseSettings], error: ValidationError) -> list[str]:
    sentences = []
    for fault in error.errors(include_input=False, include_url=False):
        name = variable(settings, str(fault["loc"][0]))
        if fault["type"] == "missing":
            sentences.append(f"{name} is not set.")
        else:
            reason = fault["msg"].removeprefix("Value error, ")
            if fault["type"] in _REASONS:
                limits = fault.get("ctx", {})
                expected = str(limits.get("expected", "")).replace("'", "")
                reason = _REASONS[fault["type"]].format_map({**limits, "expected": expected})
            sentences.append(f"{name} is not valid: {reason}.")
    return sentences
