"""The answers to the broker about the messages of one link; several are acknowledged at once."""

import asyncio
import logging
from collections.abc import Awaitable

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from shared.bus import Verdict
from shared.cancellation import cancelled_by_us

log = logging.getLogger(__name__)

ACK_SECONDS = 0.05
"""The longest time from the end of a handler to the acknowledgement of its message."""
MOST_WAITING = 16
"""The number of handled messages that wait for no more. The broker hands out no more than the
prefetch before some are acknowledged."""


class Acknowledgements:
    """Answers for the messages of one link; `run` is a loop for as long as the link.

    RabbitMQ numbers the messages of a link from 1. The answer for one may count for all before it,
    so it is sent when each of those is handled or refused. A crash forgets what waits here: the
    broker then delivers the messages again, as it does after a broken link.
    """

    def __init__(self, *, seconds: float = ACK_SECONDS) -> None:
        self._seconds = seconds
        self._first = 1
        """The first message without an answer."""
        self._handled: dict[int, AbstractIncomingMessage] = {}
        """Those to be acknowledged."""
        self._answered: set[int] = set()
        """Those after the first that have their answer."""
        self._any = asyncio.Event()
        self._many = asyncio.Event()
        self._sending = asyncio.Lock()

    async def settle(self, incoming: AbstractIncomingMessage, verdict: Verdict) -> None:
        """Tell the broker the verdict: a refusal now, an acknowledgement soon."""
        number = incoming.delivery_tag or 0
        if verdict is Verdict.ACK:
            self._handled[number] = incoming
            self._any.set()
            if len(self._handled) >= MOST_WAITING:
                self._many.set()
            return
        # Not nack: from RabbitMQ 4.3 on it does not count towards the delivery limit.
        await _send(incoming.reject(requeue=verdict is Verdict.RETRY))
        self._answered.add(number)  # not before: an acknowledgement must not overtake the refusal

    async def run(self) -> None:
        """Acknowledge the messages that were handled within some moments. Never ends."""
        while True:
            await self._any.wait()
            try:
                async with asyncio.timeout(self._seconds):
                    await self._many.wait()
            except TimeoutError:
                pass
            await self.send()

    async def send(self) -> None:
        """Acknowledge every handled message.

        One answer is for all up to the last one before which none is open. Each of the others has
        its own.
        """
        async with self._sending:
            self._any.clear()
            self._many.clear()
            handled, self._handled = self._handled, {}
            together: AbstractIncomingMessage | None = None
            while self._first in handled or self._first in self._answered:
                together = handled.pop(self._first, together)
                self._answered.discard(self._first)
                self._first += 1
            self._answered.update(handled)
            if together is not None:
                await _send(together.ack(multiple=True))
            for incoming in handled.values():
                await _send(incoming.ack())


async def _send(answer: Awaitable[None]) -> None:
    """Send an answer. Over a broken link it is not needed: the message comes again."""
    try:
        await answer
    except asyncio.CancelledError:
        if cancelled_by_us():
            raise
    except CONNECTION_EXCEPTIONS:
        log.debug("the link broke before the verdict was sent", exc_info=True)
