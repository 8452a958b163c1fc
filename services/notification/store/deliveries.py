"""Deliveries in MongoDB.

A delivery that waits is `open` and has a `due_at`. A sender moves `due_at` ahead and writes its
claim. After a crash the delivery is due again when the claim runs out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.notification.domain.deliveries import (
    DELIVERY_RETENTION,
    KEPT_ATTEMPTS,
    AttemptVerdict,
    DeliveryStatus,
    WebhookDelivery,
)
from shared.documents import document, read
from shared.ids import AccountId, DeliveryId, WebhookId
from shared.mongo import Database, DbSession, Document, majority
from shared.receivers.attempts import ReceiverAttempt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class WaitingDeliveries:
    """The backlog: deliveries in or before their first request, those tried more often, its age."""

    fresh: int
    tried: int
    overdue: timedelta


class Deliveries:
    """The collection `deliveries`; the database deletes those of old events."""

    def __init__(self, database: Database) -> None:
        self._deliveries = majority(database, "deliveries")

    async def add(self, delivery: WebhookDelivery, session: DbSession) -> None:
        """Queue a delivery; one with the same id stays unchanged."""
        content = document(delivery, claim=None, open=True, **_kept(delivery.created_at))
        await self._deliveries.update_one(
            {"_id": content.pop("_id")}, {"$setOnInsert": content}, upsert=True, session=session
        )

    async def due(
        self, now: datetime, *, closed: Sequence[WebhookId], limit: int
    ) -> list[tuple[WebhookDelivery, str | None]]:
        """Find what is due, the longest waiting first, each with the claim that has run out.

        `closed` are the webhooks that get no further request now.
        """
        wanted = {
            "open": True,
            "due_at": {"$gt": _EPOCH, "$lte": now},
            "webhook_id": {"$nin": list(closed)},
        }
        found = self._deliveries.find(wanted).sort("due_at", 1).limit(limit)
        return [(read(WebhookDelivery, row), row["claim"]) async for row in found]

    async def waiting(self, now: datetime, *, limit: int = 10_000) -> WaitingDeliveries:
        """Count what is not ended, up to `limit` of each kind, and find the longest due."""
        first = await self.due(now, closed=(), limit=1)
        fresh, tried = [
            await self._deliveries.count_documents({"open": True, "tries": tries}, limit=limit)
            for tries in ({"$lte": 1}, {"$gt": 1})
        ]
        since = first[0][0].due_at if first else None
        overdue = timedelta() if since is None else now - since
        return WaitingDeliveries(fresh=fresh, tried=tried, overdue=overdue)

    async def claim(
        self, delivery: WebhookDelivery, former: str | None, *, claim: str, until: datetime
    ) -> bool:
        """Claim a delivery that `due` gave; false when another sender claimed it first."""
        outcome = await self._deliveries.update_one(
            {"_id": delivery.id, "open": True, "claim": former, "due_at": delivery.due_at},
            {"$set": {"claim": claim, "due_at": until}, "$inc": {"tries": 1}},
        )
        return bool(outcome.matched_count)

    async def save(
        self,
        delivery: WebhookDelivery,
        attempt: ReceiverAttempt | None,
        verdict: AttemptVerdict,
        *,
        claim: str,
        now: datetime,
        session: DbSession | None = None,
    ) -> bool:
        """Save what came of a claimed delivery; false when another sender has claimed it since."""
        pending = verdict.status is DeliveryStatus.PENDING
        content: Document = {"status": verdict.status.value, "open": pending, "claim": None}
        content |= {"due_at": verdict.due_at, "finished_at": None if pending else now}
        change: Document = {"$set": content}
        if attempt is not None:
            change["$push"] = {"attempts": {"$each": [attempt.shown()], "$slice": -KEPT_ATTEMPTS}}
        outcome = await self._deliveries.update_one(
            {"_id": delivery.id, "open": True, "claim": claim}, change, session=session
        )
        return bool(outcome.matched_count)

    async def find(
        self, webhook_id: WebhookId, delivery_id: DeliveryId, session: DbSession | None = None
    ) -> WebhookDelivery | None:
        """Find a delivery of a webhook."""
        wanted = {"_id": delivery_id, "webhook_id": webhook_id}
        found = await self._deliveries.find_one(wanted, session=session)
        return None if found is None else read(WebhookDelivery, found)

    async def page(
        self,
        webhook_id: WebhookId,
        *,
        status: DeliveryStatus | None,
        before: str | None,
        limit: int,
    ) -> list[WebhookDelivery]:
        """Find deliveries of a webhook, those of the newest events first; `before` is an id."""
        wanted: Document = {"webhook_id": webhook_id}
        if status is not None:
            wanted["status"] = status.value
        if before is not None:
            wanted["_id"] = {"$lt": before}
        found = self._deliveries.find(wanted).sort("_id", -1).limit(limit)
        return [read(WebhookDelivery, row) async for row in found]

    async def failed_since(
        self, webhook_id: WebhookId, since: datetime, session: DbSession, *, limit: int
    ) -> list[DeliveryId]:
        """Find failed deliveries that were queued first at this moment or later, oldest first."""
        wanted = {
            "webhook_id": webhook_id,
            "status": DeliveryStatus.FAILED.value,
            "created_at": {"$gte": since},
        }
        found = self._deliveries.find(wanted, {"_id": 1}, session=session)
        return [row["_id"] async for row in found.sort("_id", 1).limit(limit)]

    async def queue_again(
        self,
        webhook_id: WebhookId,
        ids: Sequence[DeliveryId],
        session: DbSession,
        *,
        now: datetime,
    ) -> int:
        """Queue those of these deliveries of a webhook that are finished; give their number.

        They are kept no longer for it.
        """
        again = {
            "status": DeliveryStatus.PENDING.value,
            "open": True,
            "claim": None,
            "tries": 0,
            "due_at": now,
            "finished_at": None,
        }
        outcome = await self._deliveries.update_many(
            {"_id": {"$in": list(ids)}, "webhook_id": webhook_id, "open": False},
            {"$set": again},
            session=session,
        )
        return int(outcome.modified_count)

    async def count_since(
        self,
        webhook_id: WebhookId,
        event_type: str,
        since: datetime,
        session: DbSession,
        *,
        limit: int,
    ) -> int:
        """Count the deliveries of one type that were queued at this moment or later."""
        wanted = {
            "webhook_id": webhook_id,
            "event_type": event_type,
            "created_at": {"$gte": since},
        }
        found = self._deliveries.find(wanted, {"_id": 1}, session=session).limit(limit)
        return len([row async for row in found])

    async def delete(self, delivery: WebhookDelivery) -> None:
        """Delete a delivery whose webhook is gone."""
        await self._deliveries.delete_one({"_id": delivery.id})

    async def delete_of_account(self, account_id: AccountId, session: DbSession) -> None:
        """Delete every delivery of an account that is gone."""
        await self._deliveries.delete_many({"account_id": account_id}, session=session)


def _kept(queued_at: datetime) -> dict[str, datetime]:
    return {"delete_at": queued_at + DELIVERY_RETENTION}
