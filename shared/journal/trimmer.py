"""The worker that trims a journal: it deletes rows that no consumer needs, oldest first.

Each consumer says again and again up to where it needs no row any more. The place up to which a
shard is trimmed is stored before a row of it is deleted, and told with the heads. So what is gone
is never taken for lost. One replica is elected; two at once do no harm.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared import metrics
from shared.clock import Clock
from shared.contracts.calls.journal import ConfirmedRows
from shared.contracts.facts import SHARDS
from shared.contracts.topology import consumers_of
from shared.elections import Election
from shared.journal.restores import Restores
from shared.journal.trim_rows import ShardSize, TrimRows
from shared.journal.trim_rules import (
    FRESH,
    Confirmation,
    RowAge,
    confirmed_place,
    former_epoch_is_over,
    trimmed_place,
)
from shared.mongo import DatabaseWatch

BATCH_SIZE = 200
"""The rows that are deleted at once."""
LONGEST_ROUND = FRESH / 2
"""The time after which a round trims no more: what the consumers said would become old."""
ROUNDS = 2
"""The rounds in a row in which a consumer must hold a journal up, before it is an alarm."""

NOT_SIGNED = "A shard is not trimmed: this service did not sign that it was trimmed before."

_log = logging.getLogger(__name__)


class Archive(Protocol):
    """Keeps what is needed of rows that are deleted."""

    async def keep(self, shard: int, *, after: int, until: int) -> int:
        """Keep it of the rows after a place; return the last row that may be deleted."""

    async def forget(self, shard: int, *, until: int, now: datetime) -> None:
        """Forget what is not needed any more of rows that were deleted up to a place."""


@dataclass(frozen=True, kw_only=True)
class ConsumerStatus:
    """How far a consumer needs no row any more, and what is kept for it beyond the retention."""

    name: str
    confirmed_at: datetime | None
    behind: int
    held_since: datetime | None
    missed: int


@dataclass(frozen=True, kw_only=True)
class JournalStatus:
    """The rows of a journal that are kept, and why."""

    source: str
    epoch: str
    rows: int
    oldest_at: datetime | None
    trimmed: int
    retention_days: float
    consumers: tuple[ConsumerStatus, ...]


class _Round:
    """What one look at the journal finds: the moment, the sizes, and what was said."""

    def __init__(
        self,
        source: str,
        epoch: str,
        sizes: Sequence[ShardSize],
        said: Mapping[str, Confirmation],
        *,
        now: datetime,
        retention: timedelta,
    ) -> None:
        self.epoch = epoch
        self.sizes = sizes
        self.said = {str(name): said.get(name) for name in consumers_of(source)}
        self.now = now
        self.before = now - retention
        self.kept = {size.shard: size.rows for size in sizes}
        self.oldest: dict[int, datetime] = {}
        self.held: dict[str, datetime] = {}
        """For each consumer the time of the oldest row beyond the retention that waits for it."""

    def places(self, size: ShardSize) -> dict[str, int]:
        """The last row of a shard that each consumer does not need any more."""
        return {
            name: confirmed_place(
                said, epoch=self.epoch, shard=size.shard, head=size.head, now=self.now
            )
            for name, said in self.said.items()
        }

    def look(self, size: ShardSize, first: RowAge) -> None:
        """Take the first row that stays in a shard."""
        self.oldest[size.shard] = first.occurred_at
        if first.occurred_at >= self.before:
            return
        for name, place in self.places(size).items():
            if place < first.seq:
                self.held[name] = min(self.held.get(name, first.occurred_at), first.occurred_at)


class Trimmer:
    """Deletes the rows of one journal that no consumer needs; `run` is a supervised loop."""

    def __init__(
        self,
        source: str,
        rows: TrimRows,
        restores: Restores,
        office: Election,
        clock: Clock,
        *,
        retention: timedelta,
        archive: Archive | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self._source = source
        self._rows = rows
        self._restores = restores
        self._office = office
        self._clock = clock
        self._retention = retention
        self._archive = archive
        self._batch_size = batch_size
        self._held: defaultdict[str, int] = defaultdict(int)
        """The rounds in a row in which each consumer has held the journal up."""

    async def confirm(self, consumer: str, rows: ConfirmedRows) -> None:
        """Take what a service says; only that of a consumer of this journal counts."""
        if consumer in consumers_of(self._source):
            await self._rows.confirm(consumer, rows, at=self._clock.now())

    async def run(self, *, pause: float) -> None:
        """Trim again and again, while this process is elected. Never ends."""
        watch = DatabaseWatch("The journal is not trimmed.", transactions=True, pause=pause)
        metrics.start_at_zero(metrics.TRIMMED_ROWS, [self._source])
        while True:
            await asyncio.sleep(pause)
            with watch.round():
                await self._restores.refresh()
                if await self._office.won():
                    await self.round()
                else:
                    _forget_shown(self._source)

    async def round(self) -> None:
        """Delete what no consumer needs any more, and show what is kept."""
        found = await self._found()
        for size in found.sizes:
            if not await self._office.won():
                return
            await self._trim(found, size)
        await self._trim_former(found)
        self._show(found)
        self._tell(found)

    async def status(self) -> JournalStatus:
        """What is kept, and for whom."""
        found = await self._found()
        for size in found.sizes:
            for first in await self._rows.ages(size.shard, after=size.trimmed, limit=1):
                found.look(size, first)
        places = [(size, found.places(size)) for size in found.sizes]
        return JournalStatus(
            source=self._source,
            epoch=found.epoch,
            rows=sum(size.rows for size in found.sizes),
            oldest_at=min(found.oldest.values(), default=None),
            trimmed=sum(size.trimmed for size in found.sizes),
            retention_days=self._retention / timedelta(days=1),
            consumers=tuple(
                ConsumerStatus(
                    name=name,
                    confirmed_at=None if said is None else said.at,
                    behind=sum(size.head - place[name] for size, place in places),
                    held_since=found.held.get(name),
                    missed=0 if said is None else said.missed,
                )
                for name, said in found.said.items()
            ),
        )

    async def _found(self) -> _Round:
        epoch, sizes = await self._rows.sizes()
        said = await self._rows.confirmations()
        now, retention = self._clock.now(), self._retention
        return _Round(self._source, epoch, sizes, said, now=now, retention=retention)

    async def _trim(self, found: _Round, size: ShardSize) -> None:
        """Delete rows of a shard, a batch at a time, and what an interrupted round has left."""
        if not size.believed:
            _log.error(NOT_SIGNED, extra={"source": self._source, "shard": size.shard})
            return
        limit = self._batch_size + 1
        rows = await self._rows.ages(size.shard, limit=limit)
        if rows and rows[0].seq <= size.trimmed:
            await self._delete(found, size.shard, size.trimmed)
            rows = await self._rows.ages(size.shard, after=size.trimmed, limit=limit)
        confirmed = min(found.places(size).values(), default=size.head)
        place = size.trimmed
        while self._clock.now() - found.now <= LONGEST_ROUND:
            until = trimmed_place(rows, after=place, confirmed=confirmed, before=found.before)
            if until > place and self._archive is not None:
                until = await self._archive.keep(size.shard, after=place, until=until)
            if until == place:
                break
            if not await self._rows.note_trimmed(found.epoch, size.shard, until):
                break
            await self._delete(found, size.shard, until)
            place = until
            found.kept[size.shard] = size.head - place
            rows = await self._rows.ages(size.shard, after=place, limit=limit)
        if rows:
            found.look(size, rows[0])
        if self._archive is not None:
            await self._archive.forget(size.shard, until=place, now=found.now)

    async def _delete(self, found: _Round, shard: int, place: int) -> None:
        deleted = await self._rows.delete(shard, place=place, before=found.before)
        metrics.TRIMMED_ROWS.labels(self._source).inc(deleted)

    async def _trim_former(self, found: _Round) -> None:
        """Delete the rows of former epochs that every consumer has left behind."""
        former = await self._restores.refresh()
        epochs = [stored["_id"] for stored in former]
        for stored in former:
            over = former_epoch_is_over(
                stored["_id"],
                epochs,
                found.said.values(),
                ended_at=stored["ended_at"],
                before=found.before,
                now=found.now,
            )
            if over and not stored.get("deleted"):
                deleted = await self._restores.trim(stored)
                metrics.TRIMMED_ROWS.labels(self._source).inc(deleted)
        await self._restores.refresh()

    def _show(self, found: _Round) -> None:
        for shard, rows in found.kept.items():
            metrics.JOURNAL_ROWS.labels(self._source, shard).set(rows)
            age = found.now - found.oldest.get(shard, found.now)
            metrics.JOURNAL_AGE.labels(self._source, shard).set(age.total_seconds())
        for name in found.said:
            since = found.held.get(name, found.now)
            held = metrics.JOURNAL_HELD.labels(self._source, name)
            held.set((found.now - since).total_seconds())

    def _tell(self, found: _Round) -> None:
        """Log once which consumer holds the journal up for longer than twice the retention."""
        for name in found.said:
            since = found.held.get(name, found.now)
            long = found.now - since > 2 * self._retention
            rounds = self._held[name] + 1 if long else 0
            if rounds == ROUNDS:
                told = {"consumer": name, "oldest": since.isoformat()}
                _log.error("A consumer holds the journal up. Its rows are kept.", extra=told)
            elif not rounds and self._held[name] >= ROUNDS:
                _log.info("A consumer holds the journal up no more.", extra={"consumer": name})
            self._held[name] = rounds


def _forget_shown(source: str) -> None:
    """Show nothing: the elected process does."""
    for shard in range(SHARDS):
        for metric in (metrics.JOURNAL_ROWS, metrics.JOURNAL_AGE):
            metric.labels(source, shard)
            metric.remove(source, shard)
    for name in consumers_of(source):
        metrics.JOURNAL_HELD.labels(source, name)
        metrics.JOURNAL_HELD.remove(source, name)
