"""Sealed secrets: what issuers have given to accounts, encrypted for the database."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
_FORM = b"sso client secret 1"


class SealedSecrets:
    """Seals secrets (AES-256-GCM) with a key derived from the sealing key, bound to an id."""

    def __init__(self, sealing_key: bytes) -> None:
        self._key = AESGCM(HKDF(SHA256(), 32, salt=None, info=_FORM).derive(sealing_key))

    def seal(self, secret: str, *, about: str) -> bytes:
        """Encrypt a secret of the thing with this id."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, secret.encode(), about.encode())

    def open(self, sealed: bytes, *, about: str) -> str:
        """Decrypt a secret.

        Raises:
            InvalidTag: it was sealed for another id or with another key.
        """
        nonce, data = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return self._key.decrypt(nonce, data, about.encode()).decode()
