"""The settings of audit, read from the environment."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from rolecall.client.jwk import read_public
from services.audit.domain.retention import MAX_DAYS, MIN_DAYS
from shared.auth.keys import read_private
from shared.contracts.topology import Service
from shared.runtime.settings import ServiceSettings, settings_config
from shared.secret_keys import Secret32s


class Settings(ServiceSettings):
    """Every variable of this service, `ROLECALL_AUDIT_…`."""

    model_config = settings_config(Service.AUDIT)

    checkpoint_key: SecretStr = Field(
        description="Ed25519 private key that signs the checkpoints of the audit log, base64url"
    )
    checkpoint_former_keys: tuple[str, ...] = Field(
        (),
        description="JSON: list of the public keys that have signed checkpoints before, base64url",
    )
    checkpoint_folder: Path | None = Field(
        None,
        description="Folder, best on another disk, to which each checkpoint is written as well",
    )

    stream_key: Secret32s = Field(
        description="32 random bytes, base64url; seals the secrets that streams send."
        " Former keys may follow it, after commas"
    )
    stream_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="JSON: networks besides the internet to which streams may lead"
    )
    stream_connections: int = Field(
        32, ge=1, le=1024, description="Requests to receivers of streams at the same time"
    )
    retention_days: int | None = Field(
        None,
        ge=MIN_DAYS,
        le=MAX_DAYS,
        description="Days for which records are kept where an account has not chosen; empty: no"
        " limit",
    )

    @field_validator("checkpoint_key")
    @classmethod
    def _whole_checkpoint_key(cls, key: SecretStr) -> SecretStr:
        read_private(key.get_secret_value())
        return key

    @field_validator("checkpoint_former_keys")
    @classmethod
    def _whole_former_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for text in keys:
            read_public(text)
        return keys
