"""Sealing what a browser keeps for the console: no one else can read, change or make it."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAX_SEALED = 4000
"""The characters of the largest text that is opened; a browser keeps no larger cookie."""


class Sealer:
    """Seals with the first key and opens with each, so that keys can be replaced.

    Each purpose has keys of its own: what was sealed for one opens for no other.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def seal(self, purpose: str, content: Mapping[str, object], *, now: datetime) -> str:
        """Return the content as a text that a cookie or a form holds as it is."""
        text = json.dumps(content, separators=(",", ":")).encode()
        sealed = self._fernet(purpose).encrypt_at_time(text, int(now.timestamp()))
        return sealed.decode().rstrip("=")

    def open(
        self,
        purpose: str,
        text: str | None,
        *,
        now: datetime,
        seconds: int,
        longest: int = MAX_SEALED,
    ) -> Mapping[str, object]:
        """Return the content, or nothing if it was not sealed here, or longer ago than `seconds`.

        What cannot be opened counts as absent: its visitor is a new one.
        """
        if text is None or len(text) > longest or not text.isascii():
            return {}
        try:
            opened = self._fernet(purpose).decrypt_at_time(
                text.encode() + b"=" * (-len(text) % 4),
                ttl=seconds,
                current_time=int(now.timestamp()),
            )
        except InvalidToken:
            return {}
        content: Mapping[str, object] = json.loads(opened)
        return content

    def mark(self, purpose: str, text: str) -> str:
        """Return the mark of a text that only this service can make, with the newest key."""
        return _mark(self._keys[0], purpose, text)

    def marked(self, purpose: str, text: str, mark: str) -> bool:
        """Return whether the mark was made here for this text, with any of the keys."""
        sent = mark.encode(errors="replace")
        return any(
            hmac.compare_digest(_mark(key, purpose, text).encode(), sent) for key in self._keys
        )

    def _fernet(self, purpose: str) -> MultiFernet:
        return MultiFernet(
            [Fernet(urlsafe_b64encode(_derived(key, purpose))) for key in self._keys]
        )


def _mark(key: bytes, purpose: str, text: str) -> str:
    digest = hmac.digest(_derived(key, purpose), text.encode(errors="replace"), sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)
