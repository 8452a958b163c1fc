"""The compact records of policy objects: what is kept of each object that was read.

A record has the revision of its object, because an older one never replaces a newer one. The record
of a member or of a resource is at the same time what the decision core takes.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from rolecall.core.build import (
    AccountFields,
    MembershipFields,
    OverrideFields,
    build_overrides,
    build_terms,
    optional_milliseconds,
    role_matrix,
)
from rolecall.core.condition_facts import NO_PROPERTIES, Properties
from rolecall.core.json_values import same_json
from rolecall.core.matrix import CompiledCatalog, RoleFields
from rolecall.core.state import (
    NOTHING,
    AccountKind,
    AccountStatus,
    Member,
    Resource,
)

_ROLE = "role:"
_MEMBERSHIP = "mem_"
_REV_BITS = 52
"""With the 128 bits of a membership's id six digits of Python's integers, of 30 bits each."""


class AccountObjectFields(AccountFields, Protocol):
    """The fields of an account that follows a catalog and has custom roles."""

    @property
    def catalog(self) -> str:
        """The id of the catalog."""

    @property
    def roles(self) -> Mapping[str, RoleFields]:
        """The custom roles by id."""

    @property
    def require_second_factor(self) -> bool:
        """Whether members without a second factor are denied everything."""


class ResourceFields(Protocol):
    """The fields of a registered resource."""

    @property
    def owner_id(self) -> str | None:
        """The user who owns it."""

    @property
    def project_id(self) -> str | None:
        """The project that it is in."""

    @property
    def properties(self) -> Properties:
        """What conditions test."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account; `catalog` is the id of its catalog, `roles` has its custom roles by id."""

    rev: int
    kind: AccountKind
    status: AccountStatus
    owner_user_id: str
    catalog: str
    roles: Mapping[str, RoleFields]
    require_second_factor: bool

    @classmethod
    def of(cls, rev: int, state: AccountObjectFields) -> "AccountRecord":
        """The record of an account's state."""
        return cls(
            rev=rev,
            kind=AccountKind(state.kind),
            status=AccountStatus(state.status),
            owner_user_id=state.owner_user_id,
            catalog=sys.intern(state.catalog),
            roles=state.roles or NOTHING,
            require_second_factor=state.require_second_factor,
        )

    def has_roles(self, other: "AccountRecord") -> bool:
        """Whether both have the same custom roles."""
        return self.roles == other.roles and same_json(*(_grants(each) for each in (self, other)))


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project of the account."""

    rev: int
    name: str


@dataclass(frozen=True, slots=True)
class OverrideRecord:
    """An override, with its grants as they were published."""

    rev: int
    project_id: str
    user_id: str
    membership_id: str
    grants: Any
    expires_at: datetime | None

    @classmethod
    def of(cls, rev: int, state: OverrideFields) -> "OverrideRecord":
        """The record of an override's state.

        Raises:
            ValueError: the time has no zone. Without a catalog, no one else would look at it yet.
        """
        optional_milliseconds(state.expires_at)
        return cls(
            rev,
            state.project_id,
            state.user_id,
            state.membership_id,
            state.grants,
            state.expires_at,
        )


Overrides = Mapping[str, Mapping[str, OverrideRecord]]
"""The overrides of an account: user id -> id of the policy object -> record."""


@dataclass(slots=True, unsafe_hash=True)
class ResourceRecord(Resource):
    """A registered resource, with the revision of its object."""

    rev: int = field(default=0, compare=False)

    @classmethod
    def of(cls, rev: int, resource_id: str, state: ResourceFields) -> "ResourceRecord":
        """The record of a resource's state."""
        return cls(
            id=resource_id,
            owner_id=_shared(state.owner_id),
            project_id=_shared(state.project_id),
            properties=state.properties or NO_PROPERTIES,
            rev=rev,
        )


@dataclass(slots=True, unsafe_hash=True)
class MemberRecord(Member):
    """A member, with the id of the membership and the revision of its object.

    Both are in one number, which takes as much memory as one of them. A replica holds a million
    members, so that this saves 80 MB.
    """

    stamp: int | tuple[str, int] = field(default=0, compare=False)

    @classmethod
    def of(
        cls,
        rev: int,
        user_id: str,
        state: MembershipFields,
        overrides: Overrides,
        catalog: CompiledCatalog | None,
    ) -> "MemberRecord":
        """The record of a member's state, under the overrides and the catalog of the account.

        Raises:
            ValueError: a time has no zone.
        """
        return cls(
            user_id,
            role_matrix(state.role, catalog),
            build_terms(state, _overrides(user_id, state.membership_id, overrides, catalog)),
            _stamp(state.membership_id, rev),
        )

    def again(self, overrides: Overrides, catalog: CompiledCatalog | None) -> "MemberRecord":
        """The same member under other overrides or another catalog of the account."""
        role, terms = role_matrix(self.role_id, catalog), self.terms
        own = _overrides(self.user_id, self.membership_id, overrides, catalog)
        if own or terms.overrides:
            terms = replace(terms, overrides=own)
        return MemberRecord(self.user_id, role, terms, self.stamp)

    @property
    def rev(self) -> int:
        """The revision of the object."""
        stamp = self.stamp
        return stamp & (1 << _REV_BITS) - 1 if isinstance(stamp, int) else stamp[1]

    @property
    def membership_id(self) -> str:
        """The id of the membership, which is new at each join."""
        stamp = self.stamp
        return _id_of(stamp >> _REV_BITS) if isinstance(stamp, int) else stamp[0]

    @property
    def role_id(self) -> str:
        """The id of the role, which the catalog need not have."""
        return self.role.source.removeprefix(_ROLE)


def _grants(account: AccountRecord) -> dict[str, Any]:
    return {role_id: role.grants for role_id, role in account.roles.items()}


def _overrides(
    user_id: str, membership_id: str, overrides: Overrides, catalog: CompiledCatalog | None
) -> Mapping[str, Any]:
    own = overrides.get(user_id)
    if own is None or catalog is None:
        return NOTHING
    return build_overrides(user_id, membership_id, own.values(), catalog=catalog)


def _stamp(membership_id: str, rev: int) -> int | tuple[str, int]:
    try:
        number = int(membership_id[len(_MEMBERSHIP) :], 16)
    except ValueError:
        return membership_id, rev
    if _id_of(number) != membership_id or rev >> _REV_BITS:
        return membership_id, rev
    return number << _REV_BITS | rev


def _id_of(number: int) -> str:
    return f"{_MEMBERSHIP}{number:032x}"


def _shared(text: str | None) -> str | None:
    """The same text, as one object for all that name it."""
    return None if text is None else sys.intern(text)
