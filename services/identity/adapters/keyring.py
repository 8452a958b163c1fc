"""The keyring: it decrypts the stored signing keys, signs access tokens and publishes the keys.

A key is created on the first start and stored encrypted (AES-256-GCM, bound to its id), so the
database alone cannot sign. Every verifier reads the public half from the published key set.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rolecall.client.jwk import read_public
from services.identity.domain.signing_keys import SealedKey
from shared.auth.access_tokens import sign_access_token
from shared.auth.key_sources import StaticKeys
from shared.auth.keys import public_jwk, public_text
from shared.ids import KeyId
from shared.problems import Unavailable

NONCE_BYTES = 12


class UnsealError(Exception):
    """A stored key was encrypted with another sealing key, or was changed."""


def seal(
    key: Ed25519PrivateKey, *, kid: KeyId, number: int, sealing_key: bytes, now: datetime
) -> SealedKey:
    """Encrypt a signing key for the database; `sealing_key` has 32 bytes."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(sealing_key).encrypt(nonce, key.private_bytes_raw(), kid.encode())
    return SealedKey(
        id=kid,
        number=number,
        public=public_text(key.public_key()),
        sealed=nonce + sealed,
        created_at=now,
    )


def unseal(stored: SealedKey, sealing_key: bytes) -> Ed25519PrivateKey:
    """Decrypt a stored key.

    Raises:
        UnsealError: `seal` did not make it with this sealing key and for this id.
    """
    nonce, sealed = stored.sealed[:NONCE_BYTES], stored.sealed[NONCE_BYTES:]
    try:
        data = AESGCM(sealing_key).decrypt(nonce, sealed, stored.id.encode())
    except InvalidTag as problem:
        raise UnsealError(stored.id) from problem
    key = Ed25519PrivateKey.from_private_bytes(data)
    if public_text(key.public_key()) != stored.public:
        raise UnsealError(stored.id)
    return key


class Keyring:
    """The signing keys of this process: the newest one signs, all are published.

    It is empty until `fill`.
    """

    def __init__(self) -> None:
        self.public = StaticKeys({})
        self._known: Mapping[str, Ed25519PublicKey] = {}
        self._signing: tuple[str, Ed25519PrivateKey] | None = None

    def fill(self, stored: Sequence[SealedKey], sealing_key: bytes) -> None:
        """Use the stored keys, of which there is at least one.

        Raises:
            UnsealError: the newest key was sealed with another sealing key.
        """
        newest = max(stored, key=lambda key: key.number)
        self._signing = newest.id, unseal(newest, sealing_key)
        self._known = {key.id: read_public(key.public) for key in stored}
        self.public.replace(self._known)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign an access token with these claims.

        Raises:
            Unavailable: the keyring is still empty.
        """
        if self._signing is None:
            raise Unavailable
        kid, key = self._signing
        return sign_access_token(key, kid, claims)

    def key_set(self) -> list[dict[str, str]]:
        """Return the members of the published JWK set (RFC 7517)."""
        return [public_jwk(kid, key) for kid, key in self._known.items()]
