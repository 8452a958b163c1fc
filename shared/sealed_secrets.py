"""Sealed secrets: what others have given to accounts, encrypted for the database."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class SealedSecrets:
    """Seals secrets (AES-256-GCM), bound to an id, with a key of their form.

    That key is derived from the sealing key and the form, which names what the secrets are.
    """

    def __init__(self, sealing_key: bytes, *, form: bytes) -> None:
        self._key = AESGCM(HKDF(SHA256(), 32, salt=None, info=form).derive(sealing_key))

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
