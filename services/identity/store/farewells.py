"""The collection of names and addresses to which a last mail goes; the database deletes them."""

from services.identity.domain.erasure import Farewell
from services.identity.store.places import at
from shared.contracts.facts import shard_of
from shared.documents import document, read
from shared.ids import UserId
from shared.mongo import Database, DbSession, insert_once, majority


class FarewellRows:
    """Last mails to users who were erased."""

    def __init__(self, database: Database) -> None:
        self._farewells = majority(database, "farewells")

    async def insert_farewell(self, farewell: Farewell, session: DbSession) -> None:
        """Save to whom the last mail goes."""
        row = document(farewell, shard=shard_of(farewell.user_id))
        await insert_once(self._farewells, {"_id": farewell.user_id, **row}, session)

    async def farewell(self, user_id: UserId) -> Farewell | None:
        """Find to whom the last mail goes, if it is to be sent."""
        found = await self._farewells.find_one(at(user_id, user_id))
        return None if found is None else read(Farewell, found)

    async def delete_farewell(self, user_id: UserId) -> None:
        """Forget to whom the last mail went."""
        await self._farewells.delete_one(at(user_id, user_id))
