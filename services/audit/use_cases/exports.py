"""Export the records of an account: oldest first, page after page, in constant memory."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

from services.audit.domain.exports import (
    MAX_ESTIMATE,
    Export,
    ExportFormat,
    ExportLines,
    Summary,
    end_of,
)
from services.audit.domain.records import Filters, Span
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.lookups import lookups_of
from services.audit.use_cases.search import with_names
from shared.contracts.audit import ExportStarted
from shared.contracts.facts import Caller, Fact, ResourceRef
from shared.journal import JournalWrite
from shared.problems import Invalid, Refusal

PAGE_RECORDS = 500
ALLOWED_SECONDS = 5.0
"""How long an export goes on before it asks again whether its reader may read."""

Permitted = Callable[[], Awaitable[None]]
"""Raises a refusal when the reader may not read any more."""


async def begin_export(
    ctx: Ctx,
    caller: Caller,
    account_id: str,
    filters: Filters,
    *,
    after: str | None,
    kind: ExportFormat,
) -> Export:
    """Decide what an export holds, and record that it is made.

    `after` is the id of a record: the export begins after it.

    Raises:
        TooManyExports: as many are running as may.
        Invalid: the account has no record with the id `after`.
    """
    ctx.exports.require_room(account_id)
    now, complete_until = ctx.clock.now(), ctx.complete_until()
    end = end_of(filters, now=now, complete_until=complete_until)
    span = Span.of(replace(filters, until=end))
    if after is not None:
        span = replace(span, first=max(span.first, await _behind(ctx, account_id, after)))
    await _record_export(ctx, caller, account_id, filters, after=after, kind=kind)
    lookups = await lookups_of(ctx, account_id, filters)
    return Export(
        account_id=account_id,
        filters=filters,
        after=after,
        taken_at=now,
        complete_until=complete_until,
        lookups=lookups,
        span=span,
        estimate=await ctx.store.count(account_id, lookups, span, limit=MAX_ESTIMATE),
    )


async def export_pieces(
    ctx: Ctx, export: Export, lines: ExportLines, permitted: Permitted
) -> AsyncGenerator[bytes, None]:
    """Write the export. Without its last line it is not whole."""
    with ctx.exports.place(export.account_id):
        yield lines.first(export).encode()
        summary, span = Summary(), export.span
        asked = ctx.clock.boottime()
        while True:
            if ctx.clock.boottime() - asked >= ALLOWED_SECONDS:
                try:
                    await permitted()
                except Refusal as refusal:
                    yield lines.stopped(refusal.code).encode()
                    return
                asked = ctx.clock.boottime()
            page = await ctx.store.search(
                export.account_id, export.lookups, span, limit=PAGE_RECORDS, oldest_first=True
            )
            shown = await with_names(ctx, page) if lines.names_actors else page
            for record in shown:
                summary.add(record)
                yield lines.record(record).encode()
            if len(page) < PAGE_RECORDS:
                break
            span = replace(span, first=_next(page[-1].order))
        yield lines.last(export, summary).encode()


def _next(order: str) -> str:
    """Return a text that sorts after this `order` and before every other one."""
    return f"{order} "


async def _behind(ctx: Ctx, account_id: str, event_id: str) -> str:
    record = await ctx.store.find(account_id, event_id)
    if record is None:
        problem = (
            "The account has no record with this id. Send the id of a record of its last export."
        )
        raise Invalid(errors=[("/query/after", problem)])
    return _next(record.order)


async def _record_export(
    ctx: Ctx,
    caller: Caller,
    account_id: str,
    filters: Filters,
    *,
    after: str | None,
    kind: ExportFormat,
) -> None:
    async def change(write: JournalWrite) -> None:
        write.record(
            Fact(
                payload=ExportStarted(reader_id=caller.actor.id, kind=kind),
                resource=ResourceRef(type="audit_log", id=account_id),
                account_id=account_id,
                after={"filters": filters.given(), "format": kind.value, "after": after},
            )
        )

    await ctx.journal.write(account_id, change, caller=caller, effective_everywhere=False)
