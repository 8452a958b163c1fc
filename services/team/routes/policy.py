"""Routes of an account's policy as one file: read it, plan another one, and apply it."""

from dataclasses import replace

from services.team.domain.account_access import AccountAccess
from services.team.domain.override_scope import EVERY_OVERRIDE
from services.team.domain.policy_steps import PolicyPlan, PolicyTooLarge
from services.team.routes import guardrails, members, overrides, projects, roles
from services.team.routes.account_routes import account_request
from services.team.routes.policy_bodies import (
    POLICY_CAP_BYTES,
    AppliedPolicyView,
    GivenPolicy,
    PolicyPlanView,
    PolicyView,
)
from services.team.routes.policy_files import applied_view, change_views, policy_file, policy_view
from services.team.routes.preview_views import ComparedTag, observed, preview_view
from services.team.use_cases import policy, previews
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.access import Permission
from shared.http.paging import PageQuery, read_cursor
from shared.http.routes import Call, Reply, Route
from shared.problems import Refusal

SEES_ALL = Permission("guardrail:manage")
_MAKES = {
    "createRole",
    "changeRole",
    "deleteRole",
    "createProject",
    "renameProject",
    "deleteProject",
    "changeMember",
    "setOverride",
    "removeOverride",
    "createGuardrail",
    "deleteGuardrail",
}
"""The changes that a policy can make, each of which has a route of its own."""
READ_RULE = "The caller also needs `role:view`, `member:view`, and `project:view` in each project."
CHANGE_RULE = f"{READ_RULE} For each change they need what its own route needs."


async def get_policy(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> PolicyView:
    """Return the policy of the account."""
    return policy_view(await policy.read(ctx, account_request(call)))


async def plan_policy(
    ctx: Ctx, call: Call[GivenPolicy, PageQuery], request: AccountRequest
) -> PolicyPlanView:
    """Say what applying a policy would change, and what that gives and takes."""
    read_cursor(call)  # refused before the work
    tag = ComparedTag()
    plans: list[PolicyPlan] = []
    wanted = policy_file(call.body.policy)
    [applying] = [row for row in ROUTES if row.operation_id == "applyPolicy"]

    async def change(dry: Ctx, real: AccountRequest) -> None:
        plans.append((await policy.apply(dry, real, prepared)).result.plan)

    real = replace(account_request(call), precondition=observed(call, applying, tag))
    async with policy.turn(ctx, request):
        prepared = await policy.prepare(ctx, request, wanted)
        found = await previews.preview(ctx, request, real, change, scope=EVERY_OVERRIDE)
    shown = preview_view(call, found, etag=tag.value)
    return PolicyPlanView(
        **dict(shown), policy_id=plans[-1].policy_id, changes=change_views(plans[-1])
    )


async def apply_policy(ctx: Ctx, call: Call[GivenPolicy, None], request: AccountRequest) -> Reply:
    """Make the account as the policy says."""
    wanted = policy_file(call.body.policy)
    async with policy.turn(ctx, request):
        prepared = await policy.prepare(ctx, request, wanted)
        written = await policy.apply(ctx, request, prepared)
    return Reply(body=applied_view(written.result), written=written)


def _refusals() -> tuple[type[Refusal], ...]:
    """The refusals of the changes that a policy can make, each code once."""
    tables = (roles.ROUTES, projects.ROUTES, members.ROUTES, overrides.ROUTES, guardrails.ROUTES)
    rows = [row for table in tables for row in table if row.operation_id in _MAKES]
    refusals = {one.code: one for row in reversed(rows) for one in row.refuses}
    return (PolicyTooLarge, *refusals.values())


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/policy",
        handler=get_policy,
        operation_id="getPolicy",
        summary="The account's roles, projects, members and guardrails as one file",
        tag="policies",
        access=SEES_ALL,
        caller_rule=READ_RULE,
        gives=PolicyView,
        represent=policy_view,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/policy/plan",
        handler=plan_policy,
        operation_id="planPolicy",
        summary="What applying a policy would change, give and take",
        tag="policies",
        access=SEES_ALL,
        caller_rule=CHANGE_RULE,
        takes=GivenPolicy,
        query=PageQuery,
        gives=PolicyPlanView,
        refuses=_refusals(),
        only_previews=True,
        body_cap=POLICY_CAP_BYTES,
        on_repeat="Changes nothing.",
    ),
    Route(
        method="PUT",
        path="/v1/accounts/{account_id}/policy",
        handler=apply_policy,
        operation_id="applyPolicy",
        summary="Make the account as a policy says, all of it or nothing",
        tag="policies",
        access=SEES_ALL,
        caller_rule=CHANGE_RULE,
        takes=GivenPolicy,
        gives=AppliedPolicyView,
        refuses=_refusals(),
        effective_everywhere=True,
        represent=policy_view,
        body_cap=POLICY_CAP_BYTES,
    ),
)
