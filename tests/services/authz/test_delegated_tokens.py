"""A service client that acts for a user: what the user may do, where each client may act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from shared.auth.principals import AccessTokenRef
from shared.contracts.calls.authz import LIVE_CALLER, LIVE_CALLERS
from shared.ids import KeyId, TokenId, new_id
from tests.services.authz.conftest import World, evaluation
from tests.services.authz.histories import (
    BO,
    CY,
    OTHER_ACCOUNT,
    SESSION,
    ended,
    member,
    revoked_token,
    service_client,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.runtime.service import ServiceApp

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACTS, OVER = ["users:act"], "ses_" + "6" * 32
FREE, ELSEWHERE, OF_VOLUMES, CHECKS, OF_INSTANCES = (f"cli_{each * 32}" for each in "12345")


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world: World) -> AsyncIterator[ServiceApp]:
    world.team.write(member(BO, "developer"))
    world.identity.write(
        service_client(FREE, scopes=ACTS),
        service_client(ELSEWHERE, account_ids=[OTHER_ACCOUNT], scopes=ACTS),
        service_client(OF_VOLUMES, resource_types=["volume"], scopes=ACTS),
        service_client(OF_INSTANCES, resource_types=["instance"], scopes=ACTS),
        service_client(CHECKS, scopes=["authz:check"]),
        ended(OVER),
    )
    async with world.replica() as replica:
        yield replica


ASKED: list[tuple[tuple[str, ...], str, str, int, object]] = [
    ((FREE,), BO, "instance:view", 200, True),
    ((OF_INSTANCES,), BO, "instance:view", 200, True),
    ((OF_INSTANCES, FREE), BO, "instance:view", 200, True),
    ((FREE,), BO, "member:remove", 200, False),
    ((FREE,), CY, "instance:view", 403, "other-subject"),
    ((ELSEWHERE,), BO, "instance:view", 403, "account-not-bound"),
    ((FREE, ELSEWHERE), BO, "instance:view", 403, "account-not-bound"),
    ((OF_VOLUMES,), BO, "instance:view", 403, "type-not-bound"),
    ((OF_INSTANCES, OF_VOLUMES), BO, "instance:view", 403, "type-not-bound"),
    ((CHECKS,), BO, "instance:view", 401, "token-revoked"),
    ((FREE, CHECKS), BO, "instance:view", 401, "token-revoked"),
    (("cli_" + "9" * 32,), BO, "instance:view", 401, "token-revoked"),
]
"""The clients, the one that acts first; whom it asks about; and the decision or the refusal."""


async def test_each_client_of_the_chain_bounds_what_the_user_may(
    world: World, authz: ServiceApp
) -> None:
    for clients, subject, permission, status, expected in ASKED:
        token = world.delegated_token(BO, SESSION, *clients)
        answer = await world.post(authz, evaluation(subject, permission), token=token)
        found = answer.status, answer.body["decision" if answer.status == 200 else "code"]
        assert found == (status, expected), (clients, subject, permission, answer.body)


async def test_the_token_of_an_ended_session_is_refused(world: World, authz: ServiceApp) -> None:
    asked = evaluation(BO, "instance:view")
    live, over = (world.delegated_token(BO, session, FREE) for session in (SESSION, OVER))
    assert (await world.post(authz, asked, token=live)).body["decision"]
    refused = await world.post(authz, asked, token=over)
    assert (refused.status, refused.body["code"]) == (401, "token-revoked")


@pytest.mark.rule("T5")
async def test_each_token_of_a_chain_of_tokens_ends_it_in_every_replica(
    world: World, authz: ServiceApp
) -> None:
    asked = evaluation(BO, "instance:view")
    before = AccessTokenRef(TokenId(new_id("tok")), KeyId("k0"))
    token = world.delegated_token(BO, SESSION, FREE, made_of=(before,))
    caller = {"session_id": SESSION, "acting_client_ids": [FREE], "made_of": [list(before)]}
    assert (await world.post(authz, asked, token=token)).body["decision"]
    assert (await world.ask_inside(authz, caller, path=LIVE_CALLER.path)).body["live"]
    await world.identity.change(revoked_token(before.id))
    refused = await world.post(authz, asked, token=token)
    assert (refused.status, refused.body["code"]) == (401, "token-revoked")
    assert not (await world.ask_inside(authz, caller, path=LIVE_CALLER.path)).body["live"]


async def test_many_callers_are_told_apart_in_one_question(world: World, authz: ServiceApp) -> None:
    callers = [{"session_id": each} for each in (OVER, SESSION, OVER)]
    told = await world.ask_inside(
        authz, {"callers": callers}, path=LIVE_CALLERS.path, caller="notification"
    )
    assert told.body == {"live": [False, True, False]}
    refused = await world.ask_inside(authz, {"callers": callers}, path=LIVE_CALLERS.path)
    assert refused.status == 403


async def test_other_routes_are_not_for_a_client_that_acts_for_a_user(
    world: World, authz: ServiceApp
) -> None:
    token = world.delegated_token(BO, SESSION, FREE)
    body = evaluation(BO, "instance:view")
    refused = await world.post(authz, body, path="/v1/authz/explain", token=token)
    assert (refused.status, refused.body["code"]) == (403, "wrong-principal")
    assert "got by token exchange to act for a user" in refused.body["detail"]
