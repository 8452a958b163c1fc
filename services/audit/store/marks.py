"""Marks of what is recorded once: a reader's minute, a part of a batch of decisions."""

from datetime import datetime

from shared.mongo import Database, DbSession, insert_once, majority


class MarkRows:
    """Marks that are inserted in the transaction of what they stand for."""

    def __init__(self, database: Database) -> None:
        self._readings = majority(database, "readings")
        self._denial_batches = majority(database, "denial_batches")

    async def add_reading(
        self, account_id: str, reader_id: str, *, minute: int, now: datetime, session: DbSession
    ) -> None:
        """Mark that the reader reads the account's log in this minute.

        Raises:
            AlreadyThere: the mark exists; the transaction has ended.
        """
        mark = {"_id": f"{account_id}.{reader_id}.{minute}", "at": now}
        await insert_once(self._readings, mark, session)

    async def add_denial_batch(self, part: str, *, now: datetime, session: DbSession) -> None:
        """Mark that a part of a batch of denials is recorded.

        Raises:
            AlreadyThere: the mark exists; the transaction has ended.
        """
        await insert_once(self._denial_batches, {"_id": part, "at": now}, session)
