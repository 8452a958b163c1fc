"""The accounts that have their checkpoints delivered, in MongoDB."""

from services.audit.domain.checkpoint_delivery import CheckpointDelivery
from shared.mongo import AlreadyThere, Database, DbSession, Document, majority


class CheckpointDeliveryRows:
    """One document for each account that has ever asked for it."""

    def __init__(self, database: Database) -> None:
        self._deliveries = majority(database, "checkpoint_deliveries")

    async def checkpoint_delivery(
        self, account_id: str, session: DbSession | None = None
    ) -> CheckpointDelivery:
        """What the account has chosen; nothing is delivered until it asks for it."""
        found = await self._deliveries.find_one({"_id": account_id}, session=session)
        return CheckpointDelivery(account_id=account_id) if found is None else _delivery(found)

    async def set_checkpoint_delivery(
        self, account_id: str, *, daily: bool, session: DbSession
    ) -> None:
        """Begin or end the delivery; the day of the last one stays."""
        await self._deliveries.update_one(
            {"_id": account_id},
            {"$set": {"daily": daily}, "$setOnInsert": {"day": ""}},
            upsert=True,
            session=session,
        )

    async def due_deliveries(self, day: str, *, limit: int) -> list[CheckpointDelivery]:
        """Accounts that had no delivery on this day, the longest waiting first."""
        wanted = {"daily": True, "day": {"$lt": day}}
        found = self._deliveries.find(wanted).sort("day", 1).limit(limit)
        return [_delivery(document) async for document in found]

    async def note_delivery(
        self, delivery: CheckpointDelivery, day: str, session: DbSession
    ) -> None:
        """Note that an account has its delivery of a day.

        Raises:
            AlreadyThere: it had one since it was read, or wants none any more.
        """
        outcome = await self._deliveries.update_one(
            {"_id": delivery.account_id, "daily": True, "day": delivery.day},
            {"$set": {"day": day}},
            session=session,
        )
        if not outcome.matched_count:
            raise AlreadyThere(self._deliveries.name)


def _delivery(found: Document) -> CheckpointDelivery:
    return CheckpointDelivery(account_id=found["_id"], daily=found["daily"], day=found["day"])
