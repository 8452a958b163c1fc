"""What every route of an account gets without code of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from rolecall import CompiledCatalog, load_catalog
from services.team.routes.account_routes import AccountRoutes
from shared.auth.access_tokens import sign_access_token, user_claims
from shared.contracts.team import RequestRefused
from shared.http.access import Permission
from shared.http.api import Api
from shared.http.mounting import mount
from shared.http.routes import Answer, Call, Route
from shared.ids import SessionId
from shared.runtime.listeners import Listener, listen
from tests.services.team.memory import ACCOUNT, Memory, memory, user_id
from tests.shared.http.sample import CLOCK, ISSUER, KEY, authenticator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.team.domain.account_access import AccountAccess
    from services.team.use_cases.context import Ctx


class Greeting(Answer):
    account: str
    role: str


async def greet(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> Greeting:
    """A handler of a new route: it contains no authorization."""
    return Greeting(account=access.account.name, role=access.membership.role)


GREET = Route(
    method="GET",
    path="/v1/accounts/{account_id}/greeting",
    handler=greet,
    operation_id="greet",
    summary="A new route",
    tag="test",
    access=Permission("member:invite"),
    gives=Greeting,
)


@pytest.fixture
def world() -> Memory:
    world = memory(CompiledCatalog(load_catalog("standard")))
    world.add("reader", "viewer")
    return world


@pytest_asyncio.fixture(loop_scope="module")
async def url(world: Memory) -> AsyncIterator[str]:
    app = web.Application()
    routes = AccountRoutes(world.ctx)
    api = Api("team", [GREET], world.ctx, authenticator=authenticator(), account_routes=routes)
    mount(app, api)
    listener = Listener(app, listen("127.0.0.1", 0), drain=0.1)
    await listener.start()
    yield listener.url
    await listener.stop()


async def ask(url: str, name: str) -> tuple[int, Any]:
    claims = user_claims(
        issuer=ISSUER,
        user_id=user_id(name),
        session_id=SessionId("ses_" + "0b" * 16),
        account_id=None,
        now=CLOCK.now(),
    )
    headers = {"Authorization": f"Bearer {sign_access_token(KEY, 'key_1', claims)}"}
    path = f"{url}/v1/accounts/{ACCOUNT}/greeting"
    async with (
        aiohttp.ClientSession() as session,
        session.get(path, headers=headers) as response,
    ):
        return response.status, await response.json(content_type=None)


async def test_a_new_route_is_authorized_without_code_of_its_own(url: str, world: Memory) -> None:
    assert await ask(url, "owner") == (200, {"account": "Engines", "role": "owner"})

    status, problem = await ask(url, "stranger")
    assert (status, problem["code"], world.journal.facts) == (404, "not-found", [])

    status, problem = await ask(url, "reader")
    assert (status, problem["code"]) == (403, "permission-missing")
    [refused] = world.journal.facts
    assert refused.payload == RequestRefused(
        operation="greet", permission="member:invite", code="permission-missing"
    )
