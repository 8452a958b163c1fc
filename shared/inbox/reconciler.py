"""The reconciler: it compares with each source's heads and fetches the rows that are missing.

The bus makes a fact arrive soon; the reconciler makes it arrive for certain. It heals a source that
fell silent, a deleted queue and a lost message.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from shared import context, metrics
from shared.auth.row_signatures import SignedRow
from shared.clock import Clock
from shared.contracts.calls.journal import CHANGES, HEADS, ChangesQuery
from shared.contracts.facts import Position
from shared.http.client import InternalClient
from shared.inbox.dead_facts import COLLECTION, dead_fact
from shared.inbox.marks import Marks
from shared.inbox.missed_rows import pass_trimmed
from shared.inbox.progress import Progress
from shared.inbox.retention import MarkRetention
from shared.inbox.told_heads import ToldHeads
from shared.mongo import (
    AlreadyThere,
    Database,
    DatabaseAway,
    DatabaseWatch,
    DbClient,
    DbSession,
    majority,
    transact,
)
from shared.outage_log import OutageLog
from shared.problems import Unavailable
from shared.row_verifier import Channel, Fault, RowRefused, RowVerifier

RECONCILE_SECONDS = 5.0
"""The pause between two comparisons with the heads of the sources."""
RECONCILE_AGAIN_SECONDS = 1.0
"""The pause while a source does not answer, or rows were left to the bus."""
FAILURE_PAUSE_SECONDS = 0.5
"""The pause before a comparison that follows a failure: its cause needs a moment to pass."""
STARTING_SECONDS = 30.0
"""The time after its start in which an absent source is not logged: services start in any order."""
BUS_HEAD_START = timedelta(seconds=1)
"""The age from which the reconciler fetches a row; a younger one is left to the bus."""
COMPLETENESS_LAG = timedelta(seconds=10)
"""The longest time after which a fact appears: its transaction is open for five seconds at most,
and the clocks of two machines differ."""
PAGE_SIZE = 200
"""The number of rows of one fetch."""
MAX_ATTEMPTS = 6
"""The number of failures after which a row is put aside."""

AWAY: tuple[type[Exception], ...] = (Unavailable, DatabaseAway)
"""Not the fault of a fact: it waits until the database or the other service is back."""

_log = logging.getLogger(__name__)


class Reconciler:
    """Knows how far a service has applied each shard of its sources, and completes it."""

    def __init__(
        self,
        client: DbClient,
        database: Database,
        *,
        sources: Sequence[str],
        marks: Marks,
        internal: InternalClient,
        verifier: RowVerifier,
        apply: Callable[[SignedRow, Channel], Awaitable[None]],
        clock: Clock,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._client = client
        self._marks = marks
        self._progress = Progress(database)
        self._dead = majority(database, COLLECTION)
        self._sources = tuple(sources)
        self._internal = internal
        self._verifier = verifier
        self._apply = apply
        self._clock = clock
        self._page_size = page_size
        self.covers = self._progress.covers
        self._complete_until: dict[str, datetime] = {}
        self._failures: dict[Position, int] = {}
        self._told = ToldHeads(clock)
        self._left_to_bus: set[str] = set()
        """The sources with rows that the bus may still bring."""
        self._retention = MarkRetention(marks, clock)
        self._wake = asyncio.Event()
        self._watch = DatabaseWatch("Facts wait in the journals of their sources.")
        self._outages = {
            source: OutageLog(
                _log,
                source,
                effect="Its facts wait in its journal and are fetched later.",
                seconds_now=clock.boottime,
            )
            for source in sources
        }

    async def load(self) -> None:
        """Read how far this service is."""
        await self._progress.load()

    async def follows(self, position: Position) -> bool:
        """Return whether the row is of the epoch that its source has told last.

        Raises:
            Unavailable: the source has never told one, and does not answer.
        """
        if self._progress.epoch(position.source) is None:
            answer = await self._internal.call(HEADS, position.source)
            if not answer.former and self._progress.epoch(position.source) is None:
                self._progress.begin(position.source, answer.epoch)
        return position.epoch == self._progress.epoch(position.source)

    async def in_force(self, position: Position) -> bool:
        """Return whether the row is of the epoch that is followed, or of a history before it."""
        return await self.follows(position) or self._progress.kept(position)

    def wake(self) -> None:
        """Compare soon: something was missed."""
        self._wake.set()

    @property
    def complete_until(self) -> datetime | None:
        """Every fact from before this moment is applied; `None` while that is not known."""
        if len(self._complete_until) < len(self._sources):
            return None
        return min(self._complete_until.values())

    def applied(self) -> dict[str, tuple[str, dict[int, int]]]:
        """The epoch of each source, and the last row of each shard up to which all is applied."""
        return self._progress.applied()

    async def run(self) -> None:
        """Reconcile every few seconds, and soon when something was missed. Never ends."""
        away: set[str] = set()
        opened_at = self._clock.boottime()
        while True:
            for source in self._sources:
                was_away = source in away
                away.add(source)
                try:
                    with self._watch.round():
                        await self.reconcile(source)
                        away.discard(source)
                        self._outages[source].back()
                except Unavailable as problem:
                    starting = self._clock.boottime() - opened_at < STARTING_SECONDS
                    if was_away and not starting:
                        self._outages[source].away(problem)
            metrics.show_inbox_lag(context.service.get(), self.complete_until, self._clock.now())
            pause = RECONCILE_AGAIN_SECONDS if away or self._left_to_bus else RECONCILE_SECONDS
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):
                    await self._wake.wait()
                await asyncio.sleep(FAILURE_PAUSE_SECONDS)
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def reconcile(self, source: str) -> None:
        """Compare with the source's heads, fetch and apply what is missing, save the progress."""
        asked_at, at = self._clock.now(), self._clock.boottime()
        self._left_to_bus.discard(source)
        answer = await self._internal.call(HEADS, source)
        epoch, heads = answer.epoch, answer.heads
        self._progress.told(source, answer)
        await self._marks.save_noted()
        if not await self._follow(source, epoch):
            return
        await pass_trimmed(self._progress, self._marks, self._verifier, source, answer)
        applied_until = self._progress.contiguous
        behind = [shard for shard, head in heads.items() if head > applied_until[source, shard]]
        incomplete = [
            shard for shard in behind if not await self._fill(source, epoch, shard, heads[shard])
        ]
        if behind:
            await self._progress.save(source, heads)
            applied = {shard: applied_until[source, shard] for shard in behind}
            await self._retention.covered(source, epoch, applied, asked_at)
        if not incomplete:
            self._complete_until[source] = asked_at - COMPLETENESS_LAG
        elif (reached := self._told.reached(source, applied_until)) is not None:
            self._complete_until[source] = reached - COMPLETENESS_LAG
        self._told.note(source, heads, asked_at=asked_at, at=at)

    async def _follow(self, source: str, epoch: str) -> bool:
        """Follow the epoch, after all that a restored source has of those before it is applied."""
        if self._progress.epoch(source) == epoch:
            return True
        for each in self._progress.unfinished(source):
            self._progress.begin(source, each.epoch)
            await pass_trimmed(self._progress, self._marks, self._verifier, source, each)
            heads = each.heads.items()
            filled = [await self._fill(source, each.epoch, *head) for head in heads]
            if not all(filled) and not self._progress.gives_up(source, each.epoch):
                return False
            self._progress.tell_lost(source, each)
        self._progress.begin(source, epoch)
        self._told.forget(source)
        return True

    async def _fill(self, source: str, epoch: str, shard: int, head: int) -> bool:
        """Apply what is missing up to `head`; tell whether all of it is applied now."""
        applied = self._progress.contiguous[source, shard]
        while applied < head:
            end = min(applied + self._page_size, head)
            first = Position(source, epoch, shard, applied + 1)
            marks = self._marks.saved_between(first, end)
            if self._lacks(marks, first, end):
                marks = await self._marks.between(first, end)
            marked = set(marks)
            if self._lacks(marks, first, end):
                marked |= await self._fetch(first, end, marks)
            while applied + 1 in marked:
                applied += 1
            self._progress.contiguous[source, shard] = applied
            self._marks.forget_saved(first, applied)
            if applied < end:
                return False
        return True

    def _lacks(self, marks: Collection[int], first: Position, end: int) -> bool:
        """Return whether a row from `first` to `end` has no mark, and is not left to the bus."""
        seq = next((seq for seq in range(first.seq, end + 1) if seq not in marks), None)
        if seq is None:
            return False
        if self._told.may_be_on_its_way(first._replace(seq=seq)):
            self._left_to_bus.add(first.source)
            return False
        return True

    async def _fetch(self, first: Position, end: int, marks: Mapping[int, str | None]) -> set[int]:
        """Fetch the rows from `first` to `end` and apply the missing ones; those now applied.

        A row that is not what the source signed ends the page; it is asked for again later.
        """
        epoch = first.epoch if self._progress.kept(first) else None
        limit = end - first.seq + 1
        query = ChangesQuery(shard=first.shard, after=first.seq - 1, limit=limit, epoch=epoch)
        page = await self._internal.call(CHANGES, first.source, query)
        if page.epoch != first.epoch:
            return set()
        applied, recent = set[int](), self._clock.now() - BUS_HEAD_START
        with contextlib.suppress(RowRefused):
            for signed in self._verifier.page(page, query, source=first.source):
                row = signed.row
                if row.seq in marks:
                    if marks[row.seq] not in {None, signed.digest}:
                        self._verifier.refuse(row.source, Channel.FETCH, Fault.FORK)
                    continue
                if row.occurred_at > recent:
                    self._left_to_bus.add(row.source)
                    continue
                if await self._apply_or_put_aside(signed):
                    applied.add(row.seq)
        return applied

    async def _apply_or_put_aside(self, signed: SignedRow) -> bool:
        """Apply a fetched row; put aside one that keeps failing, and the others go on."""
        row = signed.row
        try:
            await self._apply(signed, Channel.FETCH)
        except AWAY:
            raise
        except Exception as problem:  # noqa: BLE001 - a fault of any kind must not stop the shard
            failures = self._failures.get(row.position, 0) + 1
            self._failures[row.position] = failures
            _log.exception("cannot apply %s (attempt %d)", row.id, failures)
            if failures < MAX_ATTEMPTS:
                return False
            await self.put_aside(signed, problem)
        self._failures.pop(row.position, None)
        return True

    async def put_aside(self, signed: SignedRow, problem: Exception) -> None:
        """Keep a row in `inbox_dead` for a person, and mark it."""
        row = signed.row
        dead_id, kept = dead_fact(signed, problem)

        async def change(session: DbSession) -> None:
            stored = {"$set": kept}
            await self._dead.update_one({"_id": dead_id}, stored, upsert=True, session=session)
            await self._marks.insert(row.position, signed.digest, self._clock.now(), session)

        with contextlib.suppress(AlreadyThere):  # another replica put it aside
            await transact(self._client, change)
        metrics.PUT_ASIDE.labels(context.service.get(), row.source).inc()
