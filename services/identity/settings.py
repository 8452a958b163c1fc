"""What must the environment say before identity starts?"""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from shared.auth.keys import KEY_BYTES, decode
from shared.contracts.calls import MAX_TTL_SECONDS
from shared.runtime.settings import ServiceSettings, settings_config


def _whole(secret: SecretStr) -> SecretStr:
    secret_bytes(secret)
    return secret


def secret_bytes(secret: SecretStr) -> bytes:
    """The 32 bytes of a secret.

    Raises:
        ValueError: it has another length, or another alphabet.
    """
    try:
        data = decode(secret.get_secret_value())
    except ValueError:
        data = b""
    if len(data) != KEY_BYTES or len(set(data)) < KEY_BYTES // 4:
        raise ValueError(f"must be {KEY_BYTES} random bytes in base64url without padding")
    return data


Secret32 = Annotated[SecretStr, AfterValidator(_whole)]


class Settings(ServiceSettings):
    """What identity is told, beside what every service is."""

    model_config = settings_config("identity")

    link_key: Secret32 = Field(
        description="32 random bytes, base64url: verification links are derived from it"
    )
    refresh_key: Secret32 = Field(
        description="32 random bytes, base64url: refresh tokens are derived from it"
    )
    sealing_key: Secret32 = Field(
        description="32 random bytes, base64url: signing keys are encrypted with it"
    )
    lease_seconds: float = Field(
        3,
        ge=1,
        le=MAX_TTL_SECONDS,
        description="How long a replica of authz may answer after its last lease",
    )
    session_days: int = Field(
        30, ge=1, le=365, description="A session ends when it is not refreshed for so many days"
    )
    logins_per_address: int = Field(
        10, ge=1, description="Failed sign-ins in 15 minutes for one e-mail address from one IP"
    )
    logins_per_ip: int = Field(
        200, ge=1, description="Failed sign-ins in 15 minutes from one IP address"
    )
    mails_per_address: int = Field(
        5, ge=1, description="Sign-ups and resent links in an hour for one e-mail address"
    )
    mails_per_ip: int = Field(
        100, ge=1, description="Sign-ups and resent links in an hour from one IP address"
    )
    answer_step_seconds: float = Field(
        0.25,
        gt=0,
        le=5,
        description="Answers that must not tell who has a user leave in such steps",
    )
