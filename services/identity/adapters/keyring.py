"""The keyring: it decrypts the stored signing keys, signs access tokens and publishes the keys.

A key is created on the first start and stored encrypted (AES-256-GCM, bound to its id), so the
database alone cannot sign. Every verifier reads the public half from the published key set.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.identity.domain.signing_keys import KeyState, SealedKey, signing_key
from shared.auth.access_tokens import sign_access_token
from shared.auth.key_sources import StaticKeys
from shared.auth.keys import generate_key, public_jwk, public_text
from shared.ids import KeyId, new_id
from shared.problems import Unavailable

_log = logging.getLogger(__name__)

NONCE_BYTES = 12
CONFIRMED_SECONDS = 10.0
"""After this time without the database, an unknown key may be one that others have made."""


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


def unseal(stored: SealedKey, *sealing_keys: bytes) -> Ed25519PrivateKey:
    """Decrypt a stored key.

    Raises:
        UnsealError: `seal` did not make it with one of these sealing keys and for this id.
    """
    nonce, sealed = stored.sealed[:NONCE_BYTES], stored.sealed[NONCE_BYTES:]
    for sealing_key in sealing_keys:
        with suppress(InvalidTag):
            data = AESGCM(sealing_key).decrypt(nonce, sealed, stored.id.encode())
            key = Ed25519PrivateKey.from_private_bytes(data)
            if public_text(key.public_key()) == stored.public:
                return key
    raise UnsealError(stored.id)


class StoredKeys(StaticKeys):
    """The published keys of the database, as this process knows them."""

    def __init__(self) -> None:
        super().__init__({})
        self._confirmed_at = float("-inf")

    def take(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Take the keys that were just read."""
        if keys.keys() != self._keys.keys():
            self.replace(keys)
        self._confirmed_at = asyncio.get_running_loop().time()

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id; see `KeySource`."""
        age = asyncio.get_running_loop().time() - self._confirmed_at
        if kid not in self._keys and age > CONFIRMED_SECONDS:
            raise Unavailable
        return await super().find(kid)


class Keyring:
    """The signing keys of this process: the active one signs, and others verify.

    It is empty until `fill`. Only a key that the sealing key opens is used or published: a row
    that others wrote into the database verifies nothing.
    """

    def __init__(self, sealing_key: bytes, *, former: Sequence[bytes] = ()) -> None:
        """`former` keys seal nothing more; what they sealed is opened."""
        self.public = StoredKeys()
        self._sealing_keys = (sealing_key, *former)
        self._opened: dict[SealedKey, Ed25519PrivateKey] = {}
        self._strange: frozenset[KeyId] = frozenset()
        self._signing: tuple[str, Ed25519PrivateKey] | None = None

    def make(self, *, number: int, state: KeyState, now: datetime) -> SealedKey:
        """Make a key in this state."""
        kid = KeyId(new_id("key"))
        first = self._sealing_keys[0]
        made = seal(generate_key(), kid=kid, number=number, sealing_key=first, now=now)
        return replace(made, state=state, state_since=now)

    def fill(self, stored: Sequence[SealedKey], *, now: datetime) -> None:
        """Use the stored keys.

        Raises:
            UnsealError: the sealing key opens none that signs.
        """
        opened: dict[SealedKey, Ed25519PrivateKey] = {}
        strange: set[KeyId] = set()
        for key in stored:
            if key.published(now):
                try:
                    opened[key] = self._opened.get(key) or unseal(key, *self._sealing_keys)
                except UnsealError:
                    strange.add(key.id)
        self._name_strange(strange)
        self._opened = opened
        self.public.take({key.id: private.public_key() for key, private in opened.items()})
        newest = signing_key(opened)
        if newest is None:
            raise UnsealError(", ".join(sorted(strange)))
        self._signing = newest.id, opened[newest]

    def _name_strange(self, strange: Iterable[KeyId]) -> None:
        """Log each key that does not open, once: others wrote it, or sealed it with another key."""
        for kid in sorted(set(strange) - self._strange):
            _log.error("The signing key %s is not used: the sealing key does not open it.", kid)
        self._strange = frozenset(strange)

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
        return [public_jwk(key.id, private.public_key()) for key, private in self._opened.items()]
