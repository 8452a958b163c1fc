"""Policy files: the roles, projects, members and guardrails of an account, by their names."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from rolecall import CompiledCatalog
from services.team.domain.accounts import Account
from services.team.domain.custom_roles import GrantsText
from services.team.domain.guardrails import GuardrailKind, GuardrailRule
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride, grants_as_json
from services.team.domain.projects import Project


@dataclass(frozen=True, kw_only=True)
class PolicyRole:
    """A custom role."""

    name: str
    description: str
    grants: GrantsText

    def shown(self) -> dict[str, Any]:
        """The role as a plan shows it."""
        return {"name": self.name, "description": self.description, "grants": dict(self.grants)}


@dataclass(frozen=True, kw_only=True)
class PolicyOverride:
    """A member's grants in the project of that name."""

    project: str
    grants: Mapping[str, Any]
    expires_at: datetime | None

    def shown(self) -> dict[str, Any]:
        """The override as a plan shows it."""
        return {"grants": dict(self.grants), "expires_at": self.expires_at}


@dataclass(frozen=True, kw_only=True)
class PolicyMember:
    """A member other than the owner, named by address or external id, or by both.

    The role is a custom one's name, or the id of one of the catalog. Without `overrides` a file
    leaves them as they are.
    """

    email: str | None
    external_id: str | None
    role: str
    overrides: tuple[PolicyOverride, ...] | None


@dataclass(frozen=True, kw_only=True)
class PolicyRule:
    """What a guardrail says, with the names of roles and of the project."""

    kind: GuardrailKind
    permission: str | None
    roles: tuple[str, ...]
    project: str | None
    minimum: int | None


@dataclass(frozen=True, kw_only=True)
class PolicyGuardrail:
    """A guardrail."""

    name: str
    rule: PolicyRule

    def shown(self) -> dict[str, Any]:
        """The guardrail as a plan shows it."""
        rule = self.rule
        return {
            "name": self.name,
            "type": rule.kind.value,
            "permission": rule.permission,
            "roles": list(rule.roles),
            "project": rule.project,
            "minimum": rule.minimum,
        }


@dataclass(frozen=True, kw_only=True)
class PolicyFile:
    """The policy of an account. A part that is `None` is left as it is.

    Roles, projects and guardrails are all that the account has. Members who are not listed stay as
    they are: an invitation or provisioning makes members, and a removal ends them.
    """

    catalog: str | None
    roles: tuple[PolicyRole, ...] | None
    projects: tuple[str, ...] | None
    members: tuple[PolicyMember, ...] | None
    guardrails: tuple[PolicyGuardrail, ...] | None


@dataclass(frozen=True, kw_only=True)
class PolicyRows:
    """The rows of an account that a policy file is about, read at one moment.

    `catalog` has the account's custom roles.
    """

    account: Account
    catalog: CompiledCatalog
    members: Sequence[Membership]
    projects: Sequence[Project]
    overrides: Sequence[ProjectOverride]
    now: datetime

    def role_name(self, role_id: str) -> str:
        """The name of a custom role; the id of every other one."""
        return self._role_names.get(role_id, role_id)

    def project_name(self, project_id: str) -> str:
        """The name of a project; the id of one that is gone."""
        return self._project_names.get(project_id, project_id)

    def overrides_in_force(self, member: Membership) -> Sequence[ProjectOverride]:
        """The member's overrides that are not over."""
        return self._overrides_of.get(member.user_id, ())

    @cached_property
    def _role_names(self) -> Mapping[str, str]:
        return {str(role.role_id): role.name for role in self.account.roles}

    @cached_property
    def _project_names(self) -> Mapping[str, str]:
        return {str(project.project_id): project.name for project in self.projects}

    @cached_property
    def _overrides_of(self) -> Mapping[str, Sequence[ProjectOverride]]:
        found: dict[str, list[ProjectOverride]] = {}
        for override in self.overrides:
            if not override.expired(self.now):
                found.setdefault(override.user_id, []).append(override)
        return found


def catalog_name(account: Account) -> str:
    """The name of the account's catalog, without its version."""
    return account.catalog.partition("@")[0]


def policy_of(rows: PolicyRows) -> PolicyFile:
    """The policy that the account has now, in an order that does not depend on when it was made.

    The owner is not listed: nothing of theirs can be changed. Overrides that are over are not. No
    member sees the platform's ids of the others, so each is named by the address.
    """
    owner = rows.account.owner_user_id
    listed = [member for member in rows.members if member.user_id != owner]
    guardrails = [
        PolicyGuardrail(name=one.name, rule=named_rule(rows, one.rule))
        for one in rows.account.guardrails
    ]
    return PolicyFile(
        catalog=catalog_name(rows.account),
        roles=tuple(
            PolicyRole(name=role.name, description=role.description, grants=role.grants)
            for role in sorted(rows.account.roles, key=lambda role: role.name)
        ),
        projects=tuple(sorted(project.name for project in rows.projects)),
        members=tuple(
            PolicyMember(
                email=member.email,
                external_id=None,
                role=rows.role_name(member.role),
                overrides=overrides_in_force(rows, member),
            )
            for member in sorted(listed, key=lambda member: (member.email, member.user_id))
        ),
        guardrails=tuple(sorted(guardrails, key=lambda one: json.dumps(one.shown()))),
    )


def overrides_in_force(rows: PolicyRows, member: Membership) -> tuple[PolicyOverride, ...]:
    """The member's overrides that are not over, by the name of the project."""
    found = [
        PolicyOverride(
            project=rows.project_name(override.project_id),
            grants=grants_as_json(override.grants),
            expires_at=override.expires_at,
        )
        for override in rows.overrides_in_force(member)
    ]
    return tuple(sorted(found, key=lambda override: override.project))


def named_rule(rows: PolicyRows, rule: GuardrailRule) -> PolicyRule:
    """A guardrail's rule with names in place of ids."""
    return PolicyRule(
        kind=rule.kind,
        permission=rule.permission,
        roles=tuple(rows.role_name(role_id) for role_id in rule.roles),
        project=None if rule.project_id is None else rows.project_name(rule.project_id),
        minimum=rule.minimum,
    )
