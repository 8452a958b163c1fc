"""Signing and strict verification of the product's own JWTs.

What a JWT library tolerates is refused before the signature is checked. The checks are narrower
than RFC 7519, because the product issues every token itself.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rolecall.client.jwk import decode

ALGORITHM = "EdDSA"
MAX_TOKEN_CHARACTERS = 8192
LEEWAY_SECONDS = 10
"""How far the clocks of two machines may differ."""
SIGNATURE_BYTES = 64
TIME_CLAIMS = ("iat", "exp")
_KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_HEADER = frozenset({"alg", "typ", "kid"})
_LAST_SECOND = 2**40


class BadToken(Exception):  # noqa: N818 - the caller gets a refusal that says less
    """A token that is refused; its reason is for the log and for tests, never for the sender."""


class BadSignature(BadToken):
    """A token that another key has signed, or that was changed."""


class ExpiredToken(BadToken):
    """A token whose signature is valid and whose time is over."""


def sign(key: Ed25519PrivateKey, *, kid: str, typ: str, claims: Mapping[str, Any]) -> str:
    """Sign `claims` as a compact JWS."""
    headers = {"kid": kid, "typ": typ}
    return jwt.encode(dict(claims), key, algorithm=ALGORITHM, headers=headers)


def key_id(token: str, *, typ: str) -> str:
    """Return the `kid` of a token after checking its form and header; nothing is verified yet.

    Raises:
        BadToken: its form or header is not that of a token of the product.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise BadToken("too large")
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken("not three parts")
    try:
        head, payload, signature = (decode(part) for part in parts)
    except ValueError as error:
        raise BadToken("not canonical base64url") from error
    header = _members(head)
    _members(payload)
    if len(signature) != SIGNATURE_BYTES:
        raise BadToken("not an Ed25519 signature")
    if set(header) != _HEADER:
        raise BadToken("other header members than alg, typ and kid")
    if header["alg"] != ALGORITHM:
        raise BadToken("other algorithm")
    if header["typ"] != typ:
        raise BadToken("other type")
    kid = header["kid"]
    if not isinstance(kid, str) or _KID.fullmatch(kid) is None:
        raise BadToken("not a key id")
    return kid


def verify(
    token: str,
    key: Ed25519PublicKey,
    *,
    issuer: str,
    audience: str,
    now: datetime,
    max_lifetime: int,
    required: Iterable[str] = (),
) -> dict[str, Any]:
    """Verify the signature and claims of a token that `key_id` accepted, and return the claims.

    `max_lifetime` is the longest time from `iat` to `exp`, in seconds. Besides `required`, a token
    must carry `iss aud jti iat exp`. Times are compared with `now`, not with the library's clock.

    Raises:
        ExpiredToken: the token is valid but for its end.
        BadSignature: the key did not sign it.
        BadToken: the signature or a claim is not valid.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=issuer,
            audience=audience,
            options={
                "require": ["iss", "aud", "jti", *TIME_CLAIMS, *required],
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidSignatureError as error:
        raise BadSignature(type(error).__name__) from error
    except jwt.PyJWTError as error:
        raise BadToken(type(error).__name__) from error
    if not isinstance(claims["jti"], str) or not claims["jti"]:
        raise BadToken("no token id")
    _check_times(claims, now=now.timestamp(), max_lifetime=max_lifetime)
    return claims


def _check_times(claims: Mapping[str, Any], *, now: float, max_lifetime: int) -> None:
    for name in (*TIME_CLAIMS, *(["nbf"] if "nbf" in claims else [])):
        # bool is an int in Python and 1.7e9 is a number in JSON; neither is a time here.
        if type(claims[name]) is not int or not 0 <= claims[name] < _LAST_SECOND:
            raise BadToken(f"{name} is not a whole number of seconds")
    if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_SECONDS:
        raise BadToken("from the future")
    if not 0 < claims["exp"] - claims["iat"] <= max_lifetime:
        raise BadToken("lives too long")
    if claims["exp"] <= now - LEEWAY_SECONDS:
        raise ExpiredToken("expired")


def _members(part: bytes) -> dict[str, Any]:
    try:
        value = json.loads(part.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise BadToken("not JSON with unique members") from error
    if not isinstance(value, dict):
        raise BadToken("not a JSON object")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members
