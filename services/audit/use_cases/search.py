"""Search the records of an account and show one; each reading is itself recorded."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from services.audit.domain.records import Filters, Record, Span
from services.audit.domain.sealed_records import account_of
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.lookups import lookups_of
from services.audit.use_cases.member_writes import write_named
from shared.contracts.audit import SearchPerformed
from shared.contracts.facts import Caller, Fact, ResourceRef
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere, DbSession
from shared.problems import NotFound

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RecordPage:
    """One page of a search."""

    records: tuple[Record, ...]
    next_after: str | None
    """The `order` of the last record, if more records follow."""
    complete_until: datetime | None
    """Everything that happened before this moment is in the log; `None` while not known."""
    kept_since: datetime | None
    """Of what happened until this moment, records have ended; `None` if none has."""


async def search(
    ctx: Ctx, caller: Caller, account_id: str, filters: Filters, *, after: str | None, limit: int
) -> RecordPage:
    """Return one page of the records of an account, newest first, and record the reading.

    The page begins after the record whose `order` is `after`.
    """
    # Read before the records: records that arrive in between are not promised.
    complete_until = ctx.complete_until()
    await record_reading(ctx, caller, account_id, filters=filters)
    lookups = await lookups_of(ctx, account_id, filters)
    span = Span.of(filters, before=after)
    found = await ctx.store.search(account_id, lookups, span, limit=limit + 1)
    page = found[:limit]
    return RecordPage(
        records=await with_names(ctx, page),
        next_after=page[-1].order if len(found) > limit else None,
        complete_until=complete_until,
        kept_since=(await ctx.store.endings(account_id)).last,
    )


async def show_record(ctx: Ctx, caller: Caller, account_id: str, event_id: str) -> Record:
    """Show one record of an account; the reading is recorded.

    Raises:
        NotFound: the account has no such record.
    """
    await record_reading(ctx, caller, account_id, filters=Filters())
    found = await ctx.store.find(account_id, event_id)
    if found is None:
        raise NotFound
    return (await with_names(ctx, [found]))[0]


async def with_names(ctx: Ctx, records: list[Record]) -> tuple[Record, ...]:
    """Add the names and addresses of actors that the rows did not carry.

    Of an actor who is erased, the record says so instead.
    """
    unnamed = {
        record.actor.id
        for record in records
        if record.actor.type == "user" and record.actor.name is None
    }
    users = await ctx.store.known_users(unnamed) if unnamed else {}
    unknown = unnamed - users.keys()
    gone = await ctx.store.erased_users(unknown) if unknown else set()

    def shown(record: Record) -> Record:
        if record.actor.name is not None:
            return record
        if (user := users.get(record.actor.id)) is not None:
            named = {"name": user.name, "email": user.email}
            return replace(record, actor=record.actor.model_copy(update=named))
        if record.actor.id in gone:
            return replace(record, erased=tuple(sorted({*record.erased, "actor.name"})))
        return record

    return tuple(map(shown, records))


async def record_reading(ctx: Ctx, caller: Caller, account_id: str, *, filters: Filters) -> None:
    """Record that the caller reads the log, once per reader, account and minute.

    The reading is recorded before any record is shown, so that nothing is shown unrecorded.
    """
    now = ctx.clock.now()
    minute = int(now.timestamp()) // 60
    reader = caller.actor.id
    if ctx.recorded_readings.get((account_id, reader)) == minute:
        return

    async def first_in_minute(session: DbSession) -> None:
        await ctx.store.add_reading(account_id, reader, minute=minute, now=now, session=session)

    async def change(write: JournalWrite) -> None:
        write.record(
            Fact(
                payload=SearchPerformed(reader_id=reader),
                resource=ResourceRef(type="audit_log", id=account_id),
                account_id=account_of(account_id),
                after={"filters": filters.given()},
            )
        )

    try:
        await write_named(ctx, account_id, change, caller=caller, guard=first_in_minute)
    except AlreadyThere:
        logger.debug("Another replica recorded this reading.")
    for key in [key for key, last in ctx.recorded_readings.items() if last < minute]:
        del ctx.recorded_readings[key]
    ctx.recorded_readings[account_id, reader] = minute
