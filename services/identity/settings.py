"""The settings of identity, read from the environment."""

from pydantic import Field

from shared.contracts.calls.leases import MAX_TTL_SECONDS
from shared.contracts.topology import Service
from shared.runtime.settings import Secret32, ServiceSettings, settings_config


class Settings(ServiceSettings):
    """The settings of identity, besides those of every service."""

    model_config = settings_config(Service.IDENTITY)

    link_key: Secret32 = Field(
        description="32 random bytes, base64url; verification links are derived from it"
    )
    refresh_key: Secret32 = Field(
        description="32 random bytes, base64url; refresh tokens are derived from it"
    )
    sealing_key: Secret32 = Field(
        description="32 random bytes, base64url; signing keys are encrypted with it"
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
    answer_step_seconds: float = Field(
        0.25,
        gt=0,
        le=5,
        description="Seconds of a step; answers that hide whether a user exists take whole steps",
    )
