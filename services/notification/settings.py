"""The settings of notification, read from the environment."""

import ssl
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from shared.contracts.topology import Service
from shared.runtime.settings import ServiceSettings, settings_config
from shared.secret_keys import Secret32s


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(ServiceSettings):
    """Every variable of this service, `ROLECALL_NOTIFICATION_…`."""

    model_config = settings_config(Service.NOTIFICATION)

    smtp_host: str = Field(description="Host name of the mail server")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server")
    smtp_security: Security = Field(
        Security.STARTTLS,
        description="Encryption of the connection: starttls, tls (from the first byte) or none",
    )
    smtp_ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities for the certificate of the mail server; without it"
        " those of the operating system",
    )
    smtp_username: str | None = Field(
        None, description="User name at the mail server; without one there is no sign-in"
    )
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server")
    smtp_connections: int = Field(4, ge=1, le=64, description="Mails sent at the same time")
    mail_from: str = Field(description="The address that mails come from")
    mail_from_name: str = Field("Rolecall", description="Display name of that address")
    pages: bool = Field(
        default=False,
        description="Whether the platform has the pages that mails lead to, at the public address:"
        " /verify, /invitations, /reset-password, /confirm-email, /undo-email, /remove-factor,"
        " /unsubscribe, /sign-in, /forgot-password."
        " Without them mails name the requests of the API",
    )
    webhook_key: Secret32s = Field(
        description="32 random bytes, base64url; the secrets of webhooks are derived from it."
        " Former keys may follow it, after commas"
    )
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="JSON: networks besides the internet to which webhooks may lead"
    )
    webhook_connections: int = Field(
        64, ge=1, le=1024, description="Requests to receivers of webhooks at the same time"
    )
    product_name: str = Field("Rolecall", description="Name of the platform in the mails")

    @field_validator("smtp_ca_file")
    @classmethod
    def _usable_authorities(cls, file: Path | None) -> Path | None:
        if file is not None:
            try:
                ssl.create_default_context(cafile=file)
            except OSError as problem:  # ssl.SSLError is one
                raise ValueError(f"the file has no certificates ({problem.strerror})") from None
        return file
