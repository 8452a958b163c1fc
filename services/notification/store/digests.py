"""Digests in MongoDB: messages that list others, and the messages that wait to be listed."""

from collections.abc import Sequence

from services.notification.domain.messages import Message, MessageStatus
from services.notification.store.messages import content_of, read_message
from shared.ids import MessageId
from shared.mongo import Database, DbSession, majority


class Digests:
    """The digests of the collection `messages`, and what waits for them."""

    def __init__(self, database: Database) -> None:
        self._messages = majority(database, "messages")

    async def join(self, message: Message, session: DbSession, *, digest_id: MessageId) -> None:
        """Add a message that waits for a digest; one with the same id stays unchanged."""
        listed = {"status": MessageStatus.LISTED, "open": False, "digest": digest_id}
        await self._messages.update_one(
            {"_id": message.id},
            {"$setOnInsert": {**content_of(message), **listed}},
            upsert=True,
            session=session,
        )

    async def takes(self, digest_id: MessageId, session: DbSession) -> bool:
        """Whether a digest waits still, and what it lists is not settled."""
        wanted = {"_id": digest_id, "open": True, "listed": None}
        return await self._messages.find_one(wanted, session=session) is not None

    async def joined(self, digest_id: MessageId, session: DbSession) -> tuple[list[Message], int]:
        """Find the messages that wait for a digest, in their order, and how many it counts."""
        wanted = {"digest": digest_id, "status": MessageStatus.LISTED}
        found = self._messages.find(wanted, session=session).sort("_id", 1)
        waiting = [read_message(row) async for row in found]
        digest = await self._messages.find_one({"_id": digest_id}, session=session)
        return waiting, 0 if digest is None else digest.get("more", 0)

    async def count_more(self, digest_id: MessageId, session: DbSession) -> None:
        """Have a digest that is not settled count one more message."""
        await self._messages.update_one(
            {"_id": digest_id, "listed": None}, {"$inc": {"more": 1}}, session=session
        )

    async def settle(
        self,
        digest_id: MessageId,
        *,
        listed: Sequence[MessageId],
        more: int,
        claim: str,
        session: DbSession,
    ) -> bool:
        """Save once what a digest tells; false when another sender has claimed it since."""
        outcome = await self._messages.update_one(
            {"_id": digest_id, "open": True, "claim": claim, "listed": None},
            {"$set": {"listed": list(listed), "more": more}},
            session=session,
        )
        return bool(outcome.matched_count)

    async def listed(self, ids: Sequence[MessageId]) -> list[Message]:
        """Find messages by their ids, in the order of the ids."""
        found = self._messages.find({"_id": {"$in": sorted(ids)}}).sort("_id", 1)
        return [read_message(row) async for row in found]
