"""What does authz do about a fact? The same for every one: follow the journal."""

import logging

from services.authz.follower import Sources
from shared.bus import Message, Verdict

logger = logging.getLogger(__name__)


class Subscriptions:
    """The handler of this replica's queue, which takes everything of team and identity."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def handle(self, message: Message) -> Verdict:
        """Take one row, in any order and any number of times."""
        try:
            self._sources.take(message)
        except ValueError:
            logger.warning("not an event; its row will be fetched", extra={"event": message.id})
            return Verdict.DEAD
        return Verdict.ACK

    async def resync(self) -> None:
        """The queue is new: whatever came before it is found by the heads."""
        self._sources.check_now()
