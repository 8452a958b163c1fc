"""Leases of one source: granting them, and waiting for a change to be effective."""

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import context
from shared.clock import Clock
from shared.contracts.facts import Position, format_revision, parse_revision
from shared.leases.alarm import Alarm, Bell
from shared.leases.barrier import Barrier, LeaseId, LeaseRow, Report
from shared.leases.granted import Granted
from shared.leases.receipt import RECEIPT_RETENTION, Receipt
from shared.leases.receipt_writer import ReceiptWriter
from shared.leases.store import LeaseStore
from shared.leases.sweeper import Sweeper
from shared.metrics import BARRIER_SECONDS
from shared.mongo import DatabaseAway
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

_log = logging.getLogger(__name__)

POLL_SECONDS = (0.005, 0.01, 0.02)
"""The first pauses between two looks at the lease rows."""
LONGEST_POLL_SECONDS = 0.05
SWEEP_SECONDS = 1.0
"""The pause between two looks for rows of dead lives."""


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    barrier: Barrier
    committed_at: float
    alarm: Alarm


class Leases:
    """The leases that one source gives to the replicas of authz.

    A longer `ttl` (1 to `MAX_TTL_SECONDS` seconds) lets checks survive a longer outage of the
    database. A change waits longer, once, for a dead replica.
    """

    def __init__(
        self,
        store: LeaseStore[Any],
        *,
        clock: Clock,
        ttl: float,
        alarm: Callable[[], Alarm] = Bell,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ttl = ttl
        self._alarm = alarm
        self._timeouts = timeouts
        self._reported: dict[LeaseId, LeaseRow] = {}
        self._sweeper = Sweeper(store, clock=clock)
        # A dictionary keeps the order, which a simulation with a seed relies on.
        self._open: dict[_Open, None] = {}
        self._running: dict[tuple[str, str], asyncio.Task[Receipt]] = {}
        """By revision and digest: a database that is set back uses its revisions again."""
        self._receipts = ReceiptWriter(store)

    async def grant(
        self, lease: LeaseId, report: Report, *, asked: int, held: float = 0.0
    ) -> Granted:
        """Renew the lease of one life of a replica.

        `asked` numbers the requests of one life. `held` is how long an earlier grant may still last
        there, in seconds: if `ttl` was lowered since, a change must wait for the longer of the two.

        The heads are read only after a majority has the row. In the other order a change could be
        in neither: not in the heads, and its barrier would not see the row.

        Raises:
            LifeEnded: this life gave its lease back.
        """
        row = self._row(lease, report, asked=asked, held=held)
        async with self._store.session() as session:
            await self._store.put(row, session)
            now = await self._store.heads(session)
        self._hear(row)
        return Granted(epoch=now.epoch, heads=now.seqs, digests=now.digests, ttl=self._ttl)

    async def applied(self, lease: LeaseId, report: Report) -> None:
        """Take what a replica has applied: at once for this process, by the row for the others."""
        row = self._row(lease, report, asked=0)
        self._hear(row)
        await self._store.report(row)

    async def end(self, lease: LeaseId) -> None:
        """End the lease of a life that has stopped answering; it gets no other one."""
        self._reported.pop(lease, None)
        nothing = self._row(lease, Report(epoch=None, applied={}, digests={}), asked=0)
        await self._store.release(replace(nothing, ttl=0.0, released=True))

    async def sweep(self) -> None:
        """Remove the rows of dead lives, so that no later change waits for them. Never ends."""
        while True:
            with contextlib.suppress(DatabaseAway):
                there = await self._sweeper.look()
                for lease in self._reported.keys() - there:
                    del self._reported[lease]
            await asyncio.sleep(SWEEP_SECONDS)

    async def barrier(
        self,
        position: Position,
        *,
        digest: str,
        committed_at: float,
        after: Any = None,
        seconds: float | None = None,
        concerned: frozenset[int] | None = None,
    ) -> Receipt:
        """Wait until the change is effective everywhere, at most `seconds` (`Timeouts.barrier`).

        `position` and `digest` are those of the change's last row. `committed_at` is this process's
        boottime when the commit had returned, `after` the session that committed. The waiting
        goes on in the background. Nothing waits for the storing of the receipt. The change is
        about accounts of the shards `concerned`; `None`: of all.

        Returns:
            The receipt. It is not `effective` when the time was over or the waiting failed. The
            change is committed all the same, and a later request for the receipt waits again.
        """
        revision = format_revision(position)
        key = revision, digest
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(
                self.follow(
                    position, concerned, digest=digest, committed_at=committed_at, after=after
                ),
                name=f"barrier {revision}",
            )
            self._running[key] = task
            task.add_done_callback(lambda ended: self._over(key, ended))
        await asyncio.wait({task}, timeout=self._timeouts.barrier if seconds is None else seconds)
        if task.done() and (task.cancelled() or task.exception() is None):
            return task.result()
        return Receipt(revision=revision)

    async def follow(
        self,
        position: Position,
        concerned: frozenset[int] | None = None,
        *,
        digest: str,
        committed_at: float,
        after: Any,
    ) -> Receipt:
        """Wait as long as it takes."""
        barrier = Barrier(position.epoch, position.shard, position.seq, digest, concerned)
        opened = _Open(barrier, committed_at, self._alarm())
        self._open[opened] = None
        try:
            await self._wait(opened, after)
        finally:
            self._open.pop(opened, None)
        BARRIER_SECONDS.labels(str(context.service.get())).observe(self._elapsed(opened))
        return Receipt(
            revision=format_revision(position),
            effective_at=self._clock.now(),
            replicas=tuple(barrier.settled),
        )

    async def receipt(
        self, revision: str, *, occurred_at: datetime, seconds: float | None = None
    ) -> Receipt | None:
        """The receipt of a change, or `None` when this journal has no such change.

        A change whose process died before its receipt was stored is waited for now. That receipt
        has the present as its date, and the replicas had the change by then at the latest. A change
        that is older than the retention of receipts has none, and gets no new one.
        """
        # Asked before the read, too: what ends in between is stored and not here any more.
        running, unsaved = self._waits_for(revision), self._receipts.unsaved(revision)
        stored = await self._store.receipt(revision, self._clock.now())
        if known := stored or self._receipts.unsaved(revision) or unsaved:
            return known
        if running or self._waits_for(revision):
            return Receipt(revision=revision)
        return await self._new_receipt(revision, occurred_at, seconds)

    async def _new_receipt(
        self, revision: str, occurred_at: datetime, seconds: float | None
    ) -> Receipt | None:
        if occurred_at + RECEIPT_RETENTION <= self._clock.now():
            return None
        try:
            position = parse_revision(revision)
        except ValueError:
            return None
        async with self._store.session() as session:
            heads = await self._store.heads(session)
            found = await self._store.digests_at(position.shard, {position.seq}, session)
            now = self._clock.boottime()
        if position.epoch != heads.epoch or position.seq not in found:
            return None
        age = max(0.0, (self._clock.now() - occurred_at).total_seconds())
        digest, committed_at = found[position.seq], now - age
        return await self.barrier(
            position, digest=digest, committed_at=committed_at, after=session, seconds=seconds
        )

    async def close(self) -> None:
        """Stop waiting, and store what is there. A change without a receipt gets one when asked."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._receipts.close()

    def _waits_for(self, revision: str) -> bool:
        return any(running == revision for running, _ in self._running)

    def _over(self, key: tuple[str, str], task: asyncio.Task[Receipt]) -> None:
        """Store the receipt of a wait that has ended. It is never in neither of the two places."""
        del self._running[key]
        if task.cancelled():
            return
        if (problem := task.exception()) is not None:
            _log.error("waiting for %s failed: %s", key[0], problem, exc_info=problem)
            return
        self._receipts.save_soon(task.result())

    async def _wait(self, opened: _Open, after: Any) -> None:
        barrier = opened.barrier
        pauses = itertools.chain(POLL_SECONDS, itertools.repeat(LONGEST_POLL_SECONDS))
        while not await self._look(opened, after, barrier.start):
            await opened.alarm.wait(LONGEST_POLL_SECONDS)
        for row in self._reported.values():
            self._report(opened, row)
        while not barrier.done:
            await opened.alarm.wait(next(pauses))
            for silent in barrier.expire(self._elapsed(opened)):
                await self._remove(silent)
            if not barrier.done:
                await self._look(opened, after, barrier.see)

    async def _look(
        self, opened: _Open, after: Any, take: Callable[[list[LeaseRow], float], None]
    ) -> bool:
        """Hand the lease rows to `take`, and read the journal where replicas are ahead.

        Returns:
            False while the database is away.
        """
        barrier, looked = opened.barrier, False
        with contextlib.suppress(DatabaseAway):
            async with self._store.session(after) as session:
                rows = await self._store.live_rows(session)
                take(rows, self._elapsed(opened))
                looked = True
                if barrier.ahead:
                    digests = await self._store.digests_at(barrier.shard, barrier.ahead, session)
                    barrier.learn(digests, self._elapsed(opened))
        return looked

    async def _remove(self, row: LeaseRow) -> None:
        self._reported.pop(row.id, None)
        with contextlib.suppress(DatabaseAway):
            await self._store.remove(row)

    def _row(self, lease: LeaseId, report: Report, *, asked: int, held: float = 0.0) -> LeaseRow:
        return LeaseRow(
            id=lease,
            asked=asked,
            renewal=secrets.token_hex(8),
            ttl=max(self._ttl, held),
            epoch=report.epoch,
            applied=report.applied,
            digests=report.digests,
            shards=report.shards,
        )

    def _hear(self, row: LeaseRow) -> None:
        self._reported[row.id] = row
        for opened in self._open:
            self._report(opened, row)

    def _report(self, opened: _Open, row: LeaseRow) -> None:
        elapsed = self._elapsed(opened)
        opened.barrier.hear(row, elapsed)
        if opened.barrier.done or opened.barrier.ahead:
            opened.alarm.ring()

    def _elapsed(self, opened: _Open) -> float:
        return self._clock.boottime() - opened.committed_at
