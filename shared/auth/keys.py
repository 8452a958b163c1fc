"""Ed25519 keys as text: base64url and JWK (RFC 8037)."""

import base64
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.contracts.calls.identity import KeySet

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


def generate_key() -> Ed25519PrivateKey:
    """A new key from the system's random source."""
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
        ValueError: the text is not such a key.
    """
    return Ed25519PrivateKey.from_private_bytes(_key_bytes(text))


def read_public(text: str) -> Ed25519PublicKey:
    """A public key as `public_text` wrote it.

    Raises:
        ValueError: the text is not such a key.
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


def read_key_set(key_set: KeySet) -> Mapping[str, Ed25519PublicKey]:
    """The Ed25519 keys of a JWK set by `kid`; keys of other kinds are skipped.

    Raises:
        ValueError: a key cannot be read, or two keys share a `kid`.
    """
    keys: dict[str, Ed25519PublicKey] = {}
    for jwk in key_set.keys:
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            continue
        kid, x = jwk.get("kid"), jwk.get("x")
        if kid is None or x is None or kid in keys:
            raise ValueError("not a key set")
        keys[kid] = read_public(x)
    return keys


class ServiceKeys(NamedTuple):
    """A pair of Ed25519 keys for each service: its private and its public one."""

    private: Mapping[str, str]
    public: Mapping[str, str]


def generate_service_keys(names: tuple[str, ...]) -> ServiceKeys:
    """Make a pair of keys for each service, as the variables hold them."""
    keys = {name: generate_key() for name in names}
    return ServiceKeys(
        private={name: private_text(key) for name, key in keys.items()},
        public={name: public_text(key.public_key()) for name, key in keys.items()},
    )


def _key_bytes(text: str) -> bytes:
    try:
        data = decode(text)
    except ValueError:
        data = b""
    if len(data) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64url without padding")
    return data
