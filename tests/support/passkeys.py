"""A software authenticator: it makes passkeys and signs challenges as WebAuthn says.

It is written apart from the product's library: keys are of PyPI `cryptography`, CBOR of `cbor2`.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, HAS_PASSKEY, HAS_EXTENSIONS = 1, 4, 64, 128
EMPTY_MAP = b"\xa0"


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftPasskey:
    """A passkey in memory, which a browser at `origin` uses."""

    origin: str
    counts: bool = True
    verified: bool = True
    count: int = 0
    user_handle: str = ""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(
        self,
        options: dict[str, Any],
        *,
        key: bytes | None = None,
        extensions: bytes = b"",
        statement: bytes = EMPTY_MAP,
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` gives for these options.

        Of an authenticator that misbehaves each part can be given as it is.
        """
        self.user_handle = options["user"]["id"]
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id
        data = self._data(options["rp"]["id"], HAS_PASSKEY, extensions)
        data += attested + (key or cbor2.dumps(self.public_key())) + extensions
        attestation = b"\xa3" + cbor2.dumps("fmt") + cbor2.dumps("none")
        attestation += cbor2.dumps("attStmt") + statement
        attestation += cbor2.dumps("authData") + cbor2.dumps(data)
        client = self._client("webauthn.create", options["challenge"])
        response = {
            "clientDataJSON": encoded(client),
            "attestationObject": encoded(attestation),
        }
        return self._credential(response)

    def public_key(self) -> dict[int, int | bytes]:
        """The public key as an authenticator writes it (RFC 9053)."""
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return {1: 2, 3: -7, -1: 1, -2: x, -3: y}

    def get(self, options: dict[str, Any], *, extensions: bytes = b"") -> dict[str, Any]:
        """What `navigator.credentials.get` gives for these options."""
        self.count += 1 if self.counts else 0
        data = self._data(options["rpId"], 0, extensions) + extensions
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": self.user_handle,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        own = encoded(self.id)
        others = {"authenticatorAttachment": "platform", "clientExtensionResults": {}}
        answer = {"id": own, "rawId": own, "type": "public-key", "response": response}
        return answer | others  # as `PublicKeyCredential.toJSON` of a browser

    def _data(self, rp_id: str, flags: int, extensions: bytes) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verified else 0)
        flags |= HAS_EXTENSIONS if extensions else 0
        return sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        members = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps(members | {"crossOrigin": False}).encode()
