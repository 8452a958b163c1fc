"""Policy files between their form in requests and answers, and the domain."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from services.team.domain.guardrails import GuardrailKind
from services.team.domain.policy_files import (
    PolicyFile,
    PolicyGuardrail,
    PolicyMember,
    PolicyOverride,
    PolicyRole,
    PolicyRule,
)
from services.team.domain.policy_steps import PolicyPlan
from services.team.routes.policy_bodies import (
    AnyPolicyRule,
    AppliedPolicyView,
    PolicyBody,
    PolicyChangeView,
    PolicyContentView,
    PolicyGuardrailView,
    PolicyMemberBody,
    PolicyMemberView,
    PolicyMinimumHolders,
    PolicyOnlyRoles,
    PolicyOverrideView,
    PolicyProjectView,
    PolicyRoleView,
    PolicyRuleView,
    PolicyView,
)
from services.team.use_cases.policy import AppliedPolicy, ShownPolicy

GivenT = TypeVar("GivenT")
MadeT = TypeVar("MadeT")


def policy_file(body: PolicyBody) -> PolicyFile:
    """The policy of a request."""
    return PolicyFile(
        catalog=body.catalog,
        roles=_each(
            body.roles,
            lambda one: PolicyRole(name=one.name, description=one.description, grants=one.grants),
        ),
        projects=_each(body.projects, lambda one: one.name),
        members=_each(body.members, _member),
        guardrails=_each(
            body.guardrails, lambda one: PolicyGuardrail(name=one.name, rule=_rule(one.rule))
        ),
    )


def policy_view(shown: ShownPolicy) -> PolicyView:
    """The policy of an account."""
    policy = shown.policy
    return PolicyView(
        account_rev=shown.account_rev,
        policy=PolicyContentView(
            catalog=policy.catalog or "",
            roles=[PolicyRoleView.model_validate(role.shown()) for role in policy.roles or ()],
            projects=[PolicyProjectView(name=name) for name in policy.projects or ()],
            members=[_member_view(member) for member in policy.members or ()],
            guardrails=[
                PolicyGuardrailView(name=one.name, rule=_rule_view(one.rule))
                for one in policy.guardrails or ()
            ],
        ),
    )


def applied_view(applied: AppliedPolicy) -> AppliedPolicyView:
    """What applying a policy has made of the account."""
    return AppliedPolicyView(
        **dict(policy_view(applied.policy)),
        policy_id=applied.plan.policy_id,
        changes=change_views(applied.plan),
    )


def change_views(plan: PolicyPlan) -> list[PolicyChangeView]:
    """The changes of a plan, in their order."""
    return [
        PolicyChangeView(
            type=step.kind,
            name=step.name,
            project=step.project,
            pointer=step.pointer,
            before=None if step.before is None else dict(step.before),
            after=None if step.after is None else dict(step.after),
        )
        for step in plan.steps
    ]


def _each(
    given: Iterable[GivenT] | None, make: Callable[[GivenT], MadeT]
) -> tuple[MadeT, ...] | None:
    return None if given is None else tuple(map(make, given))


def _member(body: PolicyMemberBody) -> PolicyMember:
    return PolicyMember(
        email=body.email,
        external_id=body.external_id,
        role=body.role,
        overrides=_each(
            body.overrides,
            lambda one: PolicyOverride(
                project=one.project, grants=one.grants, expires_at=one.expires_at
            ),
        ),
    )


def _rule(body: AnyPolicyRule) -> PolicyRule:
    roles = body.roles if isinstance(body, PolicyOnlyRoles) else [body.role]
    return PolicyRule(
        kind=GuardrailKind(body.type),
        permission=body.permission,
        roles=tuple(role for role in roles if role is not None),
        project=body.project,
        minimum=body.minimum if isinstance(body, PolicyMinimumHolders) else None,
    )


def _member_view(member: PolicyMember) -> PolicyMemberView:
    return PolicyMemberView(
        email=member.email or "",
        role=member.role,
        overrides=[
            PolicyOverrideView.model_validate({"project": one.project, **one.shown()})
            for one in member.overrides or ()
        ],
    )


def _rule_view(rule: PolicyRule) -> PolicyRuleView:
    several = rule.kind is GuardrailKind.ONLY_ROLES
    return PolicyRuleView(
        type=rule.kind,
        minimum=rule.minimum,
        permission=rule.permission,
        role=None if several or not rule.roles else rule.roles[0],
        roles=list(rule.roles) if several else None,
        project=rule.project,
    )
