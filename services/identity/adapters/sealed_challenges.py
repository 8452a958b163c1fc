"""Sealed challenges of passkeys: the caller keeps them, encrypted, until the answer."""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.identity.domain.passkeys import PasskeyChallenge

NONCE_BYTES = 12
_FORM = b"passkey challenge 1"


class SealedChallenges:
    """Seals challenges (AES-256-GCM) with a key derived from the sealing key."""

    def __init__(self, sealing_key: bytes) -> None:
        self._key = AESGCM(HKDF(SHA256(), 32, salt=None, info=_FORM).derive(sealing_key))

    def seal(self, challenge: PasskeyChallenge) -> str:
        """Make the text of a challenge; only this service can read or make one."""
        members = {**vars(challenge), "begun_at": int(challenge.begun_at.timestamp() * 1000)}
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._key.encrypt(nonce, json.dumps(members).encode(), _FORM)
        return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, text: str) -> PasskeyChallenge | None:
        """Return the challenge of a text, or `None` when this service did not make it."""
        try:
            data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            members = json.loads(self._key.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _FORM))
        except (InvalidTag, ValueError):
            return None
        begun_at = datetime.fromtimestamp(members.pop("begun_at") / 1000, UTC)
        return PasskeyChallenge(**members, begun_at=begun_at)
