"""What does authz do about a fact?"""

import logging
from collections.abc import Awaitable, Callable, Mapping

from services.authz.follower import Sources
from shared.bus import BusMessage, Handler, Verdict

logger = logging.getLogger(__name__)


async def follow(sources: Sources, message: BusMessage) -> None:
    """Apply the row if it is the next of its journal, else keep it and fetch what is missing."""
    sources.take(message)


def handler(sources: Sources) -> Handler:
    """What this replica's queue is read with; any order and doubles are fine."""

    async def handle(message: BusMessage) -> Verdict:
        try:
            await SUBSCRIPTIONS["*"](sources, message)
        except ValueError:
            logger.warning("not readable; its row will be fetched", extra={"event": message.id})
            return Verdict.DEAD
        return Verdict.ACK

    return handle


SUBSCRIPTIONS: Mapping[str, Callable[[Sources, BusMessage], Awaitable[None]]] = {"*": follow}
