"""How does a row become a record exactly once, and who reads the log?"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.audit.domain import (
    Filters,
    Record,
    digest,
    person_of,
    record_of,
)
from services.audit.store import Records
from shared.clock import Clock
from shared.contracts.audit import SearchPerformed
from shared.contracts.facts import Caller, Fact, ResourceRef, Row
from shared.inbox import AWAY, AlreadyApplied, AppliedMark
from shared.journal import Journal, JournalWrite
from shared.mongo import AlreadyThere, DbClient, DbSession, transact
from shared.problems import NotFound, Unavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a search."""

    records: tuple[Record, ...]
    next_after: str | None
    """The `order` of the last record, when there are more."""
    complete_until: datetime | None
    """Everything that happened before this moment is in the log; `None`: not known yet."""


class Ingest:
    """Writes rows as records: those that wait while a transaction commits go into the next one."""

    def __init__(self, client: DbClient, records: Records, clock: Clock) -> None:
        self._client = client
        self._records = records
        self._clock = clock
        self._waiting: list[_Entry] = []
        self._turn = asyncio.Lock()

    async def add(self, row: Row, applied_mark: AppliedMark) -> None:
        """Record a row; returns when that is committed by a majority.

        Raises:
            AlreadyApplied: it was recorded before. Told of one id in two ways, the second row is
                kept aside and an alarm is logged.
            Unavailable: the database was away.
            Exception: whatever is wrong with this row; those that waited with it are recorded.
        """
        person = person_of(row)
        if person is not None:
            await self._records.call(person)
        entry = _Entry(row=row, applied_mark=applied_mark)
        self._waiting.append(entry)
        async with self._turn:
            if not entry.done:
                batch, self._waiting = self._waiting, []
                await self._save(batch)
        if entry.problem is not None:
            raise entry.problem

    async def _save(self, batch: "list[_Entry]") -> None:
        try:
            await self._write(batch)
        except AWAY:
            return
        except Exception:  # noqa: BLE001 - whose it is shows when each stands alone
            # One of them is a double, or cannot be kept, and a transaction is all or nothing.
            for entry in batch:
                await self._save_one(entry)
        finally:
            for entry in batch:
                if not entry.done:
                    entry.finish(Unavailable())

    async def _save_one(self, entry: "_Entry") -> None:
        try:
            await self._write([entry])
        except AlreadyApplied as double:
            await self._compare(entry.row)
            entry.finish(double)
        except AlreadyThere:
            # Recorded, but from another place in a journal: this place is seen as well now.
            await self._compare(entry.row)
            await transact(self._client, entry.applied_mark)
            entry.finish()
        except AWAY:
            entry.finish(Unavailable())
        except Exception as problem:  # noqa: BLE001 - it is raised to whoever brought this row
            entry.finish(problem)

    async def _write(self, batch: "list[_Entry]") -> None:
        now = self._clock.now()
        records = [record_of(entry.row, recorded_at=now) for entry in batch]

        async def work(session: DbSession) -> None:
            for entry in batch:
                await entry.applied_mark(session)
            await self._records.add(records, session)

        await transact(self._client, work)
        for entry in batch:
            entry.finish()

    async def _compare(self, row: Row) -> None:
        recorded, told = await self._records.digest(row.id), digest(row)
        if recorded is None or recorded == told:
            return
        await self._records.keep_aside(row.id, told, row.to_event().decode(), now=self._clock.now())
        logger.error(
            "equivocation: two rows claim one event id",
            extra={"event_id": row.id, "recorded": recorded, "told": told},
        )


@dataclass
class _Entry:
    row: Row
    applied_mark: AppliedMark
    done: bool = False
    problem: Exception | None = None

    def finish(self, problem: Exception | None = None) -> None:
        self.done, self.problem = True, problem


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What the use cases work with."""

    records: Records
    ingest: Ingest
    journal: Journal
    clock: Clock
    complete_until: Callable[[], datetime | None]
    noted: dict[tuple[str, str], int] = field(default_factory=dict)
    """The minute in which a reader of an account was last noted by this process."""


async def search(
    ctx: Audit, caller: Caller, account_id: str, filters: Filters, *, after: str | None, limit: int
) -> Page:
    """Return a page of an account's log, newest first, and record the reading itself.

    The page begins after the record whose `order` is `after`.
    """
    # Asked before the records are read: what comes in meanwhile is not promised.
    complete_until = ctx.complete_until()
    await _note(ctx, caller, account_id, asked=filters)
    actors = await _actors(ctx, filters.user)
    if actors == []:
        return Page(records=(), next_after=None, complete_until=complete_until)
    found = await ctx.records.search(
        account_id, filters, actors=actors, after=after, limit=limit + 1
    )
    page = found[:limit]
    return Page(
        records=await _named(ctx, page),
        next_after=page[-1].order if len(found) > limit else None,
        complete_until=complete_until,
    )


async def event(ctx: Audit, caller: Caller, account_id: str, event_id: str) -> Record:
    """One record of an account; the reading itself is recorded.

    Raises:
        NotFound: the account has no such record.
    """
    await _note(ctx, caller, account_id, asked=None)
    found = await ctx.records.find(account_id, event_id)
    if found is None:
        raise NotFound
    return (await _named(ctx, [found]))[0]


async def _actors(ctx: Audit, user: str | None) -> list[str] | None:
    if user is None:
        return None
    return await ctx.records.with_address(user) if "@" in user else [user]


async def _named(ctx: Audit, records: list[Record]) -> tuple[Record, ...]:
    """The records with the names and addresses that their rows did not carry."""
    nameless = {
        record.actor.id
        for record in records
        if record.actor.type == "user" and record.actor.name is None
    }
    people = await ctx.records.people(nameless) if nameless else {}
    return tuple(
        replace(
            record,
            actor=record.actor.model_copy(update={"name": person.name, "email": person.email}),
        )
        if record.actor.name is None and (person := people.get(record.actor.id)) is not None
        else record
        for record in records
    )


async def _note(ctx: Audit, caller: Caller, account_id: str, *, asked: Filters | None) -> None:
    """Record that somebody reads the log, once a reader and minute."""
    now = ctx.clock.now()
    minute = int(now.timestamp()) // 60
    reader = caller.actor.id
    if ctx.noted.get((account_id, reader)) == minute:
        return
    what = {} if asked is None else _said(asked)

    async def first(session: DbSession) -> None:
        await ctx.records.note_reading(account_id, reader, minute=minute, now=now, session=session)

    async def work(tx: JournalWrite) -> None:
        tx.record(
            Fact(
                payload=SearchPerformed(reader_id=reader),
                resource=ResourceRef(type="audit_log", id=account_id),
                account_id=account_id,
                after={"filters": what},
            )
        )

    try:
        await ctx.journal.write(
            account_id, work, caller=caller, effective_everywhere=False, guard=first
        )
    except AlreadyThere:
        logger.debug("this reader is noted for this minute already")
    for key in [key for key, last in ctx.noted.items() if last < minute]:
        del ctx.noted[key]
    ctx.noted[account_id, reader] = minute


def _said(filters: Filters) -> dict[str, str]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in vars(filters).items()
        if value is not None
    }
