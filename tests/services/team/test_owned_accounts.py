"""Further accounts of a user, and the transfer of an account on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from rolecall import load_catalog
from services.team.store import Store
from shared.contracts.facts import shard_of
from shared.ids import AccountId, UserId, new_id
from tests.patience import PATIENT
from tests.services.team.running import Account, Person, Team, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


LIMIT = 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2, accounts_per_user=LIMIT) as ready:
        yield ready


async def owned(person: Person) -> list[str]:
    """The ids of the accounts that the person owns, as their list shows them."""
    items = (await person.get("/v1/accounts"))["items"]
    return [item["id"] for item in items if item["owner"]]


async def offered(account: Account, receiver: Person) -> str:
    """Offer the account to a member; the path of the offer."""
    path = f"{account.path}/ownership-transfer"
    body = {"user_id": receiver.user_id}
    (await account.owner.send("POST", path, body)).expect(201)
    return path


@pytest.mark.rule("Ro20", "Nv7")
async def test_a_user_creates_a_further_team_and_owns_it(team: Team) -> None:
    ana = await team.person("Ana")
    answer = await ana.send("POST", "/v1/accounts", {"name": "Motors", "catalog": "novita"})
    made = answer.expect(201)
    assert (made["kind"], made["name"], made["owner"]) == ("team", "Motors", True)
    assert (made["role"], made["catalog"]) == ("owner", load_catalog("novita").id)
    assert answer.headers["Rolecall-Revision"].split(".")[2] == str(shard_of(ana.user_id))
    assert await ana.get(f"/v1/accounts/{made['id']}") == made
    for path in ("/v1/accounts", "/v1/me/accounts"):
        items = (await ana.get(path))["items"]
        assert {item["id"] for item in items} == {ana.account_id, made["id"]}
    guest = await team.person("Guest")
    further = Account(team=team, id=made["id"], owner=ana)
    proof = await further.invite(guest.email, "developer")
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)


async def test_a_further_team_has_a_published_catalog(team: Team) -> None:
    ana = await team.person("Ana")
    default = (await ana.send("POST", "/v1/accounts", {"name": "A"})).expect(201)
    assert default["catalog"] == load_catalog("standard").id
    version = load_catalog("runos").id
    body = {"name": "B", "catalog": version}
    assert (await ana.send("POST", "/v1/accounts", body)).expect(201)["catalog"] == version
    unknown = await ana.send("POST", "/v1/accounts", {"name": "C", "catalog": "other"})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/catalog")
    for name in ("", "call +49 30 1234567", "evil.example/x"):
        refused = await ana.send("POST", "/v1/accounts", {"name": name})
        assert (refused.status, refused.code) == (422, "invalid"), name


async def test_a_user_whose_address_is_not_verified_creates_none(team: Team) -> None:
    ana = team.stranger("Ana", email_verified=False)
    refused = await ana.send("POST", "/v1/accounts", {"name": "A"})
    assert (refused.status, refused.code) == (403, "address-not-verified")
    team.identity.away = True
    try:
        assert (await ana.send("POST", "/v1/accounts", {"name": "A"})).status == 503
    finally:
        team.identity.away = False


@pytest.mark.rule("T3")
async def test_a_user_owns_no_more_accounts_than_the_limit(team: Team) -> None:
    ana = await team.person("Ana")
    body = {"name": "A"}
    answers = await asyncio.gather(
        *(ana.send("POST", "/v1/accounts", body) for _ in range(2 * LIMIT))
    )
    outcomes = sorted(str(answer.body.get("code", answer.status)) for answer in answers)
    assert outcomes == ["201"] * (LIMIT - 1) + ["account-limit"] * (LIMIT + 1)
    assert len(await owned(ana)) == LIMIT


@pytest.mark.rule("Nv7", "B3", "Rp1")
async def test_a_transfer_moves_the_account_and_leaves_a_personal_one(team: Team) -> None:
    account = await team.account()
    owner, bea = account.owner, await account.join("developer", "Bea")
    path = await offered(account, bea)
    seen = (await bea.get(account.path))["ownership_transfer"]
    assert (seen["owner_name"], seen["name"]) == ("Owner", "Bea")

    answer = await bea.send("POST", f"{path}/accept")

    accepted = answer.expect(200)
    assert (accepted["owner"], accepted["role"], accepted["ownership_transfer"]) == (
        True,
        "owner",
        None,
    )
    assert accepted["passed_invitations"] == []
    former = await owner.get(account.path)
    assert (former["owner"], former["role"]) == (False, "admin")
    [personal] = await owned(owner)
    assert personal != account.id
    assert shard_of(personal) == shard_of(account.id)
    opened = await owner.get(f"/v1/accounts/{personal}")
    assert (opened["kind"], opened["name"], opened["role"]) == ("personal", "Owner", "owner")
    (await owner.send("POST", f"{account.path}/leave")).expect(204)
    assert (await owner.send("GET", account.path)).status == 404
    again = await bea.send("POST", f"{path}/accept")
    assert (again.status, again.code) == (404, "not-found")
    rows = {row.account_id: row for row in await team.rows("ownership.transferred")}
    created = {row.account_id: row for row in await team.rows("account.created")}
    assert rows[account.id].change_id == created[personal].change_id


async def test_two_accounts_given_away_at_once_leave_a_personal_one(team: Team) -> None:
    for _ in range(3):
        first = await team.account()
        owner, bea = first.owner, await first.join("admin", "Bea")
        made = (await owner.send("POST", "/v1/accounts", {"name": "Motors"})).expect(201)
        second = Account(team=team, id=made["id"], owner=owner)
        cem = await second.join("admin", "Cem")
        paths = [await offered(first, bea), await offered(second, cem)]
        answers = await asyncio.gather(
            *(
                person.send("POST", f"{path}/accept")
                for person, path in zip((bea, cem), paths, strict=True)
            )
        )
        assert [answer.status for answer in answers] == [200, 200]
        [personal] = await owned(owner)
        assert personal not in {first.id, second.id}


@pytest.mark.rule("B3")
async def test_the_worker_ends_expired_offers(mongo_url: str, database_name: str) -> None:
    often = replace(PATIENT, offer_poll=0.05)
    async with running(mongo_url, database_name, timeouts=often, ownership_offer_days=1) as team:
        account = await team.account()
        bea = await account.join("admin", "Bea")
        await offered(account, bea)
        store = Store(team.database)
        now = team.clock.now()
        later = now + timedelta(days=1)
        assert await store.accounts_with_offers_until(now, limit=10) == []
        assert await store.accounts_with_offers_until(later, limit=10) == [account.id]
        found = await store.account(AccountId(account.id))
        assert found is not None
        assert found.offer is not None
        assert found.offer.user_id == UserId(bea.user_id)
        team.clock.move(timedelta(days=1).total_seconds())

        async def ended() -> bool:
            return bool(await team.rows("ownership.offer_ended"))

        await wait_for(ended, what="the end of the offer")
        assert await store.accounts_with_offers_until(later, limit=10) == []
