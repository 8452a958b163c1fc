"""Custom roles: roles that an account defines itself, as rows and facts (`Ci8`, `Ro5`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rolecall import Catalog, CatalogError
from rolecall.core.json_values import same_json
from services.team.domain.overrides import grants_as_json
from shared.contracts import policy_objects
from shared.contracts.facts import ResourceRef
from shared.ids import RoleId, UserId
from shared.problems import Invalid

GrantsText = Mapping[str, Mapping[str, Any]]
"""Entry → level → grant as JSON has it, without `*`."""


@dataclass(frozen=True, kw_only=True)
class CustomRole:
    """A role of one account; the account's catalog gives meaning to `grants`."""

    role_id: RoleId
    name: str
    description: str
    grants: GrantsText
    created_by: UserId
    created_at: datetime
    updated_at: datetime

    def policy_object(self) -> policy_objects.RoleObject:
        """What authz knows of the role, as a part of the account."""
        return policy_objects.RoleObject(
            name=self.name,
            description=self.description,
            grants={entry: dict(levels) for entry, levels in self.grants.items()},
        )

    def ref(self) -> ResourceRef:
        """The role as an audit record names it."""
        return ResourceRef(type="role", id=self.role_id, name=self.name)

    def shown(self) -> dict[str, Any]:
        """The role as an audit record compares it."""
        return {
            "name": self.name,
            "description": self.description,
            "grants": {entry: dict(levels) for entry, levels in self.grants.items()},
        }


def parse_role_grants(catalog: Catalog, grants: object) -> GrantsText:
    """The grants of a role, every `*` written out.

    Raises:
        Invalid: with a pointer to each fault.
    """
    try:
        return grants_as_json(catalog.parse_role_grants(grants))
    except CatalogError as error:
        errors = [(f"/grants{problem.pointer}", problem.message) for problem in error.problems]
        raise Invalid(errors=errors) from error


def with_role(roles: Sequence[CustomRole], changed: CustomRole) -> tuple[CustomRole, ...]:
    """The account's roles with this one, in place of the one that has its id."""
    return (*without_role(roles, changed), changed)


def without_role(roles: Sequence[CustomRole], role: CustomRole) -> tuple[CustomRole, ...]:
    """The account's roles without the one that has this id."""
    return tuple(other for other in roles if other.role_id != role.role_id)


def edited(role: CustomRole, *, now: datetime, **changes: Any) -> CustomRole:
    """The role with these fields changed; the same object if nothing is different."""
    changed = replace(role, **changes)
    same = changed == role and same_json(changed.grants, role.grants)
    return role if same else replace(changed, updated_at=now)
