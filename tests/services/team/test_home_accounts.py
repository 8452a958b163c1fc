"""The home of a user, in which sessions begin: always an account that the user owns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from shared.ids import new_id
from tests.patience import PATIENT
from tests.services.rows import row_of
from tests.services.team.endings import rows_of
from tests.services.team.running import Account, Person, Team, running, verified
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """A team that looks often for accounts whose time to be restored is over."""
    often = replace(PATIENT, deletion_poll=0.2)
    async with running(mongo_url, new_id("test"), timeouts=often) as ready:
        yield ready


async def give(account: Account, receiver: Person) -> None:
    path = f"{account.path}/ownership-transfer"
    body = {"user_id": receiver.user_id}
    (await account.owner.send("POST", path, body)).expect(201)
    (await receiver.send("POST", f"{path}/accept")).expect(200)


async def end(account: Account, owner: Person) -> None:
    """Delete the account, and wait until its rows are gone."""
    (await owner.send("DELETE", f"{account.path}?confirm=Engines")).expect(200)
    past = account.team.clock.now() - timedelta(seconds=1)
    accounts = account.team.database["accounts"]
    await accounts.update_one({"_id": account.id}, {"$set": {"deletes_at": past}})

    async def gone() -> bool:
        return bool(await rows_of(account, "account.deleted"))

    await wait_for(gone, what="the end of the account")


async def lose(account: Account, way: str) -> None:
    """Let the owner lose the account in this way."""
    owner = account.owner
    if way == "revert":
        (await owner.send("POST", f"{account.path}/revert", {"confirm": "Engines"})).expect(200)
    elif way == "deletion":
        await end(account, owner)
    else:
        receiver = await account.join("admin", "Receiver")
        await give(account, receiver)
        if way == "removal":
            member = f"{account.path}/members/{owner.user_id}"
            (await receiver.send("DELETE", member)).expect(204)
        else:
            (await owner.send("POST", f"{account.path}/leave")).expect(204)
        if way == "deletion by the receiver":
            await end(account, receiver)


async def home_of(person: Person) -> str:
    """Where identity lets the person's sessions begin, as soon as it has been told everything."""
    told = [
        (row.data["number"], row.account_id)
        for row in await person.team.rows("account.created")
        if row.data["owner_user_id"] == person.user_id and row.data["number"]
    ]
    return str(max(told)[1]) if told else person.account_id


async def owned(person: Person) -> set[str]:
    items = (await person.get("/v1/accounts"))["items"]
    return {item["id"] for item in items if item["owner"]}


@pytest.mark.rule("Ro21", "Rp1")
@pytest.mark.parametrize("further", [0, 1])
@pytest.mark.parametrize(
    "way", ["leave", "removal", "deletion", "deletion by the receiver", "revert"]
)
async def test_sessions_begin_in_their_own_account(team: Team, way: str, further: int) -> None:
    account = await team.account()
    owner = account.owner
    for _ in range(further):
        (await owner.send("POST", "/v1/accounts", {"name": "Motors"})).expect(201)

    await lose(account, way)

    kept = way == "revert"
    assert (await owner.send("GET", account.path)).status == (200 if kept else 404)
    await team.tell(row_of(verified(owner)))  # neither a request nor a late fact opens it again
    found = await owned(owner)
    assert len(found) == 1 + further
    assert (account.id in found) is kept
    assert await home_of(owner) in found


@pytest.mark.rule("Ro21")
async def test_a_home_given_away_before_identity_knows_it_is_replaced(team: Team) -> None:
    first = await team.account()
    owner = first.owner
    (await owner.send("DELETE", f"{first.path}?confirm=Engines")).expect(200)
    (await owner.send("POST", f"{first.path}/restore")).expect(200)
    second = Account(team=team, id=await home_of(owner), owner=owner)
    body = {"name": "Engines", "catalog": "standard"}
    (await owner.send("POST", f"{second.path}/convert", body)).expect(200)

    await give(second, await second.join("admin", "Cem"))

    third = await home_of(owner)
    assert third not in {first.id, second.id}
    assert third in await owned(owner)
