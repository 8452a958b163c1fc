"""An owner deletes an account, may restore it for some time, and then its rows end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import pytest_asyncio

from services.team.routes import ROUTES
from services.team.store import Store
from services.team.store.places import of_account
from shared.contracts.facts import shard_of
from shared.http.access import Permission
from shared.ids import new_id
from tests.patience import PATIENT
from tests.services.team.endings import furnish, further, operate, rows_left, rows_of
from tests.services.team.running import Account, Team, running
from tests.services.team.test_access import ask
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.ids import AccountId, UserId
    from shared.mongo import Database


GUARDED = [route for route in ROUTES if isinstance(route.access, Permission)]
OWNERS = {"deleteAccount", "restoreAccount"}
OFTEN = replace(PATIENT, deletion_poll=0.2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, each looking often for what is due."""
    async with running(mongo_url, new_id("test"), replicas=2, timeouts=OFTEN) as ready:
        yield ready


async def account_of(team: Team) -> Account:
    account = await further(await team.account())
    await furnish(account)
    return account


async def delete(account: Account) -> Any:
    return await account.owner.send("DELETE", f"{account.path}?confirm=Engines")


async def restore(account: Account) -> Any:
    return await account.owner.send("POST", f"{account.path}/restore")


async def come_due(account: Account) -> None:
    """Let the time to restore the account be over."""
    past = account.team.clock.now() - timedelta(seconds=1)
    accounts = account.team.database["accounts"]
    wanted = {"_id": account.id, "status": "deleting"}
    await accounts.update_one(wanted, {"$set": {"deletes_at": past}})


async def ended(account: Account) -> None:
    async def gone() -> bool:
        return bool(await rows_of(account, "account.deleted"))

    await wait_for(gone, what="the end of the account")


@pytest.mark.rule("Ci12")
async def test_only_its_owner_can_look_at_a_deleted_account(team: Team) -> None:
    account = await account_of(team)
    before = (await account.owner.get(f"{account.path}/members"))["items"]

    deleted = (await delete(account)).expect(200)

    assert deleted["status"] == "deleting"
    until = (team.clock.now() + timedelta(days=30)).date().isoformat()
    assert deleted["deletes_at"].startswith(until)
    stranger = await team.person("Stranger")
    for route in GUARDED:
        for person in (account.people["admin"], account.people["basic"]):
            answer = await ask(person, route, account)
            assert (answer.status, answer.code) == (403, "account-deleting"), route.operation_id
        assert (await ask(stranger, route, account)).status == 404, route.operation_id
        if route.method != "GET" and route.operation_id not in OWNERS:
            own = await ask(account.owner, route, account)
            assert (own.status, own.code) == (403, "account-deleting"), route.operation_id
    assert (await account.owner.get(f"{account.path}/members"))["items"] == before
    assert (await account.owner.get(f"{account.path}/projects"))["items"]


@pytest.mark.rule("Ro20")
async def test_the_lists_show_that_the_account_is_being_deleted(team: Team) -> None:
    account = await account_of(team)
    until = (await delete(account)).expect(200)["deletes_at"]
    for person in (account.owner, account.people["basic"]):
        [shown] = [
            one for one in (await person.get("/v1/me/accounts"))["items"] if one["id"] == account.id
        ]
        assert (shown["status"], shown["deletes_at"]) == ("deleting", until)


async def test_a_restored_account_is_as_it_was(team: Team) -> None:
    account = await account_of(team)
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    basic = account.people["basic"]
    before = await basic.get(f"{account.path}/me/permissions")
    (await delete(account)).expect(200)
    assert (await guest.send("POST", "/v1/invitations/accept", proof)).status == 410

    restored = (await restore(account)).expect(200)

    assert (restored["status"], restored["deletes_at"]) == ("active", None)
    assert await basic.get(f"{account.path}/me/permissions") == before
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)


