"""Routes of guardrails: rules that an account declares about itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from services.team.domain.account_access import AccountAccess
from services.team.domain.guardrail_rules import GuardrailLimit
from services.team.domain.guardrail_violations import GuardrailViolated, Violation
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.routes.accounts import DisplayName
from services.team.use_cases import guardrails
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.guardrails import ShownGuardrail
from shared.http.access import Client, Permission
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import GuardrailId, ProjectId, UserId

MANAGE = Permission("guardrail:manage")
MAX_SHOWN = 200
"""How many violations an answer lists."""

ADDS_NO_VIOLATION = frozenset(
    {"createAccount", "createProject", "createRole", "deleteAccount", "restoreAccount"}
)
"""Changes of who may do what that contradict no rule: a new account has none, a role gives in a new
project what it gives outside, no one has a new role, and a deleted account is measured as before.
"""

PermissionName = Annotated[str, Field(min_length=1, max_length=130)]
RoleName = Annotated[str, Field(min_length=1, max_length=64)]
InProject = Annotated[
    str | None,
    Field(pattern=r"^prj_[0-9a-f]{32}$", description="The one project that the rule is about"),
]


class MinimumHolders(Body):
    """At least `minimum` active members have the role, or hold the permission for all resources."""

    type: Literal["minimum_holders"]
    minimum: int = Field(ge=1, le=1_000)
    role: RoleName | None = None
    permission: PermissionName | None = None
    project_id: InProject = None


class OnlyRoles(Body):
    """Only members with one of the roles hold the permission, anywhere or in the project."""

    type: Literal["only_roles"]
    permission: PermissionName
    roles: list[RoleName] = Field(min_length=1, max_length=20)
    project_id: InProject = None


class Never(Body):
    """A member with the role does not hold the permission, anywhere or in the project."""

    type: Literal["never"]
    permission: PermissionName
    role: RoleName
    project_id: InProject = None


AnyRule = MinimumHolders | OnlyRoles | Never


class CreateGuardrail(Body):
    """A name for people, and the rule."""

    name: DisplayName
    rule: AnyRule = Field(discriminator="type")


class MinimumHoldersView(Answer):
    """As it was declared: a role or a permission."""

    type: Literal["minimum_holders"] = "minimum_holders"
    minimum: int
    role: str | None
    permission: str | None
    project_id: ProjectId | None


class OnlyRolesView(Answer):
    """As it was declared."""

    type: Literal["only_roles"] = "only_roles"
    permission: str
    roles: list[str]
    project_id: ProjectId | None


class NeverView(Answer):
    """As it was declared."""

    type: Literal["never"] = "never"
    permission: str
    role: str
    project_id: ProjectId | None


AnyRuleView = MinimumHoldersView | OnlyRolesView | NeverView


class GuardrailView(Answer):
    """A guardrail."""

    id: GuardrailId
    name: str
    rule: AnyRuleView = Field(discriminator="type")
    created_by: UserId
    created_at: datetime


class ViolationView(Answer):
    """What contradicts a guardrail: a member who holds what they should not, or too few holders.

    `guardrail` is its name, and `role` the title of the member's role, which gives the permission
    unless a project does. A caller without `member:view` gets `members`, how many have this role.
    """

    guardrail_id: GuardrailId
    guardrail: str
    user_id: UserId | None
    name: str | None
    role: str | None
    members: int | None
    project_id: ProjectId | None
    holders: int | None


class CheckedGuardrailView(GuardrailView):
    """A guardrail with its present violations, which no change may add to.

    `violations` has 200 at most, and `violation_count` says how many there are.
    """

    violations: list[ViolationView]
    violation_count: int


def guardrail_view(guardrail: Guardrail) -> GuardrailView:
    """A guardrail."""
    return GuardrailView(
        id=guardrail.guardrail_id,
        name=guardrail.name,
        rule=_rule_view(guardrail.rule),
        created_by=guardrail.created_by,
        created_at=guardrail.created_at,
    )


def _rule_view(rule: GuardrailRule) -> AnyRuleView:
    first = rule.roles[0] if rule.roles else None
    fields: dict[str, Any] = {"permission": rule.permission, "project_id": rule.project_id}
    match rule.kind:
        case GuardrailKind.MINIMUM_HOLDERS:
            return MinimumHoldersView(**fields, minimum=rule.minimum, role=first)
        case GuardrailKind.ONLY_ROLES:
            return OnlyRolesView(**fields, roles=list(rule.roles))
        case GuardrailKind.NEVER:
            return NeverView(**fields, role=first)


def violation_views(violations: Sequence[Violation]) -> list[ViolationView]:
    """The first violations."""
    return [
        ViolationView(
            guardrail_id=violation.guardrail.guardrail_id,
            guardrail=violation.guardrail.name,
            user_id=None if violation.user_id is None else UserId(violation.user_id),
            name=violation.name,
            role=violation.role,
            members=violation.members,
            project_id=None if violation.project_id is None else ProjectId(violation.project_id),
            holders=violation.holders,
        )
        for violation in violations[:MAX_SHOWN]
    ]


def checked_view(shown: ShownGuardrail) -> CheckedGuardrailView:
    """A guardrail with its present violations."""
    return CheckedGuardrailView(
        **dict(guardrail_view(shown.guardrail)),
        violations=violation_views(shown.violations),
        violation_count=sum(violation.count for violation in shown.violations),
    )


def bound(row: Route) -> Route:
    """The row; one that changes who may do what is refused by the account's guardrails.

    Service clients change many things at once. Single ones are refused, not the request.
    """
    unbound = isinstance(row.access, Client) or row.operation_id in ADDS_NO_VIOLATION
    if not row.effective_everywhere or unbound:
        return row
    return replace(row, refuses=(*row.refuses, GuardrailViolated))


async def list_guardrails(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[GuardrailView]:
    """List the guardrails of the account, the oldest first."""
    page, following = paged(
        guardrails.list_all(access), call, key=lambda guardrail: (guardrail.guardrail_id, "")
    )
    return Page[GuardrailView](
        items=[guardrail_view(guardrail) for guardrail in page], next_cursor=following
    )


async def get_guardrail(
    ctx: Ctx, call: Call[None, None], access: AccountAccess
) -> CheckedGuardrailView:
    """Return one guardrail with its present violations."""
    return checked_view(await guardrails.get(ctx, access, call.path["guardrail_id"]))


async def create_guardrail(
    ctx: Ctx, call: Call[CreateGuardrail, None], request: AccountRequest
) -> Reply:
    """Declare a guardrail."""
    body = call.body
    written = await guardrails.create(ctx, request, name=body.name, rule=guardrail_rule(body.rule))
    return Reply(body=checked_view(written.result), written=written)


async def delete_guardrail(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Delete a guardrail."""
    written = await guardrails.delete(ctx, request, guardrail_id=call.path["guardrail_id"])
    return Reply(written=written)


