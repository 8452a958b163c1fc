"""Which keys sign access tokens, and how are they kept?

A key is made on the first start and stored encrypted (AES-256-GCM, bound to its id), so that the
database alone signs nothing. The public half is in the key set that every verifier reads.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.auth import StaticKeys, sign_access_token
from shared.auth.keys import public_jwk, public_text, read_public
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity import SigningKeyCreated
from shared.ids import KeyId
from shared.problems import Unavailable

NONCE_BYTES = 12


class CannotUnseal(Exception):  # noqa: N818 - says what is so
    """A stored key was encrypted with another sealing key, or was changed."""


@dataclass(frozen=True, kw_only=True)
class SealedKey:
    """A signing key as it is stored; `slot` counts keys from 1 and is unique."""

    id: KeyId
    slot: int
    public: str
    sealed: bytes
    created_at: datetime


def seal(
    key: Ed25519PrivateKey, *, kid: KeyId, slot: int, sealing_key: bytes, now: datetime
) -> SealedKey:
    """Encrypt a key for the database."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(sealing_key).encrypt(nonce, key.private_bytes_raw(), kid.encode())
    return SealedKey(
        id=kid,
        slot=slot,
        public=public_text(key.public_key()),
        sealed=nonce + sealed,
        created_at=now,
    )


def unseal(stored: SealedKey, sealing_key: bytes) -> Ed25519PrivateKey:
    """Decrypt a stored key.

    Raises:
        CannotUnseal: it is not what `seal` made with this sealing key for this id.
    """
    nonce, sealed = stored.sealed[:NONCE_BYTES], stored.sealed[NONCE_BYTES:]
    try:
        data = AESGCM(sealing_key).decrypt(nonce, sealed, stored.id.encode())
    except InvalidTag as problem:
        raise CannotUnseal(stored.id) from problem
    key = Ed25519PrivateKey.from_private_bytes(data)
    if public_text(key.public_key()) != stored.public:
        raise CannotUnseal(stored.id)
    return key


def created(stored: SealedKey) -> Fact:
    """A key exists."""
    return Fact(
        payload=SigningKeyCreated(kid=stored.id),
        resource=ResourceRef(type="signing_key", id=stored.id),
    )


class Keyring:
    """The keys of this process, empty until it is filled: the newest signs, all are published."""

    def __init__(self) -> None:
        self.public = StaticKeys({})
        self._known: Mapping[str, Ed25519PublicKey] = {}
        self._signing: tuple[str, Ed25519PrivateKey] | None = None

    def fill(self, stored: Sequence[SealedKey], sealing_key: bytes) -> None:
        """Take the stored keys, one at least.

        Raises:
            CannotUnseal: the newest was sealed with another key.
        """
        newest = max(stored, key=lambda key: key.slot)
        self._signing = newest.id, unseal(newest, sealing_key)
        self._known = {key.id: read_public(key.public) for key in stored}
        self.public.replace(self._known)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """An access token with these claims."""
        if self._signing is None:
            raise Unavailable
        kid, key = self._signing
        return sign_access_token(key, kid, claims)

    def key_set(self) -> list[dict[str, str]]:
        """The members of the published JWK set (RFC 7517)."""
        return [public_jwk(kid, key) for kid, key in self._known.items()]
