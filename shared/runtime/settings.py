"""The settings that several services have."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rolecall.client.jwk import read_public
from shared.auth.keys import public_text, read_private
from shared.auth.row_signatures import check_journal_keys
from shared.http.lanes import REQUESTS_AT_ONCE
from shared.http.proxies import Proxies, ProxyHeader
from shared.networks import check_trusted_networks
from shared.runtime.server_addresses import AmqpAddress, MongoAddress
from shared.secret_keys import AdminKeys, split_keys


class LogLevel(StrEnum):
    """The lowest level of lines that are written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class MigrateWhen(StrEnum):
    """When the database gets the form that a version needs."""

    AT_START = "at-start"
    """The first replica that starts applies the steps; the others wait."""
    APART = "apart"
    """`python -m deploy.migrate` applies them; a replica that finds too few does not start."""


def settings_config(service: str) -> SettingsConfigDict:
    """The configuration of a service's `Settings` class: its prefix, and that it is frozen."""
    return SettingsConfigDict(
        env_prefix=f"ROLECALL_{service.upper()}_",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


PublicKeys = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One public key, or several while it is changed."""


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
    internal_key: SecretStr = Field(
        description="This service's Ed25519 private key, base64url."
        " Former keys may follow it, after commas"
    )
    internal_keys: Mapping[str, PublicKeys] = Field(
        description="JSON: service -> its public key, or a list of them, base64url"
    )
    internal_urls: Mapping[str, tuple[str, ...]] = Field(
        description="JSON: service -> list of its internal addresses"
    )
    journal_keys: Mapping[str, tuple[str, ...]] = Field(
        description="JSON: service -> list of the public keys of its journal, base64url"
    )
    admin_key: AdminKeys = Field(
        description="Keys of operators, at least 32 random characters each; all are accepted"
    )
    traces_url: str = Field(
        "",
        description="Address to which spans are sent by OTLP, such as http://host:4318/v1/traces",
    )
    traces_ratio: float = Field(
        1.0, ge=0, le=1, description="The part of the traces that is sent, chosen by chance"
    )
    requests_at_once: int = Field(
        REQUESTS_AT_ONCE,
        ge=8,
        description="Requests of users at the same time; other kinds have limits in proportion",
    )

    @field_validator("internal_key")
    @classmethod
    def _whole_key(cls, key: SecretStr) -> SecretStr:
        for text in split_keys(key):
            read_private(text)
        return key

    @field_validator("internal_keys")
    @classmethod
    def _whole_keys(cls, keys: Mapping[str, PublicKeys]) -> Mapping[str, PublicKeys]:
        for texts in keys.values():
            if not texts:
                raise ValueError("each service must have a key")
            for text in texts:
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

    @field_validator("traces_url")
    @classmethod
    def _address_of_a_collector(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must be an http:// or https:// address, or empty")
        return url


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
    migrate: MigrateWhen = Field(
        MigrateWhen.AT_START,
        description="at-start: the service migrates its database; apart: `deploy.migrate` does",
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
