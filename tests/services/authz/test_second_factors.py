"""A demanded second factor: every way to ask denies who has none, and readers are told."""

from __future__ import annotations

from typing import Any

import pytest

from shared.auth.api_tokens import new_api_token
from tests.services.authz.conftest import World, evaluation
from tests.services.authz.histories import (
    ANA,
    BO,
    MEMBERSHIP,
    account,
    api_token,
    member,
    second_factor,
)
from tests.services.authz.streams import policy_stream
from tests.services.authz.test_disabled_users import MAY, WRITE, answers

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = new_api_token(1)
MAY_NOT = {
    "check": "second-factor-required",
    "checks": [False, False],
    "token": False,
    "explained": "second-factor-required",
    "subject": False,
    "actions": False,
    "members": False,
    "own": 200,
    "inside": (False, False),
}


@pytest.mark.rule("B1")
async def test_a_demand_denies_members_without_a_second_factor(world: World) -> None:
    world.team.write(member(BO, "developer", membership_id=MEMBERSHIP))
    world.identity.write(api_token(SECRET))
    async with world.replica() as authz:
        assert await asked(world, authz) == MAY, "without a demand"
        await world.team.change(account(require_second_factor=True))
        assert await asked(world, authz) == MAY_NOT
        await world.identity.change(second_factor(BO))
        assert await asked(world, authz) == MAY
        await world.identity.change(second_factor(BO, removed=True))
        assert await asked(world, authz) == MAY_NOT
        await world.team.change(account())
        assert await asked(world, authz) == MAY


async def test_a_replica_that_starts_knows_who_has_a_second_factor(world: World) -> None:
    world.team.write(account(require_second_factor=True))
    world.identity.write(second_factor(ANA))
    async with world.replica() as authz:
        assert (await world.check(authz, ANA, WRITE)).body["decision"] is True
        said = await world.check(authz, BO, WRITE)
        assert said.body["context"]["reason"] == "second-factor-required"


async def test_an_explanation_names_the_demand_and_what_helps(world: World) -> None:
    world.team.write(account(require_second_factor=True))
    async with world.replica() as authz:
        said = await world.post(authz, evaluation(BO, WRITE), path="/v1/authz/explain")
        step = next(one for one in said.body["steps"] if one["id"] == "second-factor")
        assert step["result"] == "does-not-hold"
        assert said.body["would_allow"]["text"] == (
            "The user has to add a second factor: an app with POST /v1/me/mfa/totp, or a passkey"
            " with POST /v1/me/passkey-challenges."
        )


async def test_a_stream_tells_the_demand_after_an_event_of_factors(world: World) -> None:
    world.team.write(account(require_second_factor=True))
    world.identity.write(second_factor(ANA))
    async with world.replica() as authz, policy_stream(world, authz) as told:
        await told.until("ready")
        names = [name for name, _ in told.events]
        assert names.index("user.second_factor") < max(
            at for at, name in enumerate(names) if name == "state"
        )
        users = [each["users"] for name, each in told.events if name == "user.second_factor"]
        assert users == [{}, {ANA: True}]
        await world.identity.change(second_factor(ANA, removed=True))
        assert (await told.until("user.second_factor"))["users"] == {ANA: False}


async def asked(world: World, authz: Any) -> dict[str, Any]:
    return await answers(world, authz, token=SECRET)
