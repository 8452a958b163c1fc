"""ID tokens: what the issuer says of a person, and when it is believed (OpenID Connect Core, 3)."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256, sha512
from typing import Any

from shared.problems import Refusal, RefusalKind

ALGORITHMS = ("ES256", "EdDSA", "RS256")
"""Signatures with a key that only the issuer has: never `none`, and no shared secret."""
LEEWAY_SECONDS = 30
MAX_AGE_SECONDS = 3600
"""The longest time since the issuer has made the token. The nonce binds it to minutes anyway."""
MAX_SUBJECT_LENGTH = 255
_HASHES = {"ES256": sha256, "RS256": sha256, "EdDSA": sha512}


class IssuerAnswerInvalid(Refusal):
    """What the issuer answered cannot be believed; `reason` is one word of a fixed list."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "issuer-answer-invalid"
    detail = (
        "The answer of the sign-in service cannot be accepted ({reason}). Begin the sign-in again."
        " If it fails again, tell the admin of that service."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


@dataclass(frozen=True, kw_only=True)
class IssuedIdentity:
    """A person as an issuer knows them. Only `issuer` and `subject` together name one."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None
    claims: Mapping[str, Any]


def allowed_algorithms(supported: Collection[str]) -> tuple[str, ...]:
    """The algorithms that the issuer says it uses, of those that are safe."""
    return tuple(name for name in ALGORITHMS if name in supported)


def check_claims(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    algorithm: str,
    access_token: str | None,
    now: datetime,
) -> IssuedIdentity:
    """Check the claims of an ID token whose signature is verified.

    Raises:
        IssuerAnswerInvalid: the token is of another issuer, for another client, of another sign-in
            or time, or has no person.
    """
    if claims.get("iss") != issuer:
        raise IssuerAnswerInvalid("iss")
    _check_audience(claims, client_id)
    _check_times(claims, now)
    if not _same(claims.get("nonce"), nonce):
        raise IssuerAnswerInvalid("nonce")
    if "at_hash" in claims and not _same(
        claims["at_hash"], half_hash(access_token or "", algorithm)
    ):
        raise IssuerAnswerInvalid("at_hash")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise IssuerAnswerInvalid("sub")
    return IssuedIdentity(
        issuer=issuer,
        subject=subject,
        email=_text(claims.get("email")),
        email_verified=claims.get("email_verified") is True,
        name=_text(claims.get("name")),
        claims=claims,
    )


def half_hash(access_token: str, algorithm: str) -> str:
    """The left half of the hash of an access token, which binds it to the ID token."""
    digest = _HASHES[algorithm](access_token.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise IssuerAnswerInvalid("aud")
    if len(audiences) > 1 and "azp" not in claims:
        raise IssuerAnswerInvalid("azp")
    if claims.get("azp", client_id) != client_id:
        raise IssuerAnswerInvalid("azp")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    expires, issued = _moment(claims.get("exp")), _moment(claims.get("iat"))
    if expires is None or expires + LEEWAY_SECONDS <= moment:
        raise IssuerAnswerInvalid("exp")
    if issued is None or not -LEEWAY_SECONDS <= moment - issued <= MAX_AGE_SECONDS:
        raise IssuerAnswerInvalid("iat")
    if "nbf" in claims:
        begins = _moment(claims["nbf"])
        if begins is None or begins - LEEWAY_SECONDS > moment:
            raise IssuerAnswerInvalid("nbf")


def _moment(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < 2**40 else None


def _same(value: Any, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