@pytest.mark.rule("Rp13")
async def test_everyone_is_told_once_that_access_ends_and_returns(team: Team) -> None:
    account = await account_of(team)
    for change in (delete, delete, restore, restore):
        (await change(account)).expect(200)
    told = await rows_of(
        account, "account.deletion_requested", "account.restored", "account.members_informed"
    )
    assert [row.action for row in told] == [
        "account.deletion_requested",
        "account.members_informed",
        "account.restored",
        "account.members_informed",
    ]
    assert {told[0].data["owner_email"], told[2].data["owner_email"]} == {account.owner.email}
    for row, about in ((told[1], "deletion"), (told[3], "restoration")):
        assert row.data["about"] == about
        assert sorted(row.data["emails"]) == sorted(one.email for one in account.people.values())
    status = [(row.policy_objects[0].state or {})["status"] for row in (told[0], told[2])]
    assert status == ["deleting", "active"]


async def test_only_the_owner_deletes_and_types_the_name(team: Team) -> None:
    account = await account_of(team)
    path = f"{account.path}?confirm=Engines"
    for role, code in (("admin", "owner-only"), ("basic", "permission-missing")):
        refused = await account.people[role].send("DELETE", path)
        assert (refused.status, refused.code) == (403, code)
    back = await account.people["admin"].send("POST", f"{account.path}/restore")
    assert (back.status, back.code) == (403, "owner-only")
    for wrong in (f"{account.path}?confirm=engines", account.path):
        refused = await account.owner.send("DELETE", wrong)
        assert (refused.status, refused.code) == (422, "confirmation-wrong")
    assert (await account.owner.get(account.path))["status"] == "active"


async def test_a_deletion_compares_the_tag_of_the_account(team: Team) -> None:
    account = await account_of(team)
    path = f"{account.path}?confirm=Engines"
    tag = (await account.owner.send("GET", account.path)).headers["ETag"]
    stale = await account.owner.send("DELETE", path, If_Match='"stale"')
    assert (stale.status, stale.code) == (412, "precondition-failed")
    for _ in range(2):  # the repeat of a deletion whose answer was lost
        deleted = await account.owner.send("DELETE", path, If_Match=tag)
        assert deleted.expect(200)["status"] == "deleting"


@pytest.mark.rule("Ro21")
async def test_an_owner_without_another_account_gets_a_personal_one(team: Team) -> None:
    account = await team.account()
    owner = account.owner
    team.identity.away = True
    try:
        assert (await delete(account)).status == 503
    finally:
        team.identity.away = False
    assert (await owner.get(account.path))["status"] == "active"

    (await delete(account)).expect(200)

    accounts = {one["id"]: one for one in (await owner.get("/v1/accounts"))["items"]}
    assert accounts.pop(account.id)["status"] == "deleting"
    [personal] = accounts.values()
    assert (personal["kind"], personal["status"], personal["role"]) == (
        "personal",
        "active",
        "owner",
    )
    [told] = await rows_of(account, "account.deletion_requested")
    [created] = [r for r in await team.rows("account.created") if r.account_id == personal["id"]]
    assert (created.change_id, created.data["number"]) == (told.change_id, 1)
    project = await owner.send("POST", f"/v1/accounts/{personal['id']}/projects", {"name": "p"})
    assert project.status == 201
    for _ in range(2):  # the repeat of a deletion opens no more accounts
        (await delete(account)).expect(200)
    (await restore(account)).expect(200)
    assert {one["status"] for one in (await owner.get("/v1/accounts"))["items"]} == {"active"}
    assert len((await owner.get("/v1/accounts"))["items"]) == 2


async def neighbour(account: Account) -> Account:
    """An account whose rows are in the same shard."""
    owner = account.team.stranger("Neighbour")
    while shard_of(owner.account_id) != shard_of(account.id):
        owner = account.team.stranger("Neighbour")
    (await owner.send("POST", f"{owner.path}/convert", {"name": "Next"})).expect(200)
    return Account(team=account.team, id=owner.account_id, owner=owner)


async def test_nothing_but_the_log_is_left_of_a_deleted_account(team: Team) -> None:
    account = await account_of(team)
    other = await neighbour(account)
    await furnish(other)
    before = await rows_left(other)
    (await delete(account)).expect(200)
    recorded = await rows_of(account)

    await come_due(account)
    await ended(account)

    assert await rows_left(account) == set()
    assert await rows_left(other) == before
    assert (await rows_of(account))[: len(recorded)] == recorded
    [gone] = await rows_of(account, "account.deleted")
    assert [(one.kind, one.state) for one in gone.policy_objects] == [("account", None)]
    assert (gone.actor.type, gone.actor.id) == ("service", "team")
    for person in (account.owner, account.people["admin"]):
        assert (await person.send("GET", account.path)).status == 404
        assert account.id not in str(await person.get("/v1/me/accounts"))


