"""The settings of team, from environment variables."""

from pydantic import Field

from shared.contracts.calls.leases import MAX_TTL_SECONDS
from shared.contracts.topology import Service
from shared.leases.receipt import RECEIPT_RETENTION
from shared.runtime.replica_settings import ReplicaSettings
from shared.runtime.settings import ServiceSettings, settings_config
from shared.secret_keys import Secret32s

CATALOG_PATTERN = r"^[a-z][a-z0-9_-]{0,63}(@[0-9a-f]{64})?$"
"""A name, for its newest version, or a version."""


class Settings(ServiceSettings, ReplicaSettings):
    """The settings of team, beside those of every service."""

    model_config = settings_config(Service.TEAM)

    link_key: Secret32s = Field(
        description="32 random bytes, base64url; invitation links are derived from it."
        " Former keys may follow it, after commas"
    )
    personal_catalog: str = Field(
        "standard",
        pattern=CATALOG_PATTERN,
        description="The catalog of new personal accounts: a published name, or `name@sha256`",
    )
    lease_seconds: float = Field(
        3,
        ge=1,
        le=MAX_TTL_SECONDS,
        description="Seconds that a replica of authz may answer after its last lease",
    )
    mails_per_address: int = Field(
        5, ge=1, description="Invitation mails to one mailbox in 24 hours, from all accounts"
    )
    first_mails_of_account: int = Field(
        10,
        ge=1,
        description="Mailboxes that a new account may invite by mail in 24 hours;"
        " each accepted invitation adds as many",
    )
    invitations_per_account: int = Field(
        1_000, ge=1, description="Invitations and resends of one account in 24 hours"
    )
    accounts_per_user: int = Field(
        20, ge=1, description="Accounts that a user may own, the personal one among them"
    )
    ownership_offer_days: int = Field(
        7, ge=1, le=90, description="Days in which a member may accept the ownership of an account"
    )
    roles_per_account: int = Field(50, ge=0, description="Custom roles that an account may have")
    deletion_grace_days: int = Field(
        30, ge=1, le=3650, description="Days in which the owner can restore a deleted account"
    )
    history_days: int = Field(
        730,
        ge=RECEIPT_RETENTION.days,
        le=36_500,
        description="Days for which decisions at a past time are answered",
    )
    projects_per_account: int = Field(1_000, ge=1, description="Projects that an account may have")
    overrides_per_account: int = Field(
        10_000, ge=1, description="Overrides that an account may have, over all of its projects"
    )
    resources_per_account: int = Field(
        100_000, ge=0, description="Registered resources that an account may have"
    )
    guardrails_per_account: int = Field(20, ge=0, description="Guardrails that an account may have")
