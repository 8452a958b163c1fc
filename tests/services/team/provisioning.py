"""A service client that provisions the members of an account in memory."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from services.team.routes.provisioning import ROUTES, ProvisionedMembers, ProvisionMembers
from services.team.routes.provisioning import provision as handler
from services.team.use_cases.context import ClientRequest
from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.http.routes import Call, Reply
from shared.ids import ClientId
from tests.services.team.memory import ACCOUNT, START, Memory, finished, user_id

CLIENT = ClientId("cli_" + "1" * 32)
[ROUTE] = ROUTES
CALLER = Caller(
    actor=Actor(type="service_client", id=CLIENT), request=RequestInfo(request_id="req_1")
)
PRINCIPAL = ClientPrincipal(client_id=CLIENT, scopes=frozenset({"members:provision"}))


def know(world: Memory, *names: str) -> None:
    """Let identity know users, each by its name as the external id of the client."""
    for name in names:
        world.know(name)
        world.identity.external_ids[CLIENT, name] = user_id(name)


def reply(world: Memory, *members: dict[str, Any], **fields: Any) -> Reply:
    """Provision members by the route's handler."""
    body = ProvisionMembers.model_validate({"members": list(members), **fields})
    call: Call[Any, Any] = Call(
        caller=CALLER,
        principal=PRINCIPAL,
        path={"account_id": ACCOUNT},
        body=body,
        query=None,
        headers=CIMultiDictProxy(CIMultiDict()),
        method=ROUTE.method,
        target=ROUTE.path,
        route=ROUTE,
        request_id="req_1",
    )
    request = ClientRequest(caller=CALLER, account_id=ACCOUNT, client=PRINCIPAL)
    return finished(handler(world.ctx, call, request))


def provision(world: Memory, *members: dict[str, Any], **fields: Any) -> list[str]:
    """Provision members; what became of each, or the code of its refusal."""
    body = reply(world, *members, **fields).body
    assert isinstance(body, ProvisionedMembers)
    return [one.status if one.refusal is None else one.refusal.code for one in body.results]


def state(world: Memory) -> dict[str, Any]:
    """The members without what each join makes anew, and who has the open invitations."""
    members = {
        user: (one.role, one.status, one.expires_at, dict(one.attributes), one.external_id)
        for user, one in world.store.memberships.items()
    }
    invitations = {
        one.email: one.inviter_user_id if one.open(START) else one.status
        for one in world.store.invited.values()
    }
    return deepcopy({"members": members, "invitations": invitations})
