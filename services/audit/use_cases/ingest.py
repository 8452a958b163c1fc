"""Record each row once, several rows per transaction.

A transaction costs more than a record. So a row waits a moment for as many others as were recorded
together before it. A row that comes alone waits for none, and so do rows that follow each other.
Where rows come faster than one transaction after the other records them, full ones run side by
side: one is made while the database works at another. The bus hands over the rows of those, and as
many as are verified meanwhile.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from services.audit.domain.erased_people import PersonMarks
from services.audit.domain.records import digest, erasure_of, known_user_of, record_of
from services.audit.domain.usage_sums import sums_of
from services.audit.store import Store
from services.audit.use_cases.erased_people import Erasing
from shared.clock import Clock
from shared.contracts.facts import Row
from shared.inbox import AWAY, AlreadyApplied, AppliedMark
from shared.mongo import AlreadyThere, DbClient, DbSession, transact
from shared.problems import Unavailable

GATHER_SECONDS = 0.05
"""The longest wait of a row for others."""
QUIET_SECONDS = 0.02
"""So long after the last row no other one is waited for."""
ROWS_AT_ONCE = 64
"""The most rows of one transaction."""
CLOSE_SECONDS = 5.0
"""The longest wait for transactions that run when the service stops."""
TRANSACTIONS = 2
"""The most transactions side by side."""
ROWS_IN_HAND = (TRANSACTIONS + 1) * ROWS_AT_ONCE
"""The rows that the bus hands over at once: some are verified while others are saved."""

logger = logging.getLogger(__name__)


class Ingest:
    """Writes rows as records; rows that arrive during a commit share the next transaction."""

    def __init__(
        self,
        client: DbClient,
        store: Store,
        clock: Clock,
        *,
        marks: PersonMarks,
        gather_seconds: float = GATHER_SECONDS,
        quiet_seconds: float = QUIET_SECONDS,
        rows_at_once: int = ROWS_AT_ONCE,
        transactions: int = TRANSACTIONS,
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._erasing = Erasing(client, store, marks)
        self._gather_seconds = gather_seconds
        self._quiet_seconds = quiet_seconds
        self._rows_at_once = rows_at_once
        self._waiting: list[_WaitingRow] = []
        self._expected = 1
        """The number of rows that were recorded together last."""
        self._arrived = asyncio.Event()
        self._transactions = transactions
        self._running: set[asyncio.Task[None]] = set()
        self._gathering = False
        self._closing = False

    async def close(self, *, seconds: float = CLOSE_SECONDS) -> None:
        """Let the transactions that run end: after this the database is not used any more.

        The bus delivers again what was not recorded.
        """
        self._closing = True
        running = {*self._running}
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        for waiting in self._waiting:
            waiting.finish(Unavailable())
        self._waiting.clear()

    async def add(self, row: Row, applied_mark: AppliedMark) -> None:
        """Record a row; return when a majority has committed it.

        Raises:
            AlreadyApplied: the row was recorded before. If another row was recorded under its id,
                this one is kept as an equivocation and an error is logged.
            Unavailable: the database was away.
            Exception: the error that this row causes; the rows that waited with it are recorded.
        """
        user = known_user_of(row)
        if user is not None:
            await self._store.remember_user(user)
        erased = erasure_of(row)
        if erased is not None:
            await self._erasing.note(erased, row, now=self._clock.now())
        if self._closing:
            raise Unavailable
        waiting = _WaitingRow(row=row, applied_mark=applied_mark)
        self._waiting.append(waiting)
        self._arrived.set()
        self._begin()
        await waiting.done.wait()
        if waiting.problem is not None:
            raise waiting.problem

    async def save_within(self, row: Row, applied_mark: AppliedMark, session: DbSession) -> None:
        """Record a row in the transaction of what follows from it.

        Raises:
            AlreadyApplied, AlreadyThere: it was recorded before; the transaction has ended.
        """
        await self._save_all([_WaitingRow(row=row, applied_mark=applied_mark)], session)

    def _begin(self) -> None:
        """Begin a transaction of the rows that wait, unless one is about to take them.

        Beside another one only a full one begins: rows that come slowly share the next.
        """
        full = len(self._waiting) >= self._rows_at_once
        most = self._transactions if full else 1
        if (
            self._waiting
            and not self._gathering
            and len(self._running) < most
            and not self._closing
        ):
            self._gathering = True
            task = asyncio.create_task(self._record(), name="record rows")
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            self._begin()

    async def _record(self) -> None:
        try:
            await self._gather()
            batch = self._waiting[: self._rows_at_once]
            del self._waiting[: self._rows_at_once]
            self._expected = len(batch)
        finally:
            self._gathering = False
        self._begin()
        await self._save(batch)

    async def _gather(self) -> None:
        """Wait until as many rows have arrived as were recorded together last, or no more come."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._gather_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(end) as waiting:
                while len(self._waiting) < self._expected:
                    self._arrived.clear()
                    waiting.reschedule(min(end, loop.time() + self._quiet_seconds))
                    await self._arrived.wait()

    async def _save(self, batch: "list[_WaitingRow]") -> None:
        try:
            await self._write(batch)
        except AWAY:
            return
        except Exception:  # noqa: BLE001 - the row that causes it is found one by one
            # One row is a double or cannot be stored, and a transaction is all or nothing.
            for waiting in batch:
                await self._save_one(waiting)
        else:
            await self._tell(batch)
        finally:
            for waiting in batch:
                if not waiting.done.is_set():
                    waiting.finish(Unavailable())

    async def _save_one(self, waiting: "_WaitingRow") -> None:
        try:
            await self._write([waiting])
            waiting.finish()
        except AlreadyApplied as double:
            await self._check_equivocation(waiting.row)
            waiting.finish(double)
        except AlreadyThere:
            # Recorded, but from another position of a journal: this position is applied as well.
            await self._check_equivocation(waiting.row)
            await transact(self._client, waiting.applied_mark)
            waiting.finish()
        except AWAY:
            waiting.finish(Unavailable())
        except Exception as problem:  # noqa: BLE001 - it is raised in the `add` of this row
            waiting.finish(problem)

    async def _write(self, batch: "list[_WaitingRow]") -> None:
        await transact(self._client, partial(self._save_all, batch))

    async def _tell(self, batch: "list[_WaitingRow]") -> None:
        """Begin the next transaction, then tell that the rows of this one are recorded.

        For each of them the bus hands over another row, whose signature is verified. What the
        database answers to other transactions comes between two of them, not after them all.
        """
        self._ended(cast("asyncio.Task[None]", asyncio.current_task()))
        for waiting in batch:
            await asyncio.sleep(0)
            waiting.finish()

    async def _save_all(self, batch: "list[_WaitingRow]", session: DbSession) -> None:
        now = self._clock.now()
        records = [record_of(waiting.row, recorded_at=now) for waiting in batch]
        sums = sums_of((one.row, record) for one, record in zip(batch, records, strict=True))
        await batch[0].applied_mark.save_with(
            [waiting.applied_mark for waiting in batch[1:]], session
        )
        kept = await self._erasing.erased(records, session, now=now)
        await self._store.add(kept, session)
        await self._store.add_usage(sums, session=session)

    async def _check_equivocation(self, row: Row) -> None:
        recorded, received = await self._store.digest(row.id), digest(row)
        if not recorded or recorded == received:
            return  # of a record with erased values the digest is not known any more
        await self._store.add_equivocation(
            row.id, received, row.to_event().decode(), now=self._clock.now()
        )
        logger.error(
            "equivocation: two different rows have the same event id",
            extra={"event_id": row.id, "recorded": recorded, "received": received},
        )


@dataclass
class _WaitingRow:
    row: Row
    applied_mark: AppliedMark
    done: asyncio.Event = field(default_factory=asyncio.Event)
    problem: Exception | None = None

    def finish(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.done.set()
