"""Accounts in the database."""

from datetime import datetime

from services.team.domain.accounts import Account
from services.team.domain.custom_roles import CustomRole
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.domain.ownership_offers import OwnershipOffer
from services.team.store.places import EVERYWHERE, at
from services.team.store.policy_documents import policy_document
from shared.contracts.facts import SHARDS, shard_of
from shared.documents import read
from shared.ids import AccountId
from shared.mongo import (
    Database,
    DbSession,
    Document,
    Lost,
    insert_once,
    majority,
    update_expected,
)


class AccountRows:
    """The collection `accounts`."""

    def __init__(self, database: Database) -> None:
        self._accounts = majority(database, "accounts")

    async def account(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> Account | None:
        """The account of that id."""
        found = await self._accounts.find_one(at(account_id, account_id), session=session)
        return None if found is None else read_account(found)

    async def accounts(
        self, account_ids: list[AccountId], session: DbSession | None = None
    ) -> dict[AccountId, Account]:
        """Those of these accounts that exist."""
        shards = {shard_of(account_id) for account_id in account_ids}
        wanted = {"_id": {"$in": account_ids}, "shard": {"$in": sorted(shards)}}
        rows = self._accounts.find(wanted, session=session)
        return {AccountId(row["_id"]): read_account(row) async for row in rows}

    async def count_accounts(self, catalog_id: str) -> int:
        """How many accounts have this version of a catalog."""
        wanted = {"catalog": catalog_id, "shard": EVERYWHERE}
        return await self._accounts.count_documents(wanted)

    async def accounts_of_catalog(
        self, catalog_id: str, *, after: AccountId | None, limit: int
    ) -> list[AccountId]:
        """Accounts that have this version, shard by shard; `after` is the last one before."""
        first = 0 if after is None else shard_of(after)
        found: list[AccountId] = []
        for shard in range(first, SHARDS):
            wanted: Document = {"shard": shard, "catalog": catalog_id}
            if after is not None and shard == first:
                wanted["_id"] = {"$gt": after}
            left = limit - len(found)
            rows = self._accounts.find(wanted, {"_id": 1}).sort("_id", 1).limit(left)
            found += [AccountId(row["_id"]) async for row in rows]
            if len(found) == limit:
                break
        return found

    async def accounts_with_offers_until(self, moment: datetime, *, limit: int) -> list[AccountId]:
        """Accounts whose offer is over at that moment, the longest over first, `limit` at most."""
        over = {"offer_expires_at": {"$lte": moment}, "shard": EVERYWHERE}
        rows = self._accounts.find(over, {"_id": 1}).sort("offer_expires_at", 1).limit(limit)
        return [AccountId(row["_id"]) async for row in rows]

    async def insert_account(self, account: Account, *, rev: int, session: DbSession) -> None:
        """Save a new account.

        Raises:
            AlreadyThere: the id is taken.
        """
        await insert_once(self._accounts, _account(account, rev), session)

    async def update_account(
        self, account: Account, *, expected_rev: int, rev: int, session: DbSession
    ) -> None:
        """Save the account over the one with `account_rev == expected_rev`.

        Raises:
            Lost: another write of the account was first.
        """
        expected = {**at(account.account_id, account.account_id), "account_rev": expected_rev}
        changed = {name: value for name, value in _account(account, rev).items() if name != "_id"}
        await update_expected(self._accounts, expected, {"$set": changed}, session)

    async def delete_account(
        self, account_id: AccountId, *, expected_rev: int, session: DbSession
    ) -> None:
        """Delete the account with `account_rev == expected_rev`.

        Raises:
            Lost: another write of the account was first.
        """
        expected = {**at(account_id, account_id), "account_rev": expected_rev}
        outcome = await self._accounts.delete_one(expected, session=session)
        if outcome.deleted_count != 1:
            raise Lost(self._accounts.name)


def read_account(row: Document) -> Account:
    """The account of a document; those of earlier versions lack what came later."""
    roles = tuple(CustomRole(**role) for role in row.get("roles", ()))
    guardrails = tuple(_read_guardrail(one) for one in row.get("guardrails", ()))
    offer = row.get("offer")
    return read(
        Account,
        row
        | {
            "roles": roles,
            "guardrails": guardrails,
            "offer": None if offer is None else OwnershipOffer(**offer),
        },
    )


def _read_guardrail(stored: Document) -> Guardrail:
    rule = stored["rule"]
    kind, roles = GuardrailKind(rule["kind"]), tuple(rule["roles"])
    return Guardrail(**{**stored, "rule": GuardrailRule(**{**rule, "kind": kind, "roles": roles})})


def _account(account: Account, rev: int) -> dict[str, object]:
    key = account.account_id
    expires_at = None if account.offer is None else account.offer.expires_at
    row = policy_document(account, key=key, account_id=key, rev=rev)
    return row | {"offer_expires_at": expires_at}
