"""Accounts whose deletion is due, and the end of their rows in every collection."""

from datetime import datetime

from rolecall import AccountStatus
from services.team.store.places import EVERYWHERE, at, of_account
from shared.contracts.facts import shard_of
from shared.ids import AccountId, UserId
from shared.mongo import Database, DbSession, Document, majority

ACCOUNTS_OF_A_LOOK = 100
OF_JOINS = ("former_members", "join_refusals")
COLLECTIONS = (*OF_JOINS, "overrides", "resources", "projects", "invitations", "members")
"""What an account has beside its own row and its counts. The journal stays, and with it the log."""


class DeletionRows:
    """All collections with rows of accounts."""

    def __init__(self, database: Database) -> None:
        self._deletable = majority(database, "accounts")
        self._counts = majority(database, "invitation_counts")
        self._rows_of_accounts = [majority(database, name) for name in COLLECTIONS]

    async def due_accounts(self, *, now: datetime) -> list[AccountId]:
        """Accounts whose rows are to be deleted, the longest due first; some if there are many."""
        found = self._deletable.find({**_due(now), "shard": EVERYWHERE}, {"_id": 1})
        rows = found.sort("deletes_at", 1)
        return [AccountId(row["_id"]) async for row in rows.limit(ACCOUNTS_OF_A_LOOK)]

    async def mark_purging(self, account_id: AccountId, *, now: datetime) -> bool:
        """Mark the account unless it was restored or suspended; return whether it is marked."""
        wanted = {**at(account_id, account_id), **_due(now)}
        outcome = await self._deletable.update_one(wanted, {"$set": {"purging": True}})
        return outcome.matched_count == 1

    async def delete_rows_of(self, account_id: AccountId, owner_id: UserId, *, limit: int) -> bool:
        """Delete some rows of the account, but neither its own nor its owner's membership.

        Returns:
            Whether there were any.
        """
        shard = shard_of(account_id)
        for collection in self._rows_of_accounts:
            wanted = of_account(account_id)
            if collection.name == "members":
                wanted["user_id"] = {"$ne": owner_id}
            found = await collection.find(wanted, {"_id": 1}).limit(limit).to_list(limit)
            if found:
                some = {"_id": {"$in": [row["_id"] for row in found]}, "shard": shard}
                await collection.delete_many(some)
                return True
        await self._counts.delete_many(_counts_of(account_id))
        return False

    async def delete_rest_of(self, account_id: AccountId, session: DbSession) -> None:
        """Delete what came after the batches; only the account's own row is left."""
        for collection in self._rows_of_accounts:
            await collection.delete_many(of_account(account_id), session=session)
        await self._counts.delete_many(_counts_of(account_id), session=session)


def _counts_of(account_id: AccountId) -> Document:
    ids = [f"account/{account_id}", f"mails/{account_id}"]
    return {"_id": {"$in": ids}, "shard": shard_of(account_id)}


def _due(now: datetime) -> Document:
    return {"deletes_at": {"$lte": now}, "status": AccountStatus.DELETING.value}
