"""Stores receipts after the answers of their writes."""

import asyncio
import logging
from typing import Any

from shared.leases.receipt import Receipt
from shared.leases.store import LeaseStore
from shared.mongo import DatabaseAway
from shared.outage_log import OutageLog

_log = logging.getLogger(__name__)


class ReceiptWriter:
    """Stores receipts in the background, and knows those that are not stored yet."""

    def __init__(self, store: LeaseStore[Any]) -> None:
        self._store = store
        self._outage = OutageLog(_log, "The database", effect="Receipts are not stored.")
        self._unsaved: dict[str, Receipt] = {}
        self._saving: set[asyncio.Task[None]] = set()

    def unsaved(self, revision: str) -> Receipt | None:
        """The receipt of a change, while it is being stored."""
        return self._unsaved.get(revision)

    def save_soon(self, receipt: Receipt) -> None:
        """Begin to store a receipt. One that cannot be stored is made anew when it is asked for."""
        self._unsaved[receipt.revision] = receipt
        saving = asyncio.create_task(self._save(receipt), name=f"receipt {receipt.revision}")
        self._saving.add(saving)
        saving.add_done_callback(self._saving.discard)

    async def close(self) -> None:
        """Return when nothing is being stored any more."""
        await asyncio.gather(*self._saving, return_exceptions=True)

    async def _save(self, receipt: Receipt) -> None:
        try:
            await self._store.save(receipt)
        except DatabaseAway as problem:
            self._outage.away(problem)
        else:
            self._outage.back()
        finally:
            self._unsaved.pop(receipt.revision, None)
