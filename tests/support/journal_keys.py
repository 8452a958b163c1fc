"""Keys of the journals for tests: what signs the rows of each source, and what verifies them."""

from dataclasses import replace

from deploy.configuration import Secrets
from shared.auth.keys import generate_service_keys, read_private
from shared.auth.row_signatures import RowKeys, RowSigner, SignedRow
from shared.clock import SystemClock
from shared.contracts.facts import Row
from shared.contracts.topology import SOURCES
from shared.journal.trim_words import TrimWords
from shared.row_verifier import RowVerifier

JOURNAL_KEYS = generate_service_keys(SOURCES)
PUBLIC_KEYS = {source: (key,) for source, key in JOURNAL_KEYS.public.items()}
"""The setting `journal_keys`."""


def signer(source: str) -> RowSigner:
    """What signs the rows of this source."""
    return RowSigner(read_private(JOURNAL_KEYS.private[source]))


def trim_words(source: str) -> TrimWords:
    """What signs and verifies the places and the confirmations of this source."""
    return TrimWords(source, signer(source), RowKeys(PUBLIC_KEYS))


def signed(row: Row) -> SignedRow:
    """The row, signed by its source."""
    return signer(row.source).sign(row)


def verifier() -> RowVerifier:
    """A verifier that knows the keys of all sources."""
    return RowVerifier(PUBLIC_KEYS, clock=SystemClock())


def generated_secrets() -> Secrets:
    """New secrets of a product, with the keys of the tests' journals."""
    return replace(
        Secrets.generate(),
        journal_private_keys=JOURNAL_KEYS.private,
        journal_public_keys=JOURNAL_KEYS.public,
    )
