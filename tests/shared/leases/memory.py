"""Leases and receipts without a database, with the same promises as `MongoLeaseStore`."""

from contextlib import asynccontextmanager
from dataclasses import replace

from shared.contracts.facts import JournalHeads
from shared.leases import Receipt
from shared.leases.barrier import LeaseRow
from shared.leases.receipt import RECEIPT_RETENTION
from shared.leases.store import MARKS_PER_SERVICE, succeeding
from tests.support.chains import digest_at, digests_at


class MemoryLeaseStore:
    """One source's rows; `epoch` and `heads` are the journal's and are set by the test."""

    def __init__(self, epoch: str = "e1", heads: dict[int, int] | None = None) -> None:
        self.epoch = epoch
        self.journal_heads = dict(heads or {})
        self.digests: dict[int, str] = {}
        """Those of heads that a test gives; the others follow from the place of the row."""
        self.table: dict[str, LeaseRow] = {}
        self.receipts: dict[str, Receipt] = {}
        self.looks = 0
        """How often the rows were read."""
        self.rows_at: dict[int, dict[int, str]] = {}
        """Shard → sequence → digest of the rows that a test gives."""

    @asynccontextmanager
    async def session(self, after=None):
        yield None

    async def put(self, row, session) -> None:
        self.table[row.id] = succeeding(row, self.table.get(row.id))

    async def heads(self, session) -> JournalHeads:
        digests = digests_at(self.journal_heads) | self.digests
        return JournalHeads(self.epoch, dict(self.journal_heads), digests)

    async def change_at(self, position, session) -> str | None:
        return None

    async def digests_at(self, shard, seqs, session):
        head, given = self.journal_heads.get(shard, 0), dict(self.rows_at.get(shard, {}))
        if shard in self.digests:
            given[head] = self.digests[shard]
        return {seq: given.get(seq, digest_at(shard, seq)) for seq in seqs if 0 < seq <= head}

    async def live_rows(self, session):
        return [row for row in await self.rows(session) if not row.released]

    async def rows(self, session):
        self.looks += 1
        return list(self.table.values())

    async def report(self, row) -> None:
        there = self.table.get(row.id)
        if there is not None and not there.released:
            self.table[row.id] = replace(
                there, epoch=row.epoch, applied=row.applied, digests=row.digests
            )

    async def remove(self, row) -> None:
        there = self.table.get(row.id)
        if there is not None and there.renewal == row.renewal:
            del self.table[row.id]

    async def release(self, row) -> None:
        marks = [mark for mark in self.table.values() if mark.released]
        if sum(mark.service == row.service for mark in marks) >= MARKS_PER_SERVICE:
            self.table.pop(row.id, None)
        else:
            self.table[row.id] = row

    async def save(self, receipt) -> None:
        self.receipts.setdefault(receipt.revision, receipt)

    async def receipt(self, revision, now):
        found = self.receipts.get(revision)
        if (
            found is None
            or found.effective_at is None
            or found.effective_at + RECEIPT_RETENTION <= now
        ):
            return None
        return found
