"""Ed25519 public keys as text and as JWK (RFC 8037), and base64url."""

import base64
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES = 32


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of a base64url text without padding.

    Raises:
        ValueError: the text has other characters, padding, or unused bits that are not zero.
    """
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data


def key_bytes(text: str) -> bytes:
    """The 32 bytes of a key, private or public, from base64url.

    Raises:
        ValueError: the text is not such a key.
    """
    try:
        data = decode(text)
    except ValueError:
        data = b""
    if len(data) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64url without padding")
    return data


def read_public(text: str) -> Ed25519PublicKey:
    """A public key from base64url.

    Raises:
        ValueError: the text is not such a key.
    """
    return Ed25519PublicKey.from_public_bytes(key_bytes(text))


def read_key_set(jwks: Iterable[Mapping[str, str]]) -> Mapping[str, Ed25519PublicKey]:
    """The Ed25519 keys of a JWK set by `kid`; keys of other kinds are skipped.

    Raises:
        ValueError: a key cannot be read, or two keys share a `kid`.
    """
    keys: dict[str, Ed25519PublicKey] = {}
    for jwk in jwks:
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            continue
        kid, x = jwk.get("kid"), jwk.get("x")
        if kid is None or x is None or kid in keys:
            raise ValueError("not a key set")
        keys[kid] = read_public(x)
    return keys
