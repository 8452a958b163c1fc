"""Sealed secrets: what others have given to accounts, encrypted for the database."""

import os
from collections.abc import Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class SealedSecrets:
    """Seals secrets (AES-256-GCM), bound to an id, with a key of their form.

    That key is derived from the sealing key and the form, which names what the secrets are.
    """

    def __init__(self, sealing_key: bytes, *, form: bytes, former: Sequence[bytes] = ()) -> None:
        """`former` keys seal nothing more; what they sealed is opened."""
        self._keys = [
            AESGCM(HKDF(SHA256(), 32, salt=None, info=form).derive(key))
            for key in (sealing_key, *former)
        ]

    def seal(self, secret: str, *, about: str) -> bytes:
        """Encrypt a secret of the thing with this id."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keys[0].encrypt(nonce, secret.encode(), about.encode())

    def open(self, sealed: bytes, *, about: str) -> str:
        """Decrypt a secret.

        Raises:
            InvalidTag: it was sealed for another id or with another key.
        """
        return self._opened(sealed, about)[0]

    def reseal(self, sealed: bytes, *, about: str) -> bytes | None:
        """Seal with the first key what a former one has sealed; `None` if the first one did.

        Raises:
            InvalidTag: it was sealed for another id or with another key.
        """
        secret, place = self._opened(sealed, about)
        return None if place == 0 else self.seal(secret, about=about)

    def _opened(self, sealed: bytes, about: str) -> tuple[str, int]:
        """The secret, and the place of the key that sealed it."""
        nonce, data = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for place, key in enumerate(self._keys):
            with suppress(InvalidTag):
                return key.decrypt(nonce, data, about.encode()).decode(), place
        raise InvalidTag
