"""The sums of usage as readers see them, and the work that keeps reading them cheap."""

import asyncio
import random
from collections.abc import Sequence

from services.audit.domain.usage_sums import UsageGroup, UsageRow
from services.audit.store import Store
from shared.mongo import DatabaseWatch, DbClient, DbSession, transact

FOLD_SECONDS = 5.0
"""The pause between two rounds. A reader adds up what was recorded in it."""
DOCUMENTS_AT_ONCE = 100
SUMS_AT_ONCE = 500
"""The most that one transaction folds, or little more: it may not be open for long."""


class UsageLedger:
    """Reads usage, and folds what transactions of records have added into the sums.

    Any number of processes may fold: a transaction deletes what it adds, so nothing is added twice.
    """

    def __init__(
        self,
        client: DbClient,
        store: Store,
        *,
        documents_at_once: int = DOCUMENTS_AT_ONCE,
        sums_at_once: int = SUMS_AT_ONCE,
    ) -> None:
        self._client = client
        self._store = store
        self._documents_at_once = documents_at_once
        self._sums_at_once = sums_at_once

    async def fold(self) -> None:
        """Fold all that is not folded.

        Raises:
            Unavailable: the database was away, or another process folds for long.
        """
        while await transact(self._client, self._fold):
            continue

    async def _fold(self, session: DbSession) -> bool:
        return await self._store.fold_usage(
            limit=self._documents_at_once, most_sums=self._sums_at_once, session=session
        )

    async def rows(
        self,
        account_id: str,
        groups: Sequence[UsageGroup],
        *,
        first_day: str,
        last_day: str,
        after: Sequence[str] | None,
        limit: int,
    ) -> list[UsageRow]:
        """The usage of an account by these groups, in their order; `after` is the last one seen.

        All of it is read in one snapshot: what is folded meanwhile counts once.

        Raises:
            Unavailable: the database was away.
        """

        async def read(session: DbSession) -> list[UsageRow]:
            return await self._store.usage(
                account_id,
                groups,
                first_day=first_day,
                last_day=last_day,
                after=after,
                limit=limit,
                session=session,
            )

        return await transact(self._client, read)


async def run_usage_folder(ledger: UsageLedger) -> None:
    """Fold every few seconds. Never ends."""
    database = DatabaseWatch("Sums of usage are not folded.", transactions=True)
    while True:
        await asyncio.sleep(FOLD_SECONDS * random.uniform(0.8, 1.2))
        with database.round():
            await ledger.fold()
