"""A disabled user: every way to ask says no, and the readers of the policy are told."""

from __future__ import annotations

from typing import Any

import pytest

from shared.auth.api_tokens import digest_of, new_api_token, token_id_of
from tests.services.authz.conftest import World, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    DI,
    MEMBERSHIP,
    OTHER_ACCOUNT,
    account,
    api_token,
    disabled,
    member,
    no_member,
    service_client,
)
from tests.services.authz.streams import Told, policy_stream

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITE = "instance:write"
SECRET = new_api_token(1)


async def answers(world: World, authz: Any, *, token: str = SECRET) -> dict[str, Any]:
    """What each way to ask about BO says: the reason, the subjects that are found, the members."""
    check = evaluation(BO, WRITE)
    by_token = {"type": "api_token", "id": token_id_of(digest_of(token))}
    searched = check | {"subject": {"type": "user"}}
    actions = {key: check[key] for key in ("subject", "resource")}
    asking = {"account_id": ACCOUNT, "permission": WRITE}
    said = await world.post(authz, check)
    several = await world.post(
        authz, check | {"evaluations": [{}, {}]}, path="/access/v1/evaluations"
    )
    said_of_token = await world.post(authz, check | {"subject": by_token})
    explained = await world.post(authz, check, path="/v1/authz/explain")
    subjects = await world.post(authz, searched, path="/access/v1/search/subject")
    found = await world.post(authz, actions, path="/access/v1/search/action")
    members = await world.post(authz, asking, path="/v1/authz/who-can")
    own = await world.post(authz, check | {"subject": by_token}, token=token)
    inside = await world.ask_inside(
        authz, {"user_id": BO, "session_id": "", "account_id": ACCOUNT, "permission": WRITE}
    )
    return {
        "check": said.body["context"]["reason"],
        "checks": [one["decision"] for one in several.body["evaluations"]],
        "token": said_of_token.body["decision"],
        "explained": explained.body["context"]["reason"],
        "subject": BO in [one["id"] for one in subjects.body["results"]],
        "actions": bool(found.body["results"]),
        "members": BO in [one["user_id"] for one in members.body["items"]],
        "own": own.status,
        "inside": (inside.body["allowed"], inside.body["session_ended"]),
    }


MAY = {
    "check": "allowed",
    "checks": [True, True],
    "token": True,
    "explained": "allowed",
    "subject": True,
    "actions": True,
    "members": True,
    "own": 200,
    "inside": (True, False),
}
MAY_NOT = {
    "check": "user-disabled",
    "checks": [False, False],
    "token": False,
    "explained": "user-disabled",
    "subject": False,
    "actions": False,
    "members": False,
    "own": 401,
    "inside": (False, True),
}


@pytest.mark.rule("T5")
async def test_every_way_to_ask_denies_a_disabled_user(world: World) -> None:
    world.team.write(member(BO, "developer", membership_id=MEMBERSHIP))
    world.identity.write(api_token(SECRET))
    async with world.replica() as authz:
        assert await answers(world, authz) == MAY
        await world.identity.change(disabled(BO))
        assert await answers(world, authz) == MAY_NOT
        await world.identity.change(disabled(BO, enabled=True))
        assert await answers(world, authz) == MAY


async def test_a_replica_that_starts_knows_who_is_disabled(world: World) -> None:
    world.identity.write(disabled(BO))
    async with world.replica() as service:
        said = await world.check(service, BO, WRITE)
        assert said.body["context"]["reason"] == "user-disabled"
        assert (await world.check(service, ANA, WRITE)).body["decision"] is True


def users_of(told: Told) -> list[dict[str, bool]]:
    return [content["users"] for name, content in told.events if name == "user.disabled"]


async def test_a_bound_client_learns_of_its_disabled_members_only(world: World) -> None:
    world.team.write(account(OTHER_ACCOUNT, owner=CY), member(CY, "owner", OTHER_ACCOUNT))
    for known in (
        service_client(BOUND_CLIENT, account_ids=[OTHER_ACCOUNT]),
        *map(disabled, (CY, DI)),
    ):
        world.identity.write(known)
    token = world.client_token(BOUND_CLIENT)
    async with world.replica() as service, policy_stream(world, service, token=token) as told:
        await told.until("ready")
        assert users_of(told) == [{CY: True}]
        await world.identity.change(disabled(BO))
        await world.identity.change(disabled(CY, enabled=True))
        assert (await told.until("user.disabled"))["users"] == {CY: False}
        await world.team.change(member(DI, "developer", OTHER_ACCOUNT))
        await told.until("change")
        assert users_of(told)[2:] == [{DI: True}], "before the member is told"
        await world.team.change(no_member(DI, OTHER_ACCOUNT))
        await told.until("change")
        await world.identity.change(disabled(DI, enabled=True))
        await world.team.change(member(DI, "developer", OTHER_ACCOUNT))
        await told.until("change")
        assert users_of(told)[3:] == [{DI: False}], "who was told to be disabled before"


async def test_a_stream_that_goes_on_tells_of_who_was_enabled_unseen(world: World) -> None:
    world.team.write(account(OTHER_ACCOUNT, owner=CY), member(CY, "owner", OTHER_ACCOUNT))
    world.identity.write(service_client(BOUND_CLIENT, account_ids=[OTHER_ACCOUNT]))
    token = world.client_token(BOUND_CLIENT)
    async with world.replica() as service:
        async with policy_stream(world, service, token=token) as told:
            await told.until("ready")
            last = told.last_id
        async with policy_stream(world, service, token=token, after=last) as again:
            assert (await again.until("hello"))["resumed"]
            await world.team.change(member(DI, "developer", OTHER_ACCOUNT))
            await again.until("change")
            assert users_of(again) == [{DI: False}]
