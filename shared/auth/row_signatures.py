"""Signatures of journal rows: Ed25519 over the exact bytes of a row's event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.client.jwk import decode, encode, read_public
from shared.contracts.facts import Row, row_digest
from shared.contracts.topology import SOURCES

SIGNATURE_BYTES = 64
DOMAIN = b"rolecall journal row v1\0"
"""Comes before the event in what is signed, so that no signature of another kind fits a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRow:
    """A row, the exact bytes of its event, and its source's signature over them.

    A consumer never writes the event anew: a version that knows another field would change it.
    """

    row: Row
    event: bytes
    signature: str
    digest: str


class RowSigner:
    """Signs the rows of one source."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def sign(self, row: Row) -> SignedRow:
        """Write the row's event and sign it."""
        event = row.to_event()
        return SignedRow(
            row=row, event=event, signature=self.signature(event), digest=row_digest(event)
        )

    def signature(self, event: bytes) -> str:
        """The signature of an event, base64url."""
        return encode(self._key.sign(DOMAIN + event))


class RowKeys:
    """The public keys of each source; a source has several while its key is changed."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        self._keys = {
            source: [read_public(text) for text in texts] for source, texts in keys.items()
        }

    def knows(self, source: str) -> bool:
        """Return whether the source has a key."""
        return bool(self._keys.get(source))

    def signed(self, source: str, event: bytes, signature: str) -> bool:
        """Return whether one of the source's keys made this signature over the event."""
        try:
            data = decode(signature)
        except ValueError:
            return False
        if len(data) != SIGNATURE_BYTES:
            return False
        for key in self._keys.get(source, ()):
            try:
                key.verify(data, DOMAIN + event)
            except InvalidSignature:
                continue
            return True
        return False


def check_journal_keys(keys: Mapping[str, Sequence[str]]) -> None:
    """Check the setting `journal_keys`.

    Raises:
        ValueError: a source has no key, a text cannot be read as one, or one is listed twice.
    """
    if missing := [source for source in SOURCES if not keys.get(source)]:
        raise ValueError(f"must have a key of {', '.join(missing)}")
    texts = [text for each in keys.values() for text in each]
    for text in texts:
        read_public(text)
    if len(set(texts)) < len(texts):
        raise ValueError("must not list a key twice")
