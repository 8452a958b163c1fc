"""Each route of an account is authorized, and acknowledges its change as its row says (`B8`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from rolecall import AccountKind, CompiledCatalog, Delivery, MembershipStatus, load_catalog
from services.team.domain.guardrails import GuardrailKind, GuardrailRule
from services.team.routes import ROUTES
from services.team.routes.account_routes import AccountRoutes
from services.team.use_cases import (
    account_deletion,
    guardrails,
    invitations,
    overrides,
    ownership,
    roles,
)
from shared.addresses import parse_address
from shared.auth.account_refusals import DeletingAccount
from shared.auth.principals import Anonymous, ClientPrincipal, Principal, UserPrincipal
from shared.contracts.facts import shard_of
from shared.http.access import Access, Client, Public
from shared.http.account_routes import ACCOUNT_PREFIX
from shared.http.idempotency import RepeatedRequest
from shared.http.preconditions import Precondition, PreconditionFailed
from shared.http.routes import Call, Route
from shared.ids import AccountId, ClientId, SessionId
from shared.links import Link
from shared.problems import NotFound, PermissionMissing, Refusal, Unavailable
from tests.services.team.memory import (
    ACCOUNT,
    PROJECT,
    Memory,
    caller_of,
    finished,
    memory,
    user_id,
)
from tests.services.team.print_shop import SHOP

CATALOG = CompiledCatalog(load_catalog("standard"))
BODIES: dict[str, dict[str, Any]] = {
    "changeAccount": {"name": "Other", "require_second_factor": True},
    "convertAccount": {"name": "Other"},
    "moveToCatalog": {"catalog": "print-shop", "mapping": {"roles": {"basic": "printer"}}},
    "changeMember": {"role": "viewer"},
    "inviteMember": {"email": "new@example.com", "role": "basic"},
    "revertAccount": {"confirm": "Engines"},
    "createProject": {"name": "Other"},
    "renameProject": {"name": "Other"},
    "setOverride": {"grants": {}},
    "createRole": {"name": "Other", "grants": {"account": {"view": "all"}}},
    "changeRole": {"name": "Other"},
    "registerResource": {"properties": {"size": "large"}},
    "registerResources": {"resources": [{"type": "instance", "id": "i-2"}]},
    "provisionMembers": {"members": [{"user_id": user_id("guest"), "role": "basic"}]},
    "reassignResources": {"from_user_id": user_id("member"), "to_user_id": user_id("owner")},
    "createAccount": {"name": "Other"},
    "offerOwnership": {"user_id": user_id("member")},
    "createGuardrail": {
        "name": "Other",
        "rule": {"type": "minimum_holders", "minimum": 1, "role": "admin"},
    },
    "planPolicy": {"policy": {"version": 1, "projects": []}},
    "applyPolicy": {"policy": {"version": 1, "projects": [{"name": "Other"}]}},
    "previewChange": {
        "change": {"type": "member_change", "user_id": user_id("member"), "role": "viewer"}
    },
}
PLATFORM = ClientPrincipal(
    client_id=ClientId("cli_" + "1" * 32), scopes=frozenset({"resources:write"})
)
PRINCIPALS: dict[type[Access], Principal] = {Public: Anonymous(), Client: PLATFORM}
QUERIES: dict[str, dict[str, Any]] = {"deleteAccount": {"confirm": "Engines"}}
RULE = GuardrailRule(
    kind=GuardrailKind.MINIMUM_HOLDERS,
    permission=None,
    roles=("owner",),
    project_id=None,
    minimum=1,
)
ACTORS = {
    "leaveAccount": "member",
    "acceptInvitation": "guest",
    "acceptOwnership": "member",
    "declineOwnership": "member",
}
CHANGES_NOTHING = {"lookUpInvitation", "previewChange", "planPolicy"}
CHANGES = [
    route for route in ROUTES if route.method != "GET" and route.operation_id not in CHANGES_NOTHING
]


def prepared(route: Route) -> tuple[Memory, Call[Any, Any]]:
    """An account in which the route has something to change, and the request that changes it."""
    personal = route.operation_id == "convertAccount"
    world = memory(CATALOG, kind=AccountKind.PERSONAL if personal else AccountKind.TEAM)
    world.store.compiled[SHOP.id] = SHOP
    world.add("member", "basic")
    world.know("guest")
    world.know("owner")
    world.set_factor("owner")
    if "ownership-transfer" in route.path and route.operation_id != "offerOwnership":
        asked = world.request("owner", "account:view")
        finished(ownership.offer(world.ctx, asked, user_id=user_id("member")))
    invitation_id = "inv_"
    if not personal:
        made = finished(
            invitations.create(
                world.ctx,
                world.request("owner", "member:invite"),
                address=parse_address("guest@example.com"),
                role_id="basic",
                delivery=Delivery.LINK,
            )
        )
        invitation_id = made.result[1].invitation_id
    if route.operation_id == "resumeMember":
        member = world.store.memberships[user_id("member")]
        suspended = replace(member, status=MembershipStatus.SUSPENDED)
        world.store.memberships[user_id("member")] = suspended
    if route.operation_id == "removeOverride":
        finished(
            overrides.put(
                world.ctx,
                world.request("owner", "member:update", inside=True),
                user_id=user_id("member"),
                grants={},
                expires_at=None,
            )
        )
    world.know("owner")
    world.know("member")
    if route.operation_id == "restoreAccount":
        request = world.request("owner", "account:update")
        finished(account_deletion.delete(world.ctx, request, confirm="Engines"))
    role_id = "basic"
    if route.operation_id in {"changeRole", "deleteRole"}:
        made_role = finished(
            roles.create(
                world.ctx,
                world.request("owner", "role:manage"),
                name="Watch",
                description="",
                grants={"account": {"view": "all"}},
            )
        )
        role_id = made_role.result.role.id
    if "resource" in route.operation_id.lower():
        world.register("i-1", owner="member")
    body = BODIES.get(route.operation_id)
    if body is None and route.takes is not None:
        link = Link(invitation_id, 1)
        body = {"token": world.ctx.links.token(link), "code": world.ctx.links.code(link)}
    guardrail_id = "grd_"
    if route.operation_id == "deleteGuardrail":
        guardrail_id = finished(
            guardrails.create(
                world.ctx, world.request("owner", "guardrail:manage"), name="Rule", rule=RULE
            )
        ).result.guardrail.guardrail_id
    actor = ACTORS.get(route.operation_id, "owner")
    principal = UserPrincipal(
        user_id=user_id(actor), session_id=SessionId("ses_1"), account_id=ACCOUNT
    )
    ids = {
        "account_id": ACCOUNT,
        "user_id": user_id("member"),
        "project_id": PROJECT,
        "invitation_id": invitation_id,
        "role_id": role_id,
        "guardrail_id": guardrail_id,
        "revision": "team.e1.0.1",
        "type": "instance",
        "rid": "i-1",
    }
    call: Call[Any, Any] = Call(
        caller=caller_of(actor),
        principal=PRINCIPALS.get(type(route.access), principal),
        path={name: ids[name] for name in route.parameters},
        body=None if route.takes is None else route.takes.model_validate(body),
        query=None
        if route.query is None
        else route.query.model_validate(QUERIES.get(route.operation_id, {})),
        headers=CIMultiDictProxy(CIMultiDict()),
        method=route.method,
        target=route.path,
        route=route,
        request_id="req_1",
    )
    world.journal.effective_everywhere.clear()
    return world, call


def shard_changed_by(route: Route) -> int:
    """A further account is in the shard of its user, so that a repeat waits for the first."""
    return shard_of(user_id("owner") if route.operation_id == "createAccount" else ACCOUNT)


async def handled(world: Memory, call: Call[Any, Any]) -> None:
    """Call the handler as `Api` does."""
    if not call.route.path.startswith(ACCOUNT_PREFIX):
        await call.route.handler(world.ctx, call)
        return
    await call.route.handler(world.ctx, call, await AccountRoutes(world.ctx).prepare(call))


@pytest.mark.rule("B8")
@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.operation_id)
def test_the_use_case_acknowledges_as_its_row_says(route: Route) -> None:
    world, call = prepared(route)
    before = len(world.journal.facts)

    finished(handled(world, call))

    assert world.journal.effective_everywhere == [route.effective_everywhere]
    told = world.journal.facts[before:]
    assert told, "the request changes something"
    for account_id in {AccountId(fact.account_id or "") for fact in told}:
        revisions = [fact.account_rev or 0 for fact in told if fact.account_id == account_id]
        assert revisions == list(range(revisions[0], revisions[0] + len(revisions)))
        assert world.store.rows[account_id].account_rev == revisions[-1]


def test_every_fact_that_authz_answers_from_is_effective_everywhere() -> None:
    for route in CHANGES:
        world, call = prepared(route)
        before = len(world.journal.facts)
        finished(handled(world, call))
        told = world.journal.facts[before:]
        decided = {one.kind for fact in told for one in fact.policy_objects}
        named_only = route.operation_id == "renameProject"
        assert bool(decided) is (route.effective_everywhere or named_only), route.operation_id


OF_ACCOUNTS = [
    route
    for route in ROUTES
    if route.path.startswith(ACCOUNT_PREFIX) and not isinstance(route.access, Client)
]


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize(("name", "refusal"), [("none", NotFound), ("held", PermissionMissing)])
@pytest.mark.parametrize("route", OF_ACCOUNTS, ids=lambda route: route.operation_id)
def test_no_account_route_runs_without_its_permission(
    route: Route, name: str, refusal: type[Refusal]
) -> None:
    world, call = prepared(route)
    world.add("held", "a role that is gone")
    if (route.operation_id, name) == ("restoreAccount", "held"):
        refusal = DeletingAccount  # in a deleted account no other member has permissions
    principal = replace(call.user, user_id=user_id(name))
    before = len(world.journal.facts)

    with pytest.raises(refusal):
        finished(handled(world, replace(call, principal=principal, caller=caller_of(name))))

    assert len(world.journal.facts) == before


def repeated(world: Memory, call: Call[Any, Any]) -> Exception | None:
    """Send the request; the exception that ends it."""
    try:
        finished(handled(world, call))
    except (Refusal, RepeatedRequest) as ended:
        return ended
    return None


@pytest.mark.rule("B8")
@pytest.mark.parametrize("settles", [True, False])
@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.operation_id)
def test_a_change_found_made_is_answered_once_it_is_effective(
    route: Route, *, settles: bool
) -> None:
    world, call = prepared(route)
    assert repeated(world, call) is None
    told = len(world.journal.facts)
    world.journal.settles = settles

    ended = repeated(world, call)

    found_made = len(world.journal.facts) == told
    awaited = found_made and route.effective_everywhere
    assert world.journal.settled == [shard_changed_by(route)] * awaited
    assert isinstance(ended, Unavailable) is (awaited and not settles)


class TakenKey:
    """The idempotency key of an earlier request."""

    async def take_key(self, session: object) -> None:
        raise RepeatedRequest


@pytest.mark.rule("B8")
@pytest.mark.parametrize("settles", [True, False])
@pytest.mark.parametrize(
    "route", [one for one in CHANGES if one.idempotent], ids=lambda route: route.operation_id
)
def test_a_repeat_by_its_key_is_answered_once_the_first_is_effective(
    route: Route, *, settles: bool
) -> None:
    world, call = prepared(route)
    world.journal.settles = settles

    ended = repeated(world, replace(call, guard=cast("Any", TakenKey())))

    awaited = route.effective_everywhere
    assert world.journal.settled == [shard_changed_by(route)] * awaited
    assert isinstance(ended, Unavailable if awaited and not settles else RepeatedRequest)


CONDITIONAL = [route for route in CHANGES if route.represent is not None]
STALE = ('"stale"',)


@pytest.mark.rule("B8")
@pytest.mark.parametrize("settles", [True, False])
@pytest.mark.parametrize("route", CONDITIONAL, ids=lambda route: route.operation_id)
def test_a_stale_tag_is_answered_once_earlier_changes_are_effective(
    route: Route, *, settles: bool
) -> None:
    """It may be the repeat of a change that gave the resource its new tag."""
    world, call = prepared(route)
    world.journal.settles = settles
    told = len(world.journal.facts)
    assert route.represent is not None
    stale = Precondition(represent=route.represent, if_match=STALE, if_none_match=None)

    ended = repeated(world, replace(call, precondition=stale))

    awaited = route.effective_everywhere
    assert world.journal.settled == [shard_changed_by(route)] * awaited
    assert isinstance(ended, Unavailable if awaited and not settles else PreconditionFailed)
    assert len(world.journal.facts) == told


@pytest.mark.rule("B8")
@pytest.mark.parametrize("settles", [True, False])
@pytest.mark.parametrize("route", CONDITIONAL, ids=lambda route: route.operation_id)
def test_the_repeat_of_a_conditional_change_is_answered_as_done(
    route: Route, *, settles: bool
) -> None:
    """The replica that made the change ended before its answer; another one gets the request."""
    world, call = prepared(route)
    assert repeated(world, call) is None
    told = len(world.journal.facts)
    world.journal.settles = settles
    assert route.represent is not None
    stale = Precondition(represent=route.represent, if_match=STALE, if_none_match=None)

    ended = repeated(world, replace(call, precondition=stale))

    awaited = route.effective_everywhere
    assert world.journal.settled == [shard_changed_by(route)] * awaited
    ends = route.method == "DELETE" and route.operation_id != "deleteAccount"
    done = NotFound if ends else type(None)
    assert isinstance(ended, Unavailable if awaited and not settles else done)
    assert len(world.journal.facts) == told


def test_a_use_case_that_does_not_compare_saves_nothing() -> None:
    route = next(one for one in CHANGES if one.operation_id == "createProject")
    world, call = prepared(route)
    told = len(world.journal.facts)
    ignored = Precondition(represent=lambda project: project, if_match=STALE, if_none_match=None)

    with pytest.raises(LookupError, match="precondition"):
        finished(handled(world, replace(call, precondition=ignored)))

    assert len(world.journal.facts) == told
