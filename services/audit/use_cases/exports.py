"""Export the records of an account: oldest first, page after page, in constant memory."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from rolecall.audit.scattered import Indexes
from rolecall.audit.sealed import encoded
from services.audit.domain.erasures import without
from services.audit.domain.exports import (
    MAX_ESTIMATE,
    Export,
    ExportFormat,
    ExportLines,
    JsonExport,
    Summary,
    end_of,
)
from services.audit.domain.records import Filters, Record, Span
from services.audit.domain.sealed_records import Form, shown_seal
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.lookups import lookups_of
from services.audit.use_cases.member_writes import write_named
from services.audit.use_cases.proofs import inclusion_proofs, require_told_end, sealed_size
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
    size: int | None = None,
) -> Export:
    """Decide what an export holds, and record that it is made.

    `after` is the id of a record: the export begins after it. `size` is that of the log that the
    seals of JSON Lines are about, by default of the newest checkpoint.

    Raises:
        TooManyExports: as many are running as may.
        Invalid: the account has no record with the id `after`, or no checkpoint of that size or a
            larger one; or records have ended, and a log of that size does not say so.
    """
    ctx.exports.require_room(account_id)
    now, complete_until = ctx.clock.now(), ctx.complete_until()
    end = end_of(filters, now=now, complete_until=complete_until)
    proves = kind is ExportFormat.JSON_LINES
    size = await sealed_size(ctx, account_id, size) if proves else 0
    if size and not filters.given() and after is None:
        await require_told_end(ctx, account_id, size)
    checkpoint = await ctx.store.checkpoint_of(account_id, size) if size else None
    # What is sealed is in the export, also if more may arrive from before it.
    span = Span.of(filters if proves else replace(filters, until=end))
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
        kept_since=(await ctx.store.endings(account_id)).last,
        lookups=lookups,
        span=span,
        exact_until=end,
        size=size,
        checkpoint=checkpoint.note if checkpoint else None,
        estimate=await ctx.store.count(account_id, lookups, span, limit=MAX_ESTIMATE),
    )


async def export_pieces(
    ctx: Ctx, export: Export, lines: ExportLines, permitted: Permitted
) -> AsyncGenerator[bytes, None]:
    """Write the export. Without its last line it is not whole."""
    try:
        with ctx.exports.place(export.account_id):
            async with aclosing(_written(ctx, export, lines, permitted)) as pieces:
                async for piece in pieces:
                    yield piece
    except Refusal as refusal:
        # The answer has begun: a line of it says why it ends.
        yield lines.stopped(refusal.code).encode()


async def _written(
    ctx: Ctx, export: Export, lines: ExportLines, permitted: Permitted
) -> AsyncGenerator[bytes, None]:
    """Write the export while the reader may read; it raises as `permitted`."""
    yield lines.first(export).encode()
    summary, asked = Summary(), ctx.clock.boottime()
    async with aclosing(_pages(ctx, export, lines, summary)) as pages:
        async for page in pages:
            if ctx.clock.boottime() - asked >= ALLOWED_SECONDS:
                await permitted()
                asked = ctx.clock.boottime()
            for line in page:
                yield line.encode()
    yield lines.last(export, summary).encode()


async def _pages(
    ctx: Ctx, export: Export, lines: ExportLines, summary: Summary
) -> AsyncGenerator[list[str], None]:
    """The lines of an export, page after page."""
    span, written = export.span, Indexes()
    while True:
        page = await ctx.store.search(
            export.account_id, export.lookups, span, limit=PAGE_RECORDS, oldest_first=True
        )
        seals = await _seals(ctx, export, page) if lines.proves else {}
        shown = page if lines.proves else await with_names(ctx, page)
        told: list[str] = []
        for record in shown:
            seal = seals.get(record.id)
            if not export.takes(record, seal["index"] if seal else None):
                continue
            summary.add(record)
            # The seal was read later: values may have been erased since the record was read.
            less = without(record, seal.get("erased", ())) if seal else record
            told.append(lines.record(less, seal))
            if seal:
                written.add(seal["index"])
        yield told
        if len(page) < PAGE_RECORDS:
            break
        span = replace(span, first=_next(page[-1].order))
    if isinstance(lines, JsonExport) and export.complete:
        async for page_of_hashes in _not_kept(ctx, export, written):
            yield list(map(lines.hash_only, page_of_hashes))


async def _seals(ctx: Ctx, export: Export, page: Sequence[Record]) -> dict[str, Form]:
    """The seals of those records that the tree of the export has, by their ids."""
    found = await ctx.store.seals_of([record.id for record in page])
    seals = {key: seal for key, seal in found.items() if seal.index < export.size}
    indexes = [seal.index for seal in seals.values()]
    proofs = await inclusion_proofs(ctx, export.account_id, indexes, export.size)
    return {key: shown_seal(seal, proof=proofs[seal.index][1]) for key, seal in seals.items()}


async def _not_kept(ctx: Ctx, export: Export, written: Indexes) -> AsyncGenerator[list[Form], None]:
    """The hashes of the records that are sealed and not kept any more, page after page."""
    for first, end in written.gaps(export.size):
        for start in range(first, end, PAGE_RECORDS):
            indexes = range(start, min(start + PAGE_RECORDS, end))
            proofs = await inclusion_proofs(ctx, export.account_id, indexes, export.size)
            yield [
                {"index": index, "leaf": encoded(leaf), "proof": list(map(encoded, proof))}
                for index, (leaf, proof) in proofs.items()
            ]


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

    await write_named(ctx, account_id, change, caller=caller)
