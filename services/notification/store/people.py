"""People in MongoDB: one document for each user, from the newest fact about them."""

from collections.abc import Collection
from datetime import datetime, timedelta

from services.notification.domain.people import Person
from shared.contracts.facts import Row
from shared.documents import changes, read
from shared.ids import UserId
from shared.mongo import Database, DbSession, majority

ERASED_RETENTION = timedelta(days=30)
"""How long an erased user is known as erased: facts from before may come later."""


class People:
    """The collection `people`."""

    def __init__(self, database: Database) -> None:
        self._people = majority(database, "people")

    async def save(self, person: Person, row: Row, session: DbSession, *, now: datetime) -> None:
        """Save a person as of this fact, unless a later one is known.

        All facts about a user are in one shard of the journal, so their sequence orders them. After
        a restoration of the source the sequence begins anew, in another epoch.
        """
        found = await self._people.find_one({"_id": person.id}, session=session)
        if found is not None and found["epoch"] == row.epoch and found["seq"] >= row.seq:
            return
        delete_at = now + ERASED_RETENTION if person.erased else None
        content = changes(person, epoch=row.epoch, seq=row.seq, delete_at=delete_at)
        await self._people.update_one(
            {"_id": person.id}, {"$set": content}, upsert=True, session=session
        )

    async def find(self, user_id: UserId) -> Person | None:
        """Find a person."""
        found = await self._people.find_one({"_id": user_id})
        return None if found is None else read(Person, found)

    async def among(
        self, user_ids: Collection[str], email_keys: Collection[str], session: DbSession
    ) -> list[Person]:
        """Find the people with these ids, and those with these addresses."""
        wanted = [
            {"_id": {"$in": sorted(user_ids)}},
            {"email_key": {"$in": sorted(email_keys)}},
        ]
        found = [
            read(Person, each)
            for one in wanted
            async for each in self._people.find(one, session=session)
        ]
        return list({person.id: person for person in found}.values())
