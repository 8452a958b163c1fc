"""Webhooks in MongoDB."""

from datetime import datetime

from services.notification.domain.webhooks import Webhook
from shared.documents import changes, document, read
from shared.ids import AccountId, WebhookId
from shared.mongo import Database, DbSession, insert_once, majority, update_expected


class Webhooks:
    """The collection `webhooks`; an account has few."""

    def __init__(self, database: Database) -> None:
        self._webhooks = majority(database, "webhooks")

    async def find(
        self, account_id: AccountId, webhook_id: WebhookId, session: DbSession | None = None
    ) -> Webhook | None:
        """Find a webhook of an account."""
        wanted = {"_id": webhook_id, "account_id": account_id}
        found = await self._webhooks.find_one(wanted, session=session)
        return None if found is None else read(Webhook, found)

    async def of_account(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[Webhook]:
        """Find the webhooks of an account, the oldest first."""
        found = self._webhooks.find({"account_id": account_id}, session=session).sort("_id", 1)
        return [read(Webhook, row) async for row in found]

    async def insert(self, webhook: Webhook, session: DbSession) -> None:
        """Add a webhook."""
        await insert_once(self._webhooks, document(webhook), session)

    async def update(self, before: Webhook, after: Webhook, session: DbSession) -> None:
        """Save a changed webhook over the state that was read.

        Raises:
            Lost: it has changed since.
        """
        expected = {
            "_id": before.id,
            "account_id": before.account_id,
            "changes": before.changes,
        }
        await update_expected(self._webhooks, expected, {"$set": changes(after)}, session)

    async def delete(self, webhook: Webhook, session: DbSession) -> None:
        """Delete a webhook."""
        await self._webhooks.delete_one(_at(webhook), session=session)

    async def note_failure(self, webhook: Webhook, at: datetime) -> None:
        """Save since when no attempt has succeeded."""
        failed = {**_at(webhook), "failing_since": None}
        await self._webhooks.update_one(failed, {"$set": {"failing_since": at}})

    async def note_success(self, webhook: Webhook) -> None:
        """Forget that attempts failed."""
        failed = {**_at(webhook), "failing_since": {"$ne": None}}
        await self._webhooks.update_one(failed, {"$set": {"failing_since": None}})


def _at(webhook: Webhook) -> dict[str, str]:
    return {"_id": webhook.id, "account_id": webhook.account_id}
