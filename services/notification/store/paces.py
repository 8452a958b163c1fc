"""Paces in MongoDB: the mails of one topic from one account to one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notification.domain.pace import PACE_WINDOW, Place
from shared.documents import document, read
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Lost,
    insert_once,
    majority,
    update_expected,
)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The mails of one topic from one account to one person, as they were read.

    `changes` counts the writes to it; a pace that is not stored yet has none.
    """

    key: str
    changes: int
    places: tuple[Place, ...]
    ended_seq: int = 0
    """The fact that ended the membership last: mails about the one before it are not sent."""


class Paces:
    """The collection `paces`; the database deletes those whose places count no longer."""

    def __init__(self, database: Database) -> None:
        self._paces = majority(database, "paces")

    async def find(self, key: str, session: DbSession) -> Pace:
        """Find a pace; one that is not stored is empty."""
        found = await self._paces.find_one({"_id": key}, session=session)
        if found is None:
            return Pace(key=key, changes=0, places=())
        places = tuple(read(Place, place) for place in found["places"])
        ended = found.get("ended_seq", 0)
        return Pace(key=key, changes=found["changes"], places=places, ended_seq=ended)

    async def save(
        self, pace: Pace, places: Sequence[Place], session: DbSession, *, now: datetime
    ) -> None:
        """Save a pace with these places over the state that was read.

        Raises:
            Lost: it has changed since.
        """
        content = {
            "changes": pace.changes + 1,
            "places": [document(place) for place in places],
            "ended_seq": pace.ended_seq,
            "expires_at": max([now, *(place.due_at for place in places)]) + PACE_WINDOW,
        }
        if pace.changes:
            expected = {"_id": pace.key, "changes": pace.changes}
            await update_expected(self._paces, expected, {"$set": content}, session)
            return
        try:
            await insert_once(self._paces, {"_id": pace.key, **content}, session)
        except AlreadyThere as there:
            raise Lost(self._paces.name) from there
