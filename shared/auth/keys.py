"""How is an Ed25519 key written down, and read?"""

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of a base64url text without padding.

    Raises:
        ValueError: other characters, padding, or unused bits that are not zero.
    """
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data


def generate_key() -> Ed25519PrivateKey:
    """A new key, from the system's randomness."""
    return Ed25519PrivateKey.generate()


def private_text(key: Ed25519PrivateKey) -> str:
    """The 32 bytes of a private key, base64url."""
    return encode(key.private_bytes_raw())


def public_text(key: Ed25519PublicKey) -> str:
    """The 32 bytes of a public key, base64url."""
    return encode(key.public_bytes_raw())


def read_private(text: str) -> Ed25519PrivateKey:
    """A private key as `private_text` wrote it.

    Raises:
        ValueError: it is none.
    """
    return Ed25519PrivateKey.from_private_bytes(_key_bytes(text))


def read_public(text: str) -> Ed25519PublicKey:
    """A public key as `public_text` wrote it.

    Raises:
        ValueError: it is none.
    """
    return Ed25519PublicKey.from_public_bytes(_key_bytes(text))


def public_jwk(kid: str, key: Ed25519PublicKey) -> dict[str, str]:
    """A public key as a member of a key set (RFC 8037)."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": public_text(key),
        "kid": kid,
        "use": "sig",
        "alg": "EdDSA",
    }


def read_key_set(document: Any) -> Mapping[str, Ed25519PublicKey]:
    """The Ed25519 keys of a JWK set by `kid`; keys of other kinds are passed over.

    Raises:
        ValueError: it is no key set, or two keys share a `kid`.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
        raise ValueError("not a key set")
    keys: dict[str, Ed25519PublicKey] = {}
    for jwk in document["keys"]:
        if not isinstance(jwk, Mapping) or jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            continue
        kid, x = jwk.get("kid"), jwk.get("x")
        if not isinstance(kid, str) or not isinstance(x, str) or kid in keys:
            raise ValueError("not a key set")
        keys[kid] = read_public(x)
    return keys


def _key_bytes(text: str) -> bytes:
    try:
        data = decode(text)
    except ValueError:
        data = b""
    if len(data) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64url without padding")
    return data
