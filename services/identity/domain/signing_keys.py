"""Signing keys: the row of a stored key, and the fact of a new one."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity import SigningKeyCreated
from shared.ids import KeyId


@dataclass(frozen=True, kw_only=True)
class SealedKey:
    """A signing key as it is stored; `number` counts the keys from 1 and is unique.

    `sealed` is the private key, encrypted: the database alone cannot sign.
    """

    id: KeyId
    number: int
    public: str
    sealed: bytes
    created_at: datetime


def created(key: SealedKey) -> Fact:
    """Make the fact that a signing key was created."""
    return Fact(
        payload=SigningKeyCreated(kid=key.id),
        resource=ResourceRef(type="signing_key", id=key.id),
    )
