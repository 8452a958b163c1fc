"""The election of one replica for work that needs one only; the others wait for its term's end."""

from datetime import timedelta

from shared.clock import Clock
from shared.mongo import AlreadyThere, Database, insert_once, majority

ELECTION_TERM = timedelta(seconds=10)
"""The time after which another process replaces a silent one."""


class Election:
    """One office of a service; any number of replicas stand for it.

    A paused process may take itself for elected: its work must be safe beside that of another.
    """

    def __init__(self, database: Database, office: str, *, holder: str, clock: Clock) -> None:
        self._elections = majority(database, "elections")
        self._office = office
        self._holder = holder
        self._clock = clock

    async def won(self) -> bool:
        """Return whether this process holds the office, and prolong its term."""
        now = self._clock.now()
        mine = {"holder": self._holder, "until": now + ELECTION_TERM}
        current = await self._elections.find_one({"_id": self._office})
        if current is None:
            try:
                await insert_once(self._elections, {"_id": self._office, **mine})
            except AlreadyThere:
                return False
            return True
        if current["holder"] == self._holder and current["until"] - now > ELECTION_TERM / 2:
            return True
        if current["holder"] != self._holder and current["until"] > now:
            return False
        outcome = await self._elections.update_one(
            {"_id": self._office, "holder": current["holder"], "until": current["until"]},
            {"$set": mine},
        )
        return bool(outcome.matched_count)
