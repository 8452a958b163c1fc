"""Places in a list that only replicas of authz can read, for the tokens that lead to a next page.

A page ends after what was looked at, which its caller may not know of. A readable place would tell
them its name, and one that can be made up would tell the names after it.
"""

import os
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from rolecall.client.jwk import decode, encode
from shared.auth.keys import read_private
from shared.secret_keys import split_keys

KEY_BYTES, NONCE_BYTES = 32, 12
BLOCK_BYTES = 256
"""A sealed place has a multiple of these, so that its length does not tell the length of a name."""
END = b"\x80"


class SealedPlaces:
    """Seals places, with a key that all replicas derive from the private key of the service.

    Places that were sealed with a former key are read.
    """

    def __init__(self, private_keys: SecretStr) -> None:
        self._ciphers = [
            AESGCM(
                HKDF(SHA256(), KEY_BYTES, salt=None, info=b"places in the lists of authz").derive(
                    read_private(text).private_bytes_raw()
                )
            )
            for text in split_keys(private_keys)
        ]

    def seal(self, place: str, *, of: str) -> str:
        """The place, sealed for one list and caller, which `of` tells apart from others."""
        content = place.encode() + END
        padded = content.ljust(-(-len(content) // BLOCK_BYTES) * BLOCK_BYTES, b"\0")
        nonce = os.urandom(NONCE_BYTES)
        return encode(nonce + self._ciphers[0].encrypt(nonce, padded, of.encode()))

    def read(self, sealed: str, *, of: str) -> str | None:
        """The place; `None` if it was not sealed for this list."""
        try:
            content = decode(sealed)
            nonce, rest = content[:NONCE_BYTES], content[NONCE_BYTES:]
        except ValueError:
            return None
        for cipher in self._ciphers:
            with suppress(ValueError, InvalidTag):
                padded = cipher.decrypt(nonce, rest, of.encode())
                return padded.rstrip(b"\0").removesuffix(END).decode()
        return None
