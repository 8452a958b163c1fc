"""When is a waiting message taken up, and by how many hands?"""

import asyncio
import contextlib
import logging

from services.notification.use_cases import Notification, claim_due, deliver
from shared.ids import MessageId
from shared.mongo import DATABASE_AWAY

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
DRAIN_SECONDS = 5.0
"""What mails in hand get when the service stops; cut off, one may be sent twice."""


async def send_for_ever(ctx: Notification, *, connections: int) -> None:
    """Send what is due, `connections` mails at a time: at once when queued, else by polling.

    Never ends; cancelled, it takes up nothing more and finishes what it has in hand.
    """
    busy: dict[asyncio.Task[None], MessageId] = {}

    def done(task: asyncio.Task[None]) -> None:
        del busy[task]
        ctx.queued.set()
        # Whatever went wrong, the claim runs out and the message is tried again.
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("a message is not settled: %s", problem, exc_info=problem)

    try:
        while True:
            ctx.queued.clear()
            if len(busy) < connections:
                try:
                    claimed = await claim_due(
                        ctx, limit=connections - len(busy), in_hand=busy.values()
                    )
                except DATABASE_AWAY as away:
                    logger.warning("cannot look for messages: %s", away)
                    claimed = []
                for message, claim in claimed:
                    task = asyncio.create_task(deliver(ctx, message, claim))
                    busy[task] = message.id
                    task.add_done_callback(done)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await ctx.queued.wait()
    finally:
        if busy:
            _, late = await asyncio.wait(busy, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
