"""Small secrets for the database, encrypted (AES-256-GCM) and bound to what they belong to."""

import os
from collections.abc import Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class SealBroken(InvalidTag):
    """The value was sealed with another key or for another owner, or was changed."""


class FactorSealer:
    """Seals with one key of 32 bytes, and opens what it or a former one has sealed."""

    def __init__(self, key: bytes, *, former: Sequence[bytes] = ()) -> None:
        self._ciphers = [AESGCM(each) for each in (key, *former)]

    def seal(self, secret: bytes, *, bound_to: str) -> bytes:
        """Encrypt a secret; only with the same `bound_to` it can be opened."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, secret, bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            SealBroken: it was not made with one of the keys for this owner.
        """
        return self._opened(sealed, bound_to)[0]

    def reseal(self, sealed: bytes, *, bound_to: str) -> bytes | None:
        """Seal with the first key what a former one has sealed; `None` if the first one did.

        Raises:
            SealBroken: it was not made with one of the keys for this owner.
        """
        secret, place = self._opened(sealed, bound_to)
        return None if place == 0 else self.seal(secret, bound_to=bound_to)

    def _opened(self, sealed: bytes, bound_to: str) -> tuple[bytes, int]:
        """The secret, and the place of the key that sealed it."""
        nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for place, cipher in enumerate(self._ciphers):
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(nonce, content, bound_to.encode()), place
        raise SealBroken(bound_to)
