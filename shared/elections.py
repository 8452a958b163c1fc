"""The election of one replica for work that needs one only; the others wait for its term's end."""

from datetime import UTC, datetime, timedelta

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
        self._until = datetime.min.replace(tzinfo=UTC)
        """The end of this process's term, as it was stored."""

    async def won(self) -> bool:
        """Return whether this process holds the office, and prolong its term.

        The database is not asked in the first half of a term: no other is elected before its
        end. A clock that was set back makes a term look longer than it may be, so it is asked then.
        """
        now = self._clock.now()
        if ELECTION_TERM / 2 < self._until - now <= ELECTION_TERM:
            return True
        won = await self._stand(now)
        if won is not None:
            self._until = won
        return won is not None

    async def _stand(self, now: datetime) -> datetime | None:
        """Return the end of the term, if the office is this process's."""
        until = now + ELECTION_TERM
        mine = {"holder": self._holder, "until": until}
        current = await self._elections.find_one({"_id": self._office})
        if current is None:
            try:
                await insert_once(self._elections, {"_id": self._office, **mine})
            except AlreadyThere:
                return None
            return until
        if current["holder"] != self._holder and current["until"] > now:
            return None
        outcome = await self._elections.update_one(
            {"_id": self._office, "holder": current["holder"], "until": current["until"]},
            {"$set": mine},
        )
        return until if outcome.matched_count else None
