"""Ed25519 keys of the product: made, written as text and as JWK (RFC 8037)."""

from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rolecall.client.jwk import encode, key_bytes


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
    return Ed25519PrivateKey.from_private_bytes(key_bytes(text))


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
