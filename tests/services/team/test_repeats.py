"""Every row that takes an `Idempotency-Key`, repeated at once, later, and by others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from services.team.routes import ROUTES
from shared.ids import new_id
from tests.services.team.running import Account, Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.http.routes import Route


KEY = "one-key"
"""The same for all routes and callers: their keys are different ones all the same."""
IDEMPOTENT = [route for route in ROUTES if route.idempotent]
INVITATION = {"email": "guest@example.com", "role": "developer", "delivery": "link"}
BODIES: dict[str, Any] = {
    "convertAccount": {"name": "Engines"},
    "moveToCatalog": {"catalog": "novita"},
    "createProject": {"name": "prod"},
    "inviteMember": INVITATION,
    "createGuardrail": {
        "name": "Admins",
        "rule": {"type": "minimum_holders", "minimum": 1, "role": "admin"},
    },
    "createRole": {"name": "Watch", "grants": {"account": {"view": "all"}}},
    "createAccount": {"name": "Further"},
    "offerOwnership": {"user_id": "of a member"},
}
"""What each row sends; a row that is new in `idempotent` and takes a body needs one here."""

named = pytest.mark.parametrize(
    "route", IDEMPOTENT, ids=[route.operation_id for route in IDEMPOTENT]
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        yield ready


async def owner_of(team: Team, route: Route) -> Account:
    """An account in which the row has not been used yet; the `owner` is the one who may use it."""
    if route.operation_id == "convertAccount":
        owner = await team.person("Owner")
        return Account(team=team, id=owner.account_id, owner=owner)
    account = await team.account()
    if route.operation_id in {"offerOwnership", "acceptOwnership"}:
        account.people["receiver"] = await account.join("viewer", "Receiver")
    if route.operation_id == "acceptOwnership":
        receiver = account.people["receiver"]
        offer = f"{account.path}/ownership-transfer"
        (await account.owner.send("POST", offer, {"user_id": receiver.user_id})).expect(201)
        account.owner = receiver
    return account


def body_of(account: Account, route: Route) -> Any:
    if route.operation_id == "offerOwnership":
        return {"user_id": account.people["receiver"].user_id}
    return BODIES.get(route.operation_id)


async def path_of(account: Account, route: Route) -> str:
    path = route.path.replace("{account_id}", account.id)
    if "{invitation_id}" in path:
        body = INVITATION | {"email": "earlier@example.com"}
        answer = await account.owner.send("POST", f"{account.path}/invitations", body)
        path = path.replace("{invitation_id}", answer.expect(201)["invitation"]["id"])
    return path


async def changes_of(account: Account) -> set[str]:
    """The changes that the owner has made, in this account and in further ones."""
    owner = account.owner.user_id
    return {row.change_id for row in await account.team.rows() if row.actor.id == owner}


def without_secrets(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"link", "note"}}


@named
async def test_requests_with_one_key_have_one_effect(team: Team, route: Route) -> None:
    account = await owner_of(team, route)
    path, body = await path_of(account, route), body_of(account, route)
    before = await changes_of(account)

    at_once = await asyncio.gather(
        *(account.owner.send("POST", path, body, Idempotency_Key=KEY) for _ in range(4))
    )
    later = await account.owner.send("POST", path, body, Idempotency_Key=KEY)

    assert {answer.status for answer in (*at_once, later)} == {route.status}
    assert len(await changes_of(account) - before) == 1
    for answer in at_once:
        assert without_secrets(answer.body) == without_secrets(later.body)


@named
async def test_a_secret_is_shown_once(team: Team, route: Route) -> None:
    account = await owner_of(team, route)
    path, body = await path_of(account, route), body_of(account, route)
    first = await account.owner.send("POST", path, body, Idempotency_Key=KEY)
    again = await account.owner.send("POST", path, body, Idempotency_Key=KEY)
    if "link" not in first.expect(route.status):
        assert again.body == first.body
        return
    assert first.body["link"]["code"] not in again.text
    assert (again.body["link"], again.body["note"]) == (None, "shown-once")
    kept = [str(row) async for row in team.database["idempotency"].find({})]
    assert not [row for row in kept if first.body["link"]["code"] in row]


@named
async def test_a_key_belongs_to_its_caller_and_its_body(team: Team, route: Route) -> None:
    account = await owner_of(team, route)
    path, body = await path_of(account, route), body_of(account, route)
    first = await account.owner.send("POST", path, body, Idempotency_Key=KEY)
    first.expect(route.status)
    if body is not None:
        others = {"name": "Other", "catalog": "runpod", "role": "viewer", "user_id": new_id("usr")}
        [member, *_] = [name for name in others if name in body]
        changed = body | {member: others[member]}
        other = await account.owner.send("POST", path, changed, Idempotency_Key=KEY)
        assert (other.status, other.code) == (422, "idempotency-key-reused")
    admin = await account.join("admin")
    theirs = await admin.send("POST", path, body, Idempotency_Key=KEY)
    assert without_secrets(theirs.body) != without_secrets(first.body)
