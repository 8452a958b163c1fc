"""The accounts of local mode: built from the policy objects that the stream tells."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rolecall.core.build import build_account, build_member
from rolecall.core.catalog import Catalog
from rolecall.core.condition_facts import NO_PROPERTIES
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.persistent import with_changes
from rolecall.core.problems import CatalogError
from rolecall.core.state import AccountState, Member, Resource

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToldObject:
    """One policy object as an event has it; `state` is `None` if it is gone."""

    kind: str
    id: str
    account_id: str
    state: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _ToldAccount:
    kind: str
    status: str
    owner_user_id: str
    catalog: str
    roles: Mapping[str, "_ToldRole"]


@dataclass(frozen=True, slots=True)
class _ToldRole:
    name: str
    grants: object
    description: str = ""


@dataclass(frozen=True, slots=True)
class _ToldMembership:
    membership_id: str
    role: str
    status: str
    expires_at: datetime | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _ToldOverride:
    project_id: str
    user_id: str
    membership_id: str
    grants: object
    expires_at: datetime | None


@dataclass(slots=True)
class _Objects:
    """What is told of one account."""

    account: _ToldAccount | None = None
    members: dict[str, _ToldMembership] = field(default_factory=dict)
    projects: set[str] = field(default_factory=set)
    overrides: dict[str, _ToldOverride] = field(default_factory=dict)
    resources: Mapping[tuple[str, str], Resource] = field(default_factory=dict)


class LocalAccounts:
    """Accounts by id. A change replaces each account that it touches, and no other."""

    def __init__(self) -> None:
        self.states: dict[str, AccountState] = {}
        self.positions: dict[int, int] = {}
        """The last applied position of each shard of team's journal that matters here."""
        self._objects: dict[str, _Objects] = defaultdict(_Objects)
        self._catalogs: dict[str, CompiledCatalog] = {}
        # The members that changed; `None`: more did than members and resources.
        self._touched: dict[str, set[str] | None] = {}

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        known = self._objects.get(account_id)
        return known is not None and known.account is not None and account_id not in self.states

    def put(self, objects: Iterable[ToldObject]) -> None:
        """Take the new states; `build` makes them count.

        Raises:
            KeyError, ValueError, TypeError: an object has a shape that this version does not know.
        """
        resources: dict[str, dict[tuple[str, str], Resource | None]] = defaultdict(dict)
        for each in objects:
            if each.kind == "catalog":
                self._put_catalog(each)
            elif each.kind == "resource":
                kind, _, name = each.id.partition("/")
                resources[each.account_id][kind, name] = (
                    None if each.state is None else _resource(name, each.state)
                )
                self._touched.setdefault(each.account_id, set())
            else:
                self._put(each)
        for account_id, changes in resources.items():
            known = self._objects[account_id]
            known.resources = with_changes(known.resources, changes)

    def build(self) -> Iterator[None]:
        """Rebuild what was touched, one account at a step."""
        while self._touched:
            account_id, users = self._touched.popitem()
            state = self.states.get(account_id)
            if users is None or state is None:
                self._rebuild(account_id)
            else:
                self.states[account_id] = self._with_changes(state, users)
            yield

    def _put(self, told: ToldObject) -> None:
        known = self._objects[told.account_id]
        users = self._touched.setdefault(told.account_id, set())
        state = told.state
        if told.kind == "member":
            if users is not None:
                users.add(told.id)
            if state is None:
                known.members.pop(told.id, None)
            else:
                known.members[told.id] = _membership(state)
            return
        self._touched[told.account_id] = None
        match told.kind, state:
            case "account", None:
                # The end of an account is the end of all that is in it.
                self._objects[told.account_id] = _Objects()
            case "account", Mapping():
                known.account = _account(state)
            case "project", None:
                known.projects.discard(told.id)
            case "project", _:
                known.projects.add(told.id)
            case "override", None:
                known.overrides.pop(told.id, None)
            case "override", Mapping():
                known.overrides[told.id] = _override(state)

    def _put_catalog(self, told: ToldObject) -> None:
        self._catalogs.pop(told.id, None)
        if told.state is not None:
            try:
                catalog = Catalog.from_published(told.state["content"])
            except CatalogError as problem:
                # Its accounts stay incomplete: their checks are asked remotely, or refused.
                _log.error("Catalog %s cannot be read: %s", told.id, problem)
            else:
                self._catalogs[told.id] = CompiledCatalog(catalog, published_as=told.id)
        for account_id, known in self._objects.items():
            if known.account is not None and known.account.catalog == told.id:
                self._touched[account_id] = None

    def _rebuild(self, account_id: str) -> None:
        known = self._objects[account_id]
        self.states.pop(account_id, None)
        if known.account is None:
            if known == _Objects():
                del self._objects[account_id]
            return
        published = self._catalogs.get(known.account.catalog)
        if published is None:
            return
        catalog = published.with_roles(known.account.roles)
        overrides = _by_user(known.overrides.values())
        members = [
            build_member(user_id, membership, overrides.get(user_id, ()), catalog=catalog)
            for user_id, membership in known.members.items()
        ]
        self.states[account_id] = build_account(
            account_id,
            known.account,
            members,
            known.projects,
            catalog=catalog,
            resources=known.resources,
        )

    def _with_changes(self, state: AccountState, users: set[str]) -> AccountState:
        known = self._objects[state.id]
        if not users:
            return replace(state, resources=known.resources)
        overrides = _by_user(each for each in known.overrides.values() if each.user_id in users)
        members: dict[str, Member] = dict(state.members)
        for user_id in users:
            membership = known.members.get(user_id)
            if membership is None:
                members.pop(user_id, None)
            else:
                members[user_id] = build_member(
                    user_id, membership, overrides.get(user_id, ()), catalog=state.catalog
                )
        return replace(state, members=members, resources=known.resources)


def _by_user(overrides: Iterable[_ToldOverride]) -> dict[str, list[_ToldOverride]]:
    found: dict[str, list[_ToldOverride]] = defaultdict(list)
    for override in overrides:
        found[override.user_id].append(override)
    return found


def _account(state: Mapping[str, Any]) -> _ToldAccount:
    return _ToldAccount(
        state["kind"],
        state["status"],
        state["owner_user_id"],
        state["catalog"],
        {role_id: _ToldRole(role_id, grants) for role_id, grants in state["roles"].items()},
    )


def _membership(state: Mapping[str, Any]) -> _ToldMembership:
    return _ToldMembership(
        state["membership_id"],
        state["role"],
        state["status"],
        _moment(state.get("expires_at")),
        state.get("attributes", {}),
    )


def _override(state: Mapping[str, Any]) -> _ToldOverride:
    return _ToldOverride(
        state["project_id"],
        state["user_id"],
        state["membership_id"],
        state.get("grants", {}),
        _moment(state.get("expires_at")),
    )


def _resource(resource_id: str, state: Mapping[str, Any]) -> Resource:
    return Resource(
        resource_id,
        state.get("owner_id"),
        state.get("project_id"),
        state.get("properties") or NO_PROPERTIES,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
