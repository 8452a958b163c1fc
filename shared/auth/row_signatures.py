"""Signatures of a journal: Ed25519 over the exact bytes of a row's event, or of what trims it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.client.jwk import decode, encode, read_public
from shared.contracts.facts import Position, Row, row_digest
from shared.contracts.topology import SOURCES

SIGNATURE_BYTES = 64
DOMAIN = b"rolecall journal row v1\0"
"""Comes before the event in what is signed, so that no signature of another kind fits a row."""
TRIMMED_DOMAIN = b"rolecall journal trimmed v1\0"
"""Comes before the place up to which the rows of a shard are deleted."""
CONFIRMED_DOMAIN = b"rolecall journal confirmed v1\0"
"""Comes before what a consumer said, as its source keeps it."""


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

    def trimmed(self, until: Position) -> str:
        """The signature of the word that the rows of a shard up to this one are deleted."""
        return encode(self._key.sign(TRIMMED_DOMAIN + _place(until)))

    def confirmed(self, said: bytes) -> str:
        """The signature of what a consumer said of the rows of this source."""
        return encode(self._key.sign(CONFIRMED_DOMAIN + said))


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
        return self._made(source, DOMAIN + event, signature)

    def trimmed(self, until: Position, signature: str) -> bool:
        """Return whether the source has said that its rows up to this one are deleted."""
        return self._made(until.source, TRIMMED_DOMAIN + _place(until), signature)

    def confirmed(self, source: str, said: bytes, signature: str) -> bool:
        """Return whether the source has kept this word of a consumer."""
        return self._made(source, CONFIRMED_DOMAIN + said, signature)

    def _made(self, source: str, content: bytes, signature: str) -> bool:
        try:
            data = decode(signature)
        except ValueError:
            return False
        if len(data) != SIGNATURE_BYTES:
            return False
        for key in self._keys.get(source, ()):
            try:
                key.verify(data, content)
            except InvalidSignature:
                continue
            return True
        return False


def _place(position: Position) -> bytes:
    return "\n".join(map(str, position)).encode()


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
