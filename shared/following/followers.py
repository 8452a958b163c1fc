"""The followers of all sources, as one subscriber of the bus."""

import asyncio
import logging

from shared.bus import BusMessage, Verdict
from shared.clock import AtMostEvery, Clock
from shared.following.follower import Follower
from shared.row_verifier import RowRefused, RowVerifier

SUSPICION_SECONDS = 1.0
"""The pause between two looks at the heads because of refused messages: anyone may send those."""

logger = logging.getLogger(__name__)


class Followers:
    """The followers of all sources, by the name of the source."""

    def __init__(self, verifier: RowVerifier, *followers: Follower, clock: Clock) -> None:
        self._verifier = verifier
        self._suspicion = AtMostEvery(SUSPICION_SECONDS, clock=clock)
        self._turn = asyncio.Lock()
        self._followers = {follower.source: follower for follower in followers}

    def take(self, message: BusMessage) -> None:
        """Hand a row from the bus to the follower of its source; drop what that did not sign.

        Raises:
            ValueError: the source signed an event that this version cannot read.
        """
        try:
            signed = self._verifier.message(message)
        except RowRefused:
            # It may have been a genuine row, of any source, before someone changed it.
            if self._suspicion.due():
                for follower in self._followers.values():
                    follower.check_now()
            return
        source = signed.row.source
        if source in self._followers:
            self._followers[source].take(signed)

    async def handle(self, message: BusMessage) -> Verdict:
        """Take a message of this replica's queue; rows may come in any order and more than once.

        Each turn of the event loop takes one. A burst of rows would otherwise hold up the decisions
        until all of them are verified and applied.
        """
        async with self._turn:
            verdict = self._take(message)
            await asyncio.sleep(0)
        return verdict

    def _take(self, message: BusMessage) -> Verdict:
        try:
            self.take(message)
        except ValueError:
            logger.warning(
                "The message cannot be read. Its row will be fetched.",
                extra={"event": message.id},
            )
            return Verdict.DEAD
        return Verdict.ACK

    async def check_now(self) -> None:
        """Request the heads of all sources at once: the queue is new and may have missed rows."""
        for follower in self._followers.values():
            follower.check_now()
