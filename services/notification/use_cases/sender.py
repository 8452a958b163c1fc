"""The sender: the worker that delivers messages as they become due.

It starts use cases, as routes and subscriptions do, so it stands beside them. An adapter may not
import a use case.
"""

import asyncio
import contextlib
import logging

from services.notification.use_cases.context import Ctx
from services.notification.use_cases.deliver import claim_due, deliver
from shared.ids import MessageId
from shared.mongo import DatabaseWatch

logger = logging.getLogger(__name__)


async def run_sender(ctx: Ctx, *, connections: int) -> None:
    """Deliver due messages, `connections` at a time, until cancelled.

    A queued message is taken up at once; other due messages are found by polling. When cancelled,
    the sender claims nothing more and finishes the mails in hand.
    """
    in_hand: dict[asyncio.Task[None], MessageId] = {}
    database = DatabaseWatch("Due messages cannot be read.")

    def done(task: asyncio.Task[None]) -> None:
        del in_hand[task]
        ctx.queued.set()
        # After any error the claim runs out and the message is tried again.
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("The result of a message was not saved: %s", error, exc_info=error)

    try:
        while True:
            ctx.queued.clear()
            if len(in_hand) < connections:
                with database.round():
                    claimed = await claim_due(
                        ctx, limit=connections - len(in_hand), in_hand=in_hand.values()
                    )
                    for message, claim in claimed:
                        task = asyncio.create_task(deliver(ctx, message, claim))
                        in_hand[task] = message.id
                        task.add_done_callback(done)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ctx.timeouts.mail_poll):
                    await ctx.queued.wait()
    finally:
        if in_hand:
            _, late = await asyncio.wait(in_hand, timeout=ctx.timeouts.mail_drain)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
