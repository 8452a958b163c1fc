"""What an access token of Rolecall must be, for a service that takes one from its callers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rolecall.client import jwt
from rolecall.client.jwt import BadToken

AUDIENCE = "rolecall"
ACCESS_TYPE = "at+jwt"
ACCESS_SECONDS = 300
"""The lifetime of an access token."""
_FORMS = {
    name: re.compile(f"{prefix}_[0-9a-f]{{32}}", re.ASCII)
    for name, prefix in (("sub", "usr"), ("sid", "ses"), ("acct", "acc"))
}


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user of a genuine access token; `account_id` is the session's current account."""

    user_id: str
    session_id: str
    account_id: str | None
    expires_at: int
    """In epoch seconds."""


def verify_user(token: str, key: Ed25519PublicKey, *, issuer: str, now: datetime) -> TokenUser:
    """Verify the access token of a user that `jwt.key_id` accepted.

    Raises:
        BadToken: it is not valid, or not of a user.
    """
    claims = jwt.verify(
        token,
        key,
        issuer=issuer,
        audience=AUDIENCE,
        now=now,
        max_lifetime=ACCESS_SECONDS,
        required=("sub", "sid"),
    )
    if "client_id" in claims:
        raise BadToken("a service client, not a user")
    return TokenUser(
        user_id=_id(claims, "sub"),
        session_id=_id(claims, "sid"),
        account_id=_id(claims, "acct") if "acct" in claims else None,
        expires_at=claims["exp"],
    )


def _id(claims: Mapping[str, Any], name: str) -> str:
    value = claims[name]
    if not isinstance(value, str) or _FORMS[name].fullmatch(value) is None:
        raise BadToken(f"{name} is not an id of Rolecall")
    return value
