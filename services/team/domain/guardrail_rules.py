"""The rules for declaring a guardrail and for giving one up (`B10`)."""

from collections.abc import Collection
from dataclasses import replace

from rolecall import CompiledCatalog
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.custom_roles import CustomRole
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from shared.contracts import team_guardrails
from shared.contracts.facts import Fact
from shared.ids import GuardrailId
from shared.problems import Invalid, NotFound, Refusal, RefusalKind

MAX_NAMED = 20
"""How many roles a message names."""


class GuardrailLimit(Refusal):
    """Guardrails are checked inside each change, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "guardrail-limit"
    detail = "An account may have {limit} guardrails at most. Delete one first."


class RoleInGuardrail(Refusal):
    """A guardrail about a role that is gone would hold of no one, unnoticed."""

    kind = RefusalKind.CONFLICT
    code = "role-in-guardrail"
    detail = "The guardrail “{guardrail}” names the role {role}. Delete the guardrail first."


def require_unnamed(account: Account, roles: Collection[CustomRole]) -> None:
    """Check that no guardrail names one of these roles, which are to end.

    Raises:
        RoleInGuardrail: one does.
    """
    for guardrail in account.guardrails:
        for role in roles:
            if role.role_id in guardrail.rule.roles:
                raise RoleInGuardrail(guardrail=guardrail.name, role=role.name)


def find(account: Account, guardrail_id: str) -> Guardrail:
    """The account's guardrail of that id.

    Raises:
        NotFound: the account has no such guardrail.
    """
    for guardrail in account.guardrails:
        if guardrail.guardrail_id == guardrail_id:
            return guardrail
    raise NotFound


def create(
    access: AccountAccess,
    *,
    guardrail_id: GuardrailId,
    name: str,
    rule: GuardrailRule,
    projects: Collection[str],
    limit: int,
) -> tuple[Account, Guardrail, Fact]:
    """Declare a rule; `projects` are those of the account.

    What contradicts the rule already stays: only a change that adds to it is refused.

    Raises:
        Invalid: the account has no such permission, role or project.
        GuardrailLimit: the account has `limit` guardrails.
    """
    errors = faults(access.catalog, rule, projects)
    if errors:
        raise Invalid(errors=errors)
    account = access.account
    if len(account.guardrails) >= limit:
        raise GuardrailLimit(limit=limit)
    guardrail = Guardrail(
        guardrail_id=guardrail_id,
        name=name,
        rule=rule,
        created_by=access.membership.user_id,
        created_at=access.now,
    )
    fact = Fact(
        payload=team_guardrails.GuardrailCreated(
            guardrail_id=guardrail_id, name=name, kind=rule.kind.value
        ),
        resource=guardrail.ref(),
        project_id=rule.project_id,
        after=guardrail.shown(),
    )
    return replace(account, guardrails=(*account.guardrails, guardrail)), guardrail, fact


def delete(account: Account, guardrail: Guardrail) -> tuple[Account, Fact]:
    """Give the rule up."""
    others = tuple(other for other in account.guardrails if other != guardrail)
    fact = Fact(
        payload=team_guardrails.GuardrailDeleted(
            guardrail_id=guardrail.guardrail_id,
            name=guardrail.name,
            kind=guardrail.rule.kind.value,
        ),
        resource=guardrail.ref(),
        project_id=guardrail.rule.project_id,
        before=guardrail.shown(),
    )
    return replace(account, guardrails=others), fact


def faults(
    catalog: CompiledCatalog, rule: GuardrailRule, projects: Collection[str]
) -> list[tuple[str, str]]:
    """What is wrong with a rule, each fault with its place."""
    found = []
    counts = rule.kind is GuardrailKind.MINIMUM_HOLDERS
    if counts and (rule.permission is None) is not bool(rule.roles):
        found.append(("/rule", "Name a role or a permission, and not both."))
    permission = None if rule.permission is None else catalog.permissions.get(rule.permission)
    if rule.permission is not None and permission is None:
        message = "The account's catalog has no such permission. Choose one of `GET …/catalog`."
        found.append(("/rule/permission", message))
    for role_id in rule.roles:
        if catalog.role(role_id) is None:
            known = ", ".join([role.id for role in catalog.all_roles()][:MAX_NAMED])
            message = f"The account has no role `{role_id}`. Choose one of: {known}."
            found.append((role_place(rule), message))
    if rule.project_id is not None and rule.permission is None:
        message = "A role is the same in every project. Leave the project out."
        found.append(("/rule/project_id", message))
    elif rule.project_id is not None and rule.project_id not in projects:
        found.append(("/rule/project_id", "The account has no such project."))
    elif rule.project_id is not None and permission is not None and not permission.project_scoped:
        message = "The permission is account-wide. Leave the project out."
        found.append(("/rule/project_id", message))
    return found


def role_place(rule: GuardrailRule) -> str:
    """The place of the roles in a request."""
    return "/rule/roles" if rule.kind is GuardrailKind.ONLY_ROLES else "/rule/role"
