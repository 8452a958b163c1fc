"""Small secrets for the database, encrypted (AES-256-GCM) and bound to what they belong to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class SealBroken(Exception):  # noqa: N818 - the caller decides what it means
    """The value was sealed with another key or for another owner, or was changed."""


class FactorSealer:
    """Seals and opens with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, *, bound_to: str) -> bytes:
        """Encrypt a secret; only with the same `bound_to` it can be opened."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            SealBroken: it was not made with this key for this owner.
        """
        nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, content, bound_to.encode())
        except (InvalidTag, ValueError) as problem:
            raise SealBroken(bound_to) from problem
