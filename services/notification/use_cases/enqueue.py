"""Queue the messages that follow from a fact."""

from services.notification.domain.recipients import messages_of
from services.notification.use_cases.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.topology import Service
from shared.inbox import AppliedMark, caller_for
from shared.mongo import DbSession, transact


async def enqueue(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Queue the messages that follow from the fact, in one transaction with its applied mark."""
    messages = messages_of(
        row, caller=caller_for(row, service=Service.NOTIFICATION), now=ctx.clock.now()
    )
    if not messages:
        return

    async def change(session: DbSession) -> None:
        await applied_mark(session)
        for message in messages:
            await ctx.messages.add(message, session)

    await transact(ctx.client, change)
    ctx.queued.set()