def guardrail_rule(body: AnyRule) -> GuardrailRule:
    """The rule that a body declares."""
    roles = body.roles if isinstance(body, OnlyRoles) else [body.role]
    return GuardrailRule(
        kind=GuardrailKind(body.type),
        minimum=body.minimum if isinstance(body, MinimumHolders) else None,
        permission=body.permission,
        roles=tuple(dict.fromkeys(role for role in roles if role is not None)),
        project_id=None if body.project_id is None else ProjectId(body.project_id),
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/guardrails",
        handler=list_guardrails,
        operation_id="listGuardrails",
        summary="The rules that the account has declared about itself",
        tag="guardrails",
        access=MANAGE,
        query=PageQuery,
        gives=Page[GuardrailView],
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/guardrails",
        handler=create_guardrail,
        operation_id="createGuardrail",
        summary="Declare a rule; no change may contradict it more than the account does now",
        tag="guardrails",
        access=MANAGE,
        takes=CreateGuardrail,
        gives=CheckedGuardrailView,
        status=201,
        refuses=(GuardrailLimit,),
        idempotent=True,
        repeat_answer=checked_view,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/guardrails/{guardrail_id}",
        handler=get_guardrail,
        operation_id="getGuardrail",
        summary="One guardrail, with what contradicts it now",
        tag="guardrails",
        access=MANAGE,
        gives=CheckedGuardrailView,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/guardrails/{guardrail_id}",
        handler=delete_guardrail,
        operation_id="deleteGuardrail",
        summary="Delete a guardrail",
        tag="guardrails",
        access=MANAGE,
    ),
)
