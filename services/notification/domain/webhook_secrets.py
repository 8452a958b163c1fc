"""The secrets of webhooks, and the signatures made with them (Standard Webhooks 1.0).

A secret is derived from the service's key and a random salt, and is stored nowhere. The salt is of
one secret only: after a restore of the database, no rotation gives a former secret again.
"""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

PREFIX = "whsec_"
SALT_BYTES = 16
FORMER_SECRET = "webhook"  # noqa: S105 (a use, by which deliveries are counted)
"""The use by which a delivery is counted whose secret a former key may have made."""


def new_salt() -> str:
    """Return the salt of a new secret."""
    return secrets.token_hex(SALT_BYTES)


def secret_of(key: bytes, webhook_id: str, salt: str) -> str:
    """Return a secret as its owner is shown it: `whsec_` and 32 bytes in base64."""
    return PREFIX + b64encode(_secret_bytes(key, webhook_id, salt)).decode()


def key_id(key: bytes) -> str:
    """Return a name of the service's key, which does not reveal the key."""
    return hmac.digest(key, b"webhook key", sha256).hex()[:16]


def may_be_former(key: bytes, former_keys: Sequence[bytes], made_by: str | None) -> bool:
    """Return whether a secret was made by another key than the first, or may have been."""
    return bool(former_keys) and made_by != key_id(key)


def signed_headers(
    key: bytes,
    webhook_id: str,
    salts: Sequence[str],
    *,
    event_id: str,
    timestamp: int,
    body: bytes,
    former_keys: Sequence[bytes] = (),
) -> dict[str, str]:
    """Return the headers of one attempt, with a signature by each of the secrets.

    Former keys of the service made the secrets that receivers may still have.

    The id and the time are inside the signature: neither can be replaced, and an old request cannot
    be sent again later (`T27`).
    """
    content = f"{event_id}.{timestamp}.".encode() + body
    signatures = [
        b64encode(hmac.digest(_secret_bytes(each, webhook_id, salt), content, sha256)).decode()
        for each in (key, *former_keys)
        for salt in salts
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _secret_bytes(key: bytes, webhook_id: str, salt: str) -> bytes:
    # The separators make the message unambiguous: no field can contain a zero byte.
    return hmac.digest(key, f"webhook\0{webhook_id}\0{salt}".encode(), sha256)
