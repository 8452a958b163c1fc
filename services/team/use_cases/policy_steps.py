"""The steps of a policy, each made by the use case that makes this change alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.team.domain.guardrails import GuardrailKind, GuardrailRule
from services.team.domain.member_rules import MemberChange
from services.team.domain.policy_files import PolicyRows
from services.team.domain.policy_steps import PolicyStep, PolicyStepKind
from services.team.use_cases import guardrails, members, overrides, projects, roles
from services.team.use_cases.context import AccountRequest, Ctx
from shared.ids import ProjectId, UserId
from shared.names import name_key
from shared.problems import Pointed, Refusal, RefusedPart

REFUSED_HERE = "This change of the policy is refused, and so are all others."
PERMISSIONS: dict[PolicyStepKind, tuple[str, str | None]] = {
    PolicyStepKind.GUARDRAIL_DELETE: ("guardrail:manage", None),
    PolicyStepKind.PROJECT_CREATE: ("project:create", None),
    PolicyStepKind.PROJECT_RENAME: ("project:manage", None),
    PolicyStepKind.ROLE_CREATE: ("role:manage", None),
    PolicyStepKind.ROLE_CHANGE: ("role:manage", None),
    PolicyStepKind.MEMBER_ROLE: ("member:update", None),
    PolicyStepKind.OVERRIDE_SET: ("member:update", "project:manage"),
    PolicyStepKind.OVERRIDE_REMOVE: ("member:update", "project:manage"),
    PolicyStepKind.ROLE_DELETE: ("role:manage", None),
    PolicyStepKind.PROJECT_DELETE: ("project:delete", None),
    PolicyStepKind.GUARDRAIL_CREATE: ("guardrail:manage", None),
}
"""What a step needs in the account, and besides on its project: as the change's own route does."""


class PolicySteps:
    """Makes steps one after the other, with the ids of what earlier ones have made."""

    def __init__(self, ctx: Ctx, request: AccountRequest, rows: PolicyRows) -> None:
        self._ctx = ctx
        self._request = request
        self._projects = {name_key(one.name): one.project_id for one in rows.projects}
        self._roles = {name_key(role.name): str(role.role_id) for role in rows.account.roles}

    async def make(self, step: PolicyStep) -> None:
        """Make one step.

        Raises:
            Refusal: the change is refused; `errors` has its place in the policy.
        """
        try:
            await self._make(step)
        except Refusal as refusal:
            refusal.errors = tuple(
                Pointed(_place(step, error.pointer), error.message) for error in refusal.errors
            ) or (Pointed(step.pointer, REFUSED_HERE),)
            refusal.part = self._part(step)
            raise

    async def _make(self, step: PolicyStep) -> None:
        request, after, target = self._asked(step), step.after or {}, step.target or ""
        match step.kind:
            case PolicyStepKind.GUARDRAIL_DELETE:
                await guardrails.delete(self._ctx, request, guardrail_id=target)
            case PolicyStepKind.GUARDRAIL_CREATE:
                rule = self._rule(after)
                await guardrails.create(self._ctx, request, name=step.name, rule=rule)
            case PolicyStepKind.ROLE_CREATE:
                made = await roles.create(self._ctx, request, **after)
                self._roles[name_key(step.name)] = made.result.role.id
            case PolicyStepKind.ROLE_CHANGE:
                await roles.edit(self._ctx, request, role_id=target, **after)
            case PolicyStepKind.ROLE_DELETE:
                await roles.delete(self._ctx, request, role_id=target, replacement_id=None)
            case _:
                await self._make_inside(step, request)

    async def _make_inside(self, step: PolicyStep, request: AccountRequest) -> None:
        """Make a step about a project, a member, or a member in a project."""
        after, user_id = step.after or {}, UserId(step.target or "")
        match step.kind:
            case PolicyStepKind.PROJECT_CREATE:
                created = await projects.create(self._ctx, request, name=step.name)
                self._projects[name_key(step.name)] = created.result.project_id
            case PolicyStepKind.PROJECT_RENAME:
                await projects.rename(self._ctx, request, name=step.name)
            case PolicyStepKind.PROJECT_DELETE:
                await projects.delete(self._ctx, request)
            case PolicyStepKind.MEMBER_ROLE:
                wanted = MemberChange(role=self._role(after["role"]))
                await members.change(self._ctx, request, user_id=user_id, wanted=wanted)
            case PolicyStepKind.OVERRIDE_SET:
                await overrides.put(
                    self._ctx,
                    request,
                    user_id=user_id,
                    grants=after["grants"],
                    expires_at=after["expires_at"],
                )
            case PolicyStepKind.OVERRIDE_REMOVE:
                await overrides.remove(self._ctx, request, user_id=user_id)

    def _asked(self, step: PolicyStep) -> AccountRequest:
        """The request of the same caller that makes this change alone."""
        permission, in_project = PERMISSIONS[step.kind]
        project_id = None
        if step.project is not None:
            project_id = self._projects.get(name_key(step.project))
        elif step.kind in (PolicyStepKind.PROJECT_RENAME, PolicyStepKind.PROJECT_DELETE):
            project_id = ProjectId(step.target or "")
        of_member = (step.target or "").startswith("usr_")
        return replace(
            self._request,
            permission=permission,
            project_permission=in_project,
            project_id=project_id,
            named_user_id=UserId(step.target or "") if of_member else None,
            guard=None,
            repeat_answer=None,
            precondition=None,
        )

    def _part(self, step: PolicyStep) -> RefusedPart:
        """The step as the record of its refusal names it."""
        request, target = self._asked(step), step.target
        resource_type = step.kind.value.partition("_")[0]
        if resource_type == "override":
            target = f"{request.project_id}/{target}"
        return RefusedPart(
            kind=step.kind.value,
            permission=request.permission,
            resource_type=resource_type,
            resource_id=target,
            name=step.name if step.project is None else f"{step.name} in {step.project}",
            project_id=request.project_id,
        )

    def _role(self, name: str) -> str:
        """The id of a role: custom ones have names, the others are named by it."""
        return self._roles.get(name_key(name), name)

    def _rule(self, shown: Mapping[str, Any]) -> GuardrailRule:
        project = shown["project"]
        project_id = None
        if project is not None:
            project_id = self._projects.get(name_key(project), ProjectId(project))
        return GuardrailRule(
            kind=GuardrailKind(shown["type"]),
            permission=shown["permission"],
            roles=tuple(self._role(role) for role in shown["roles"]),
            project_id=project_id,
            minimum=shown["minimum"],
        )


def _place(step: PolicyStep, pointer: str) -> str:
    """The place in the policy of a fault in the body that the change alone would have."""
    if step.kind is PolicyStepKind.MEMBER_ROLE:
        return step.pointer
    return f"{step.pointer}{pointer}".removesuffix("_id")
