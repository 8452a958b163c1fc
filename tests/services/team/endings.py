"""Accounts that end, in the tests of their ending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.team.domain.members import Membership
from services.team.store.policy_documents import policy_document
from shared.contracts.facts import shard_of
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.journal import rows
from tests.services.team.running import Account, Reply
from tests.support.service import ADMIN_KEY

if TYPE_CHECKING:
    from shared.contracts.facts import Row

NOT_OF_THE_ACCOUNT = {"journal", "idempotency", "receipts"}
"""Collections that keep what was recorded and answered; the others have nothing afterwards."""


async def further(account: Account) -> Account:
    """The same account, after its owner's sessions have got another one to begin in."""
    users, owner = account.team.identity.users, account.owner.user_id
    users[owner] = users[owner].model_copy(update={"account_id": new_id("acc")})
    return account


async def furnish(account: Account) -> None:
    """A member, an override, a custom role with a holder, a project and two invitations."""
    owner, path = account.owner, account.path
    member = await account.join("basic")
    await account.join("admin")
    project = (await owner.send("POST", f"{path}/projects", {"name": "prod"})).expect(201)["id"]
    override = f"{path}/projects/{project}/overrides/{member.user_id}"
    grants = {"grants": {"instance": {"view": "all"}}}
    (await owner.send("PUT", override, grants)).expect(200)
    role = {"name": "Watch", "grants": {"account": {"view": "all"}}}
    role_id = (await owner.send("POST", f"{path}/roles", role)).expect(201)["id"]
    await account.join(role_id, "Watcher")
    await account.invite("open@example.com", "basic")


async def fill(account: Account, members: int) -> None:
    """Members as they would be after that many acceptances."""
    documents = []
    for number in range(members):
        email = f"member{number}@example.com"
        row = Membership(
            account_id=AccountId(account.id),
            user_id=UserId(new_id("usr")),
            membership_id=MembershipId(new_id("mem")),
            role="basic",
            email=email,
            email_key=email,
            name=f"Member {number}",
            joined_at=account.team.clock.now(),
        )
        key = f"{row.account_id}/{row.user_id}"
        documents.append(policy_document(row, key=key, account_id=row.account_id, rev=1))
    await account.team.database["members"].insert_many(documents)


async def operate(account: Account, what: str, body: Any = None, key: str = ADMIN_KEY) -> Reply:
    """Suspend or resume the account as the operator."""
    path = f"/internal/admin/accounts/{account.id}/{what}"
    return await account.team.send("POST", path, body, token=key)


async def rows_of(account: Account, *actions: str) -> list[Row]:
    """The rows of the account, in their order; with `actions` only those."""
    wanted = {"shard": shard_of(account.id)}
    found = [
        rows.read(row).row
        async for row in account.team.database["journal"].find(wanted).sort("seq", 1)
    ]
    return [
        row
        for row in found
        if row.account_id == account.id and (not actions or row.action in actions)
    ]


async def rows_left(account: Account) -> set[str]:
    """The collections that have a document of the account."""
    database = account.team.database
    found = set()
    for name in await database.list_collection_names():
        if name not in NOT_OF_THE_ACCOUNT:
            async for row in database[name].find({}):
                if account.id in str(row):
                    found.add(name)
    return found
