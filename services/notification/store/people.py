"""People in MongoDB: one document for each user, from the newest fact about them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pymongo import UpdateOne

from services.notification.domain.people import Person
from shared.contracts.facts import Row
from shared.documents import changes, document, read
from shared.ids import UserId
from shared.mongo import Database, DbSession, Document, insert_missing, majority

ERASED_RETENTION = timedelta(days=30)
"""How long an erased user is known as erased: facts from before may come later."""
EARLIER_USERS = "earlier users"
BEFORE_FACTS: Document = {"epoch": "", "seq": 0}
"""The place of what identity told without a fact: every fact is newer."""


class People:
    """The collection `people`."""

    def __init__(self, database: Database) -> None:
        self._people = majority(database, "people")
        self._progress = majority(database, "progress")

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

    async def add_missing(self, people: Sequence[Person]) -> None:
        """Add those of these people of whom no fact has told, and the accounts that facts left out.

        A fact that arrives meanwhile counts, and an erased user does not come back.
        """
        if not people:
            return
        added = [document(one, **BEFORE_FACTS, delete_at=None) for one in people]
        await insert_missing(self._people, added)
        without = {"account_id": None, "email_key": {"$ne": ""}}
        await self._people.bulk_write(
            [
                UpdateOne({"_id": one.id, **without}, {"$set": {"account_id": one.account_id}})
                for one in people
            ],
            ordered=False,
        )

    async def all_known(self) -> bool:
        """Return whether the users of before this version were added."""
        return await self._progress.find_one({"_id": EARLIER_USERS}) is not None

    async def note_all_known(self) -> None:
        """Note that the users of before this version were added."""
        done = {"$set": {"done": True}}
        await self._progress.update_one({"_id": EARLIER_USERS}, done, upsert=True)

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
