"""What audit itself has said: a record that others believe must be of a row that audit signed.

A verifier takes hashes without records for an end by retention, and missing values for an erasure,
if a sealed record says so. Who can write into the database alone must not be able to say it.
"""

from rolecall.audit.erasures import ERASED
from services.audit.domain.records import Record, record_of
from services.audit.domain.retention import ENDED
from services.audit.store import Store
from shared.contracts.topology import Service
from shared.row_verifier import RowRefused, RowVerifier

BELIEVED = frozenset({ENDED, ERASED})
"""The actions that a verifier believes."""


class OwnWords:
    """Compares records with the signed rows of audit's journal."""

    def __init__(self, store: Store, verifier: RowVerifier) -> None:
        self._store = store
        self._verifier = verifier

    async def may_be_sealed(self, record: Record) -> bool:
        """Whether a verifier would not believe a record, or audit has signed its row."""
        believed = record.action in BELIEVED and record.reported_by is None
        return not believed or record.position.source != Service.AUDIT or await self.said(record)

    async def said(self, record: Record) -> bool:
        """Whether audit has signed the row of a record, and the record says what the row does."""
        stored = await self._store.own_row(record.position)
        if stored is None:
            return False
        try:
            signed = self._verifier.stored(Service.AUDIT, stored.event, stored.signature)
        except (RowRefused, ValueError):
            return False
        return record_of(signed.row, recorded_at=record.recorded_at) == record
