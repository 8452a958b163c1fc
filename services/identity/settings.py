"""The settings of identity, read from the environment."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from services.identity.domain.sso_connections import EVERY_DOMAIN, OPENID_SCOPE, SsoConnection
from shared.contracts.calls.leases import MAX_TTL_SECONDS
from shared.contracts.topology import Service
from shared.http.outbound import check_url
from shared.runtime.settings import ServiceSettings, settings_config
from shared.secret_keys import Secret32s

_Domain = Annotated[str, Field(pattern=r"^(\*|[a-z0-9-]+(\.[a-z0-9-]+)+)$")]


class ConfiguredIssuer(BaseModel):
    """One issuer through which people of the whole platform sign in.

    It speaks for the addresses of its `trusted_domains`: those whose mailboxes it runs. `*` is for
    an issuer that verifies every address itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    label: str = Field(min_length=1, max_length=60)
    issuer: str
    client_id: str = Field(min_length=1, max_length=512)
    client_secret: SecretStr | None = None
    scopes: tuple[str, ...] = (OPENID_SCOPE, "email", "profile")
    trusted_domains: tuple[_Domain, ...] = ()

    def connection(self) -> SsoConnection:
        """Return the connection as the domain knows it."""
        secret = self.client_secret
        return SsoConnection(
            id=self.id,
            label=self.label,
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            scopes=self.scopes,
            trusted_domains=self.trusted_domains,
        )


class Settings(ServiceSettings):
    """The settings of identity, besides those of every service."""

    model_config = settings_config(Service.IDENTITY)

    link_key: Secret32s = Field(
        description="32 random bytes, base64url; mailed links are derived from it."
        " Former keys may follow it, after commas"
    )
    refresh_key: Secret32s = Field(
        description="32 random bytes, base64url; refresh tokens are derived from it."
        " Former keys may follow it, after commas"
    )
    sealing_key: Secret32s = Field(
        description="32 random bytes, base64url; encrypts what is secret in the database."
        " Former keys may follow it, after commas"
    )
    product_name: str = Field(
        "Rolecall", description="Name of the platform, which a password must not rest on"
    )
    lease_seconds: float = Field(
        3,
        ge=1,
        le=MAX_TTL_SECONDS,
        description="Seconds that a replica of authz or team may answer after its last lease",
    )
    signing_key_days: int = Field(
        90, ge=1, le=3650, description="Days after which another key signs access tokens"
    )
    signing_key_lead_seconds: int = Field(
        600,
        ge=2,
        le=86_400,
        description="Seconds for which a key is published before it signs; caches keep keys 300 s",
    )
    session_days: int = Field(
        30, ge=1, le=365, description="Days after which a session ends without a refresh"
    )
    session_max_days: int = Field(
        90, ge=1, le=3650, description="Days after which a session ends also if it is used"
    )
    network_places: str = Field(
        "", description="CSV file of networks and their places, for the list of sessions"
    )
    logins_per_address: int = Field(
        10, ge=1, description="Failed sign-ins in 15 minutes for one e-mail address from one IP"
    )
    logins_per_ip: int = Field(
        200, ge=1, description="Failed sign-ins in 15 minutes from one IP address"
    )
    mails_per_address: int = Field(
        5,
        ge=1,
        description="Mails to one mailbox: sign-ups in 6 hours, and password resets in 45 minutes",
    )
    mails_per_ip: int = Field(
        100, ge=1, description="Sign-ups, resets and resent links in an hour from one IP address"
    )
    exports_per_user: int = Field(
        10, ge=1, description="Exports of personal data in an hour for one user"
    )
    answer_step_seconds: float = Field(
        0.25,
        gt=0,
        le=5,
        description="Seconds of a step; answers that hide whether a user exists take whole steps",
    )
    sso_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="JSON: networks besides the internet in which issuers may be asked"
    )
    sso_pages: tuple[str, ...] = Field(
        (),
        description="JSON: pages to which an issuer's answer may return, the default one first;"
        " without any it is `/sign-in/callback` of the public address",
    )
    sso_connections: tuple[ConfiguredIssuer, ...] = Field(
        (),
        description="JSON: issuers of OpenID Connect: `id`, `label`, `issuer`, `client_id`,"
        " `client_secret`, `scopes`, and the `trusted_domains` whose addresses they vouch for",
    )

    @field_validator("sso_pages")
    @classmethod
    def _plain_pages(cls, pages: tuple[str, ...]) -> tuple[str, ...]:
        for page in pages:
            parts = urlsplit(page)
            if not parts.scheme or parts.query or parts.fragment or page.endswith("/"):
                raise ValueError("each must be an address without query, fragment and last slash")
        return pages

    @field_validator("sso_connections")
    @classmethod
    def _usable_issuers(
        cls, connections: tuple[ConfiguredIssuer, ...], info: ValidationInfo
    ) -> tuple[ConfiguredIssuer, ...]:
        """Refuse issuers that could not be asked, and two that could not be told apart."""
        ids = [one.id for one in connections]
        domains = [name for one in connections for name in one.trusted_domains]
        domains = [name for name in domains if name != EVERY_DOMAIN]
        if len(set(ids)) < len(ids) or len(set(domains)) < len(domains):
            raise ValueError("each id and each domain may be in one connection only")
        for one in connections:
            check_url(one.issuer, networks=info.data.get("sso_networks", ()))
            if OPENID_SCOPE not in one.scopes:
                raise ValueError(f"the scopes of {one.id} must contain {OPENID_SCOPE}")
        return connections

    @property
    def connections(self) -> Sequence[SsoConnection]:
        """The issuers for the whole platform."""
        return [one.connection() for one in self.sso_connections]

    @property
    def sign_in_pages(self) -> Sequence[str]:
        """The pages to which an issuer's answer may return, the default one first."""
        return self.sso_pages or (f"{self.public_url}/sign-in/callback",)
