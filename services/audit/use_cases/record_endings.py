"""Delete the records whose retention is over.

One replica is elected. If two work at once, their transactions exclude each other. The end is
recorded first; what it names is deleted when that record is sealed and told in a checkpoint.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from services.audit.domain.retention import (
    DELETION_WAIT,
    Endings,
    EndSearch,
    Retention,
    ending_fact,
    tells_end,
)
from services.audit.domain.sealed_records import PLATFORM
from services.audit.store import Store
from shared import metrics
from shared.clock import Clock
from shared.contracts.facts import Position, service_caller, shard_of
from shared.contracts.topology import Service
from shared.elections import Election
from shared.journal import Journal, JournalWrite
from shared.mongo import AlreadyThere, DatabaseWatch, DbClient, DbSession, transact

ROUND_SECONDS = 3600.0
"""The pause between two rounds over all trees."""
LOOK_SECONDS = 4.0
"""The pause between two looks at the election, whose term is longer."""
TREES_OF_A_PAGE = 100
PAGE_RECORDS = 100
"""The records of one transaction, and of one question."""
MAX_ANNOUNCED = 50_000
"""The records that end together at most."""


class RecordKeeper:
    """Ends the records of all trees, each by the retention of its account."""

    def __init__(
        self,
        client: DbClient,
        store: Store,
        journal: Journal,
        clock: Clock,
        *,
        platform: Retention,
        page_records: int = PAGE_RECORDS,
    ) -> None:
        self._client = client
        self._store = store
        self._journal = journal
        self._clock = clock
        self._platform = platform
        self._page_records = page_records

    async def round(self) -> None:
        """Look at every tree: delete what was announced, and announce what has ended since."""
        after = ""
        while page := await self._store.trees_after(after, limit=TREES_OF_A_PAGE):
            for tree in page:
                await self.end(tree)
            after = page[-1]

    async def end(self, tree: str) -> None:
        """End the records of one tree. It may be broken off at each step, and is repeated."""
        try:
            endings = await self._store.endings(tree)
            retention = await self._store.retention(tree) or self._platform
            if retention.cutoff(self._clock.now()) is None:
                return
            if endings.pending:
                told_at = await self._told_at(endings)
                if told_at is None:
                    return
                endings = await self._delete(endings, retention, told_at=told_at)
            if not endings.pending:
                await self._announce(endings, retention)
        except AlreadyThere:
            return  # another process ends the records of this tree

    async def _told_at(self, endings: Endings) -> int | None:
        """The index of the record of the end, if a checkpoint has it and its wait is over."""
        place, at = endings.announcement, endings.announced_at
        if place is None or at is None or self._clock.now() < at + DELETION_WAIT:
            return None
        record = await self._store.record_at(place)
        if record is None or not tells_end(record, endings):
            return None
        seal = await self._store.seal(record.id)
        newest = await self._store.checkpoint(endings.tree)
        told = seal is not None and newest is not None and seal.index < newest.size
        return seal.index if seal is not None and told else None

    async def _delete(self, endings: Endings, retention: Retention, *, told_at: int) -> Endings:
        """Delete what was announced, a page in each transaction, while the retention allows it."""
        while endings.pending:
            until = min(endings.until + self._page_records, endings.announced)
            seals = await self._store.seals(
                endings.tree, first=endings.until, limit=until - endings.until
            )
            ids = [seal.event_id for seal in seals]
            found = await self._store.recorded(ids)
            cutoff = retention.cutoff(self._clock.now())
            if cutoff is None or any(each.recorded_at >= cutoff for each in found):
                return endings  # the retention has become longer
            happened = [each.occurred_at for each in found]
            last = max(filter(None, (endings.last, *happened)), default=None)
            after = replace(endings, until=until, last=last, told_at=told_at)
            await transact(self._client, partial(self._delete_page, endings, after, ids))
            metrics.RECORDS_ENDED.labels(Service.AUDIT).inc(len(found))
            endings = await self._store.endings(endings.tree)
        return endings

    async def _delete_page(
        self, before: Endings, after: Endings, event_ids: Sequence[str], session: DbSession
    ) -> None:
        await self._save(before, after, session)
        await self._store.delete_records(event_ids, session)

    async def _announce(self, endings: Endings, retention: Retention) -> None:
        """Record up to where the records of a tree have ended, if more have than before."""
        now = self._clock.now()
        cutoff, days = retention.cutoff(now), retention.in_force(now)
        if cutoff is None or days is None:
            return
        until = await self._ended(endings, cutoff)
        if until is None:
            return
        account_id = None if endings.tree == PLATFORM else endings.tree

        async def change(write: JournalWrite) -> None:
            place = Position(
                self._journal.source, self._journal.epoch, shard_of(endings.tree), write.rev
            )
            after = replace(endings, announced=until, announced_at=write.now, announcement=place)
            await self._save(endings, after, write.session)
            write.record(ending_fact(account_id, endings, until=until, days=days))

        await self._journal.write(
            endings.tree, change, caller=service_caller(Service.AUDIT), effective_everywhere=False
        )

    async def _save(self, before: Endings, after: Endings, session: DbSession) -> None:
        """Save how far the records have ended.

        Raises:
            AlreadyThere: another process was first; the transaction has ended.
        """
        if await self._store.endings(before.tree, session) != before:
            raise AlreadyThere(before.tree)
        await self._store.save_endings(before, after, session)

    async def _ended(self, endings: Endings, cutoff: datetime) -> int | None:
        """Up to which index the records have ended; `None` if no more than before."""
        search = EndSearch(cutoff)
        first = endings.announced
        while first < endings.announced + MAX_ANNOUNCED:
            seals = await self._store.seals(endings.tree, first=first, limit=self._page_records)
            recorded = await self._store.recorded([seal.event_id for seal in seals])
            found = {each.id: each for each in recorded}
            for seal in seals:
                if not search.goes_on(seal.index, found.get(seal.event_id)):
                    return search.found
            if not seals:
                break
            first += self._page_records
        return search.found


async def run_record_keeper(keeper: RecordKeeper, office: Election) -> None:
    """End records once an hour, while this process is elected. Never ends."""
    database = DatabaseWatch("Records whose retention is over are kept.", transactions=True)
    metrics.RECORDS_ENDED.labels(Service.AUDIT)
    begun: float | None = None
    while True:
        with database.round():
            now = time.monotonic()
            if await office.won() and (begun is None or now - begun >= ROUND_SECONDS):
                await keeper.round()
                begun = now
        await asyncio.sleep(LOOK_SECONDS)
