"""What ends in audit with an account, a membership, or the team that an account was."""

from collections.abc import Awaitable, Callable

from services.audit.domain import streams
from services.audit.domain.streams import PausedBecause
from services.audit.use_cases.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.topology import Service
from shared.ids import AccountId
from shared.inbox import AlreadyApplied, AppliedMark, caller_for
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere


async def pause_streams(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Pause every stream of a team that became a personal account (`Rp3`).

    Members who are gone may have made them or set their addresses. The owner lets those go on that
    they know.
    """

    async def change(write: JournalWrite) -> None:
        for stream in await ctx.store.streams_of(row.account_id or "", write.session):
            if stream.enabled:
                paused, fact = streams.paused(stream, PausedBecause.REVERTED)
                await ctx.store.update_stream(stream, paused, write.session)
                write.record(fact)

    await _record_with(ctx, row, applied_mark, change)


async def end_account(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Delete the streams and saved searches of an account that was deleted; its records stay."""

    async def change(write: JournalWrite) -> None:
        for stream in await ctx.store.streams_of(row.account_id or "", write.session):
            await ctx.store.delete_stream(stream, write.session)
        await ctx.store.delete_searches(row.account_id or "", write.session)

    await _record_with(ctx, row, applied_mark, change)


async def end_membership(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Delete what a member has saved for themselves. What they have shared stays."""
    account_id, user_id = row.account_id or "", row.resource.id

    async def change(write: JournalWrite) -> None:
        await ctx.store.delete_searches_of(account_id, user_id, write.session)

    if await ctx.store.searches_of(account_id, user_id):
        await _record_with(ctx, row, applied_mark, change)
    else:
        await ctx.ingest.add(row, applied_mark)


async def _record_with(
    ctx: Ctx, row: Row, applied_mark: AppliedMark, change: Callable[[JournalWrite], Awaitable[None]]
) -> None:
    """Record a row, and make the change that follows from it, in one transaction."""

    async def both(write: JournalWrite) -> None:
        await ctx.ingest.save_within(row, applied_mark, write.session)
        await change(write)

    try:
        await ctx.journal.write(
            AccountId(row.account_id or ""),
            both,
            caller=caller_for(row, service=Service.AUDIT),
            effective_everywhere=False,
        )
    except (AlreadyApplied, AlreadyThere):
        # Recorded before, perhaps as another row: that is an alarm.
        await ctx.ingest.add(row, applied_mark)
