"""Guardrails: rules that an account declares about itself, as rows (`B10`)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rolecall import CompiledCatalog
from shared.contracts.facts import ResourceRef
from shared.ids import GuardrailId, ProjectId, UserId


class GuardrailKind(StrEnum):
    """What a guardrail says."""

    MINIMUM_HOLDERS = "minimum_holders"
    """At least `minimum` members hold the permission for all resources, or have the role."""
    ONLY_ROLES = "only_roles"
    """Only members with one of the roles hold the permission."""
    NEVER = "never"
    """A member with one of the roles does not hold the permission."""


@dataclass(frozen=True, kw_only=True)
class GuardrailRule:
    """What a guardrail says; `project_id` is the one project that it is about, if it names one.

    A rule about members of a role has no permission.
    """

    kind: GuardrailKind
    permission: str | None
    roles: tuple[str, ...]
    project_id: ProjectId | None
    minimum: int | None


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """A rule of the account about itself. It never changes: another rule is another guardrail."""

    guardrail_id: GuardrailId
    name: str
    rule: GuardrailRule
    created_by: UserId
    created_at: datetime

    def ref(self) -> ResourceRef:
        """The guardrail as an audit record names it."""
        return ResourceRef(type="guardrail", id=self.guardrail_id, name=self.name)

    def shown(self) -> dict[str, Any]:
        """The guardrail as an audit record shows it."""
        rule = self.rule
        return {
            "name": self.name,
            "type": rule.kind.value,
            "permission": rule.permission,
            "roles": list(rule.roles),
            "project_id": rule.project_id,
            "minimum": rule.minimum,
        }


def names_what_is_there(rule: GuardrailRule, catalog: CompiledCatalog) -> bool:
    """Whether the catalog, with the account's custom roles, has all that the rule names."""
    known = rule.permission is None or rule.permission in catalog.permissions
    return known and all(catalog.role(role_id) is not None for role_id in rule.roles)