async def test_a_suspended_account_is_not_deleted_until_it_is_resumed(team: Team) -> None:
    account = await account_of(team)
    (await delete(account)).expect(200)
    (await operate(account, "suspend", {"reason": "An inquiry."})).expect(200)
    past = team.clock.now() - timedelta(days=1)
    await team.database["accounts"].update_one({"_id": account.id}, {"$set": {"deletes_at": past}})
    due = await account_of(team)
    (await delete(due)).expect(200)
    await come_due(due)
    await ended(due)
    assert await rows_of(account, "account.deleted") == []
    (await operate(account, "resume")).expect(200)
    await come_due(account)
    await ended(account)


@pytest.mark.parametrize("number", range(3))
async def test_a_restoration_at_the_last_moment_is_whole_or_refused(
    team: Team, number: int
) -> None:
    account = await account_of(team)
    (await delete(account)).expect(200)
    before = await rows_left(account)

    async def late() -> Any:
        await asyncio.sleep(number * 0.1)
        return await restore(account)

    _, answer = await asyncio.gather(come_due(account), late())

    if answer.status == 200:
        assert await rows_left(account) == before
        assert await rows_of(account, "account.deleted") == []
    else:
        assert (answer.status, answer.code) in {(409, "deletion-began"), (404, "not-found")}
        await ended(account)
        assert await rows_left(account) == set()
    assert len(await rows_of(account, "account.deleted")) == (answer.status != 200)


class Interrupted(Store):
    """A store that dies after each row of an account that it deletes."""

    deaths = 0

    async def delete_rows_of(self, account_id: AccountId, owner_id: UserId, *, limit: int) -> bool:
        deleted = await super().delete_rows_of(account_id, owner_id, limit=1)
        if deleted:
            type(self).deaths += 1
            raise InterruptedError("killed between two batches")
        return deleted


@asynccontextmanager
async def interrupted(mongo_url: str) -> AsyncIterator[Team]:
    wiring = {"store": Interrupted}
    async with running(mongo_url, new_id("test"), timeouts=OFTEN, wiring=wiring) as ready:
        yield ready


async def test_a_deletion_goes_on_after_a_kill_at_any_batch(mongo_url: str) -> None:
    async with interrupted(mongo_url) as team:
        account = await further(await team.account())
        await account.join("basic")
        await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
        (await delete(account)).expect(200)
        await come_due(account)
        await wait_for(lambda: Interrupted.deaths > 0, what="the first death")
        refused = await restore(account)
        assert refused.status in {404, 409}
        refused = await operate(account, "suspend", {"reason": "Too late."})
        assert refused.status in {404, 409}
        await ended(account)
        assert await rows_left(account) == set()
        assert len(await rows_of(account, "account.deleted")) == 1


class Late(Store):
    """A store into which rows come after the last batch of a deletion."""

    late: ClassVar[Database]

    async def delete_rows_of(self, account_id: AccountId, owner_id: UserId, *, limit: int) -> bool:
        deleted = await super().delete_rows_of(account_id, owner_id, limit=limit)
        if not deleted:
            row = {**of_account(account_id), "_id": f"{account_id}/late"}
            for name in ("resources", "overrides", "invitations"):
                await self.late[name].insert_one(dict(row))
            count = {"_id": f"account/{account_id}", "shard": row["shard"]}
            await self.late["invitation_counts"].insert_one(count)
        return deleted


async def test_what_comes_after_the_last_batch_ends_with_the_account(mongo_url: str) -> None:
    wiring = {"store": Late}
    async with running(mongo_url, new_id("test"), timeouts=OFTEN, wiring=wiring) as team:
        Late.late = team.database
        account = await further(await team.account())
        (await delete(account)).expect(200)
        await come_due(account)
        await ended(account)
        assert await rows_left(account) == set()
