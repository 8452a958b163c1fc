"""The followers of all sources, as one subscriber of the bus."""

from shared.bus import BusMessage
from shared.contracts.facts import Row
from shared.following.follower import Follower


class Followers:
    """The followers of all sources, by the name of the source."""

    def __init__(self, *followers: Follower) -> None:
        self._followers = {follower.source: follower for follower in followers}

    def take(self, message: BusMessage) -> None:
        """Hand a row from the bus to the follower of its source.

        Raises:
            ValueError: the message is not an event.
        """
        self._followers[message.source].take(Row.from_event(message.body))

    async def check_now(self) -> None:
        """Request the heads of all sources at once: the queue is new and may have missed rows."""
        for follower in self._followers.values():
            follower.check_now()
