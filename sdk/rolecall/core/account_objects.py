"""The newest policy objects of one account, and the state that is built from them.

`AccountObjects` never changes. A change makes another one, which shares everything that the change
does not touch. So a change is applied whole or not at all, and readers keep what they have.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from rolecall.core.build import MembershipFields
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.persistent import mapped, with_changes
from rolecall.core.records import (
    AccountObjectFields,
    AccountRecord,
    MemberRecord,
    OverrideRecord,
    Overrides,
    ProjectRecord,
    ResourceRecord,
)
from rolecall.core.state import NOTHING, AccountState

MEMBER = "member"
RESOURCE = "resource"
ACCOUNT = "account"
PROJECT = "project"
OVERRIDE = "override"
ACCOUNT_KINDS = frozenset({MEMBER, RESOURCE, OVERRIDE, PROJECT, ACCOUNT})
"""The kinds of policy objects that belong to an account."""

CatalogOf = Callable[[str], CompiledCatalog | None]
ResourceKey = tuple[str, str]
"""The type of a resource, and its id."""
K = TypeVar("K", str, ResourceKey)


@dataclass(frozen=True, slots=True)
class AccountObjects:
    """The records of one account, and its state; without a catalog there is no state."""

    account: AccountRecord | None = None
    members: Mapping[str, MemberRecord] = field(default_factory=lambda: NOTHING)
    overrides: Overrides = field(default_factory=lambda: NOTHING)
    projects: Mapping[str, ProjectRecord] = field(default_factory=lambda: NOTHING)
    resources: Mapping[ResourceKey, ResourceRecord] = field(default_factory=lambda: NOTHING)
    state: AccountState | None = None

    def __bool__(self) -> bool:
        """Whether there is any object."""
        return bool(
            self.account or self.members or self.overrides or self.projects or self.resources
        )


NO_OBJECTS = AccountObjects()


class AccountChange:
    """What one change tells of an account, until `result` applies it."""

    __slots__ = ("_account", "_base", "_members", "_overrides", "_projects", "_resources")

    def __init__(self, base: AccountObjects) -> None:
        self._begin(base)

    def _begin(self, base: AccountObjects) -> None:
        self._base = base
        self._account = base.account
        self._members: dict[str, _ReadMember | None] = {}
        self._overrides: dict[str, dict[str, OverrideRecord | None]] = defaultdict(dict)
        self._projects: dict[str, ProjectRecord | None] = {}
        self._resources: dict[ResourceKey, ResourceRecord | None] = {}

    @property
    def begins_anew(self) -> bool:
        """Whether nothing from before the change is left: the account is new, or has ended."""
        return not self._base

    def told_members(self) -> Iterator[tuple[str, Any]]:
        """The members of whom the change tells, each with the state that it gives them."""
        for user_id, read in self._members.items():
            yield user_id, None if read is None else read.state

    def take(self, kind: str, object_id: str, rev: int, state: Any) -> None:
        """Take the state of an object of `ACCOUNT_KINDS` unless a newer one is known.

        The id of a resource is `<type>/<id>`, and that of an override `<project id>/<user id>`.

        Raises:
            ValueError: the state has an unknown value, or a time without a zone.
        """
        base = self._base
        if kind == MEMBER:
            member = None if state is None else _ReadMember(rev, state)
            _take(self._members, base.members, object_id, rev, member)
        elif kind == RESOURCE:
            resource_type, _, resource_id = object_id.partition("/")
            resource = None if state is None else ResourceRecord.of(rev, resource_id, state)
            _take(self._resources, base.resources, (resource_type, resource_id), rev, resource)
        elif kind == OVERRIDE:
            override = None if state is None else OverrideRecord.of(rev, state)
            user_id = object_id.rpartition("/")[2]
            known = base.overrides.get(user_id, NOTHING)
            _take(self._overrides[user_id], known, object_id, rev, override)
        elif kind == PROJECT:
            project = None if state is None else ProjectRecord(rev, sys.intern(state.name))
            _take(self._projects, base.projects, object_id, rev, project)
        else:
            self._take_account(rev, state)

    def _take_account(self, rev: int, state: AccountObjectFields | None) -> None:
        """Take the account; its end is the end of all that is in it: no object tells each."""
        if self._account is not None and rev <= self._account.rev:
            return
        if state is None:
            self._begin(NO_OBJECTS)
        else:
            self._account = AccountRecord.of(rev, state)

    def result(self, account_id: str, catalog_of: CatalogOf) -> AccountObjects:
        """The account after the change.

        Raises:
            ValueError: a time has no zone.
        """
        base, account = self._base, self._account
        overrides = base.overrides
        if self._overrides:
            changed = {
                user_id: with_changes(overrides.get(user_id, NOTHING), of_user) or None
                for user_id, of_user in self._overrides.items()
            }
            overrides = with_changes(overrides, changed)
        catalog = None if account is None else self._catalog(catalog_of(account.catalog))
        members = self._changed_members(overrides, catalog)
        projects = with_changes(base.projects, self._projects) if self._projects else base.projects
        resources = base.resources
        if self._resources:
            resources = with_changes(resources, self._resources)
        state = None
        if account is not None and catalog is not None:
            known = base.state
            state = AccountState(
                id=account_id if known is None else known.id,
                kind=account.kind,
                status=account.status,
                owner_user_id=account.owner_user_id,
                catalog=catalog,
                members=members,
                projects=(
                    known.projects
                    if known is not None and projects is base.projects
                    else projects.keys()
                ),
                resources=resources,
                require_second_factor=account.require_second_factor,
            )
        return AccountObjects(account, members, overrides, projects, resources, state)

    def _catalog(self, compiled: CompiledCatalog | None) -> CompiledCatalog | None:
        """The catalog with the account's roles: the known one if nothing of it has changed."""
        base, account = self._base, self._account
        if compiled is None or account is None:
            return None
        if (
            base.state is not None
            and base.account is not None
            and base.state.catalog.permissions is compiled.permissions
            and base.account.has_roles(account)
        ):
            return base.state.catalog
        return compiled.with_roles(account.roles)

    def _changed_members(
        self, overrides: Overrides, catalog: CompiledCatalog | None
    ) -> Mapping[str, MemberRecord]:
        """The members; all of them are built again if the catalog or a role has changed."""
        members, state = self._base.members, self._base.state
        if catalog is not None and (state is None or state.catalog is not catalog):
            members = mapped(members, partial(_again, overrides=overrides, catalog=catalog))
        if not self._members and not self._overrides:
            return members
        changed: dict[str, MemberRecord | None] = {}
        for user_id, read in self._members.items():
            changed[user_id] = read and MemberRecord.of(
                read.rev, user_id, read.state, overrides, catalog
            )
        for user_id in self._overrides.keys() - self._members.keys():
            member = members.get(user_id)
            changed[user_id] = member and member.again(overrides, catalog)
        return with_changes(members, changed)


class _ReadMember(NamedTuple):
    rev: int
    state: MembershipFields


class _HasRev(Protocol):
    @property
    def rev(self) -> int: ...


_RecordT = TypeVar("_RecordT", bound=_HasRev)


def _take(
    changes: dict[K, _RecordT | None],
    known: Mapping[K, _HasRev],
    key: K,
    rev: int,
    record: _RecordT | None,
) -> None:
    newest = changes.get(key) or known.get(key)
    if newest is None or rev > newest.rev:
        changes[key] = record


def _again(member: MemberRecord, *, overrides: Overrides, catalog: CompiledCatalog) -> MemberRecord:
    return member.again(overrides, catalog)
