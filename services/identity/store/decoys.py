"""The collection of decoys: writes that make a request as costly as one that has more to save."""

import itertools
import secrets
from datetime import datetime, timedelta

from shared.mongo import Database, DbSession, majority

DECOY_LIFETIME = timedelta(days=1)
"""A decoy is never read; the database deletes it a day after its last use."""
DECOYS_OF_A_PROCESS = 64
_FILLER = "." * 1024
"""A document of identity or a row of its journal has about this size."""
WRITES_OF_A_FACT = 2
"""The journal writes its head and a row. A test compares the commands of the branches."""


class DecoyRows:
    """Documents without content, which are written again and again.

    Each process has some of its own and takes them in turn, so two requests at the same moment do
    not wait for each other, and their number does not grow with the requests.
    """

    def __init__(self, database: Database) -> None:
        self._decoys = majority(database, "decoys")
        process = secrets.token_hex(8)
        self._ids = itertools.cycle(f"{process}/{n}" for n in range(DECOYS_OF_A_PROCESS))

    async def add_decoys(self, count: int, *, now: datetime, session: DbSession) -> None:
        """Write this number of documents, one by one, in the transaction."""
        content = {
            "$set": {"delete_at": now + DECOY_LIFETIME, "filler": _FILLER},
            "$inc": {"writes": 1},  # an update that changes nothing would cost less
        }
        for _ in range(count):
            await self._decoys.update_one(
                {"_id": next(self._ids)}, content, upsert=True, session=session
            )
