"""Forged access tokens that look right."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.ids import new_id
from tests.contracts.known_key import KEY

Members = dict[str, Any]
GONE: Any = object()
"""A member that is left out."""

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(token: str) -> tuple[Members, Members]:
    """Header and claims."""
    head, claims, _ = token.split(".")
    return _members(head), _members(claims)


def _members(part: str) -> Members:
    members: Members = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members


def sign(header: Members, claims: Members, key: Ed25519PrivateKey = KEY) -> str:
    """A token with these, signed."""
    message = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    return f"{message}.{encode(key.sign(message.encode()))}"


def changed(members: Members, changes: Mapping[str, Any]) -> Members:
    """The members with other values, or without."""
    merged = members | dict(changes)
    return {name: value for name, value in merged.items() if value is not GONE}


def forged(token: str, *, other_user: str) -> dict[str, str]:
    """Tokens that differ from a good one in one thing each, but for their signature good ones."""
    header, claims = read(token)
    now = int(time.time())
    other_claims: dict[str, Members] = {
        "expired": {"iat": now - 400, "exp": now - 100},
        "expired a minute ago": {"iat": now - 360, "exp": now - 60},
        "from the future": {"iat": now + 100, "exp": now + 400},
        "not before the future": {"nbf": now + 100},
        "for a day": {"exp": now + 86_400},
        "without an end": {"exp": GONE},
        "ending as text": {"exp": str(now + 100)},
        "ending in a fraction": {"exp": now + 100.5},
        "ending as truth": {"exp": True},
        "ending after all time": {"exp": 10**300},
        "of another issuer": {"iss": "https://evil.example"},
        "of no issuer": {"iss": GONE},
        "for another audience": {"aud": "rolecall-internal"},
        "for many": {"aud": ["rolecall", "x"]},
        "without an audience": {"aud": GONE},
        "without a subject": {"sub": GONE},
        "with a list of subjects": {"sub": [claims["sub"]]},
        "with an operator as subject": {"sub": {"$gt": ""}},
        "with an account as subject": {"sub": new_id("acc")},
        "without an id": {"jti": GONE},
        "without a session": {"sid": GONE},
        "with a user as session": {"sid": claims["sub"]},
        "with session and client": {"client_id": new_id("cli"), "scope": "authz:check"},
        "with a project as account": {"acct": new_id("prj")},
    }
    other_headers: dict[str, Members] = {
        "of no type": {"typ": GONE},
        "of another type": {"typ": "JWT"},
        "of the internal type": {"typ": "svc+jwt"},
        "of no algorithm": {"alg": "none"},
        "of no algorithm, shouted": {"alg": "NONE"},
        "of a shared secret's algorithm": {"alg": "HS256"},
        "of a list of algorithms": {"alg": ["EdDSA"]},
        "without a key id": {"kid": GONE},
        "of an unknown key": {"kid": new_id("key")},
        "of a key in a file": {"kid": "../../../../dev/null"},
        "of a key by injection": {"kid": "x' UNION SELECT 'y"},
        "of a key by operator": {"kid": {"$gt": ""}},
        "with its own key": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": _public(OTHER_KEY)}},
        "with an address of keys": {"jku": "http://127.0.0.1:1/keys"},
        "with a certificate": {"x5u": "http://127.0.0.1:1/x"},
        "with something critical": {"crit": ["exp"], "exp": now},
        "compressed": {"zip": "DEF"},
    }
    message, _, signature = token.rpartition(".")
    head, payload = message.split(".")
    hmac = HMAC(_public(KEY).encode(), SHA256())
    hmac.update(message.encode())
    stolen = changed(claims, {"sub": other_user})
    return {
        **{what: sign(header, changed(claims, made)) for what, made in other_claims.items()},
        **{what: sign(changed(header, made), claims) for what, made in other_headers.items()},
        "of another signer": sign(header, claims, OTHER_KEY),
        "of another user, with the old signature": (
            f"{head}.{encode(json.dumps(stolen).encode())}.{signature}"
        ),
        "unsigned": f"{message}.",
        "of two parts": message,
        "of four parts": f"{token}.{signature}",
        "with a short signature": token[:-3],
        "with a long signature": f"{token}AA",
        "with padding": f"{token}==",
        "with another last letter": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "with a blank": f"{head}. {payload}.{signature}",
        "signed with the public key": f"{message}.{encode(hmac.finalize())}",
        "with a member twice": sign_raw(head, b'{"sub":"x",' + json.dumps(claims).encode()[1:]),
        "with claims that are a list": sign_raw(head, b"[]"),
        "with claims of 40 levels": sign_raw(head, b"[" * 40 + b"]" * 40),
    }


def sign_raw(head: str, claims: bytes) -> str:
    """A token with these bytes as claims."""
    message = f"{head}.{encode(claims)}"
    return f"{message}.{encode(KEY.sign(message.encode()))}"


def _public(key: Ed25519PrivateKey) -> str:
    return encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
