"""Sealed texts: the caller keeps what was begun, encrypted, and no database has it."""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class Begun(Protocol):
    """A flat dataclass of texts, with the moment at which it began."""

    @property
    def begun_at(self) -> datetime:
        """The moment at which it began."""


T = TypeVar("T", bound=Begun)


class SealedTexts(Generic[T]):
    """Seals values of one kind (AES-256-GCM) with a key derived from the sealing key.

    `form` names the kind and its version: a text of another kind does not open.
    """

    def __init__(self, kind: Callable[..., T], *, form: str, sealing_keys: Sequence[bytes]) -> None:
        """The first key seals, and all open."""
        self._kind, self._form = kind, form.encode()
        self._keys = [
            AESGCM(HKDF(SHA256(), 32, salt=None, info=self._form).derive(key))
            for key in sealing_keys
        ]

    def seal(self, value: T) -> str:
        """Make the text of a value; only this service can read or make one."""
        members = {**vars(value), "begun_at": int(value.begun_at.timestamp() * 1000)}
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[0].encrypt(nonce, json.dumps(members).encode(), self._form)
        return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, text: str) -> T | None:
        """Return the value of a text, or `None` when this service did not make it."""
        try:
            data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            members = json.loads(self._opened(data))
        except (InvalidTag, ValueError):
            return None
        begun_at = datetime.fromtimestamp(members.pop("begun_at") / 1000, UTC)
        return self._kind(**members, begun_at=begun_at)

    def _opened(self, data: bytes) -> bytes:
        for key in self._keys:
            with suppress(InvalidTag):
                return key.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._form)
        raise InvalidTag
