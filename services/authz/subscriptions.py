"""The facts that authz follows, and what it does with them."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from shared.bus import BusMessage, Handler, Verdict
from shared.following.followers import Followers

logger = logging.getLogger(__name__)


async def follow(followers: Followers, message: BusMessage) -> None:
    """Apply the row if it is the next of its journal, else keep it and fetch what is missing."""
    followers.take(message)


def handler(followers: Followers) -> Handler:
    """The handler of this replica's queue; rows may come in any order and more than once."""

    async def handle(message: BusMessage) -> Verdict:
        try:
            await SUBSCRIPTIONS["*"](followers, message)
        except ValueError:
            logger.warning(
                "The message cannot be read. Its row will be fetched.",
                extra={"event": message.id},
            )
            return Verdict.DEAD
        return Verdict.ACK

    return handle


SUBSCRIPTIONS: Mapping[str, Callable[[Followers, BusMessage], Awaitable[None]]] = {"*": follow}
