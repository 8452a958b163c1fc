"""The accounts of local mode: built from the policy objects that the stream tells."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rolecall.core.account_objects import (
    ACCOUNT,
    ACCOUNT_KINDS,
    MEMBER,
    OVERRIDE,
    PROJECT,
    RESOURCE,
    AccountChange,
)
from rolecall.core.account_table import AccountTable
from rolecall.core.catalog import Catalog
from rolecall.core.condition_facts import NO_PROPERTIES
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.problems import CatalogError
from rolecall.core.state import AccountState

CATALOG = "catalog"
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
    require_second_factor: bool


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


@dataclass(frozen=True, slots=True)
class _ToldResource:
    owner_id: str | None
    project_id: str | None
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _ToldProject:
    name: str = ""


class LocalAccounts:
    """Accounts by id, which authz's own table makes of the objects that are told."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        """The last applied position of each shard of team's journal that matters here."""
        self._table = AccountTable()
        self.states: Mapping[str, AccountState] = self._table.states
        """What decides; an account whose catalog has not arrived is not in here."""
        self._told = 0

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        return self._table.incomplete(account_id)

    def put(self, objects: Iterable[ToldObject]) -> None:
        """Take the new states of one event, all or none.

        The stream tells no revision: what is told later is newer.

        Raises:
            KeyError, ValueError, TypeError: an object has a shape that this version does not know.
        """
        changes: dict[str, AccountChange] = {}
        catalogs: dict[str, CompiledCatalog | None] = {}
        for each in objects:
            if each.kind == CATALOG:
                catalogs[each.id] = None if each.state is None else _catalog(each.id, each.state)
            elif each.kind in ACCOUNT_KINDS:
                change = changes.get(each.account_id)
                if change is None:
                    known = self._table.objects(each.account_id)
                    change = changes[each.account_id] = AccountChange(known)
                self._told += 1
                state = None if each.state is None else _READ[each.kind](each.state)
                change.take(each.kind, each.id, self._told, state)
        self._table.apply(changes, catalogs)


def _catalog(catalog_id: str, state: Mapping[str, Any]) -> CompiledCatalog | None:
    """A catalog; without one that can be read its accounts are asked remotely, or refused."""
    try:
        return CompiledCatalog(Catalog.from_published(state["content"]), published_as=catalog_id)
    except CatalogError as problem:
        _log.error("Catalog %s cannot be read: %s", catalog_id, problem)
        return None


def _account(state: Mapping[str, Any]) -> _ToldAccount:
    return _ToldAccount(
        state["kind"],
        state["status"],
        state["owner_user_id"],
        state["catalog"],
        {role_id: _ToldRole(role_id, grants) for role_id, grants in state["roles"].items()},
        state.get("require_second_factor", False),
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


def _resource(state: Mapping[str, Any]) -> _ToldResource:
    return _ToldResource(
        state.get("owner_id"), state.get("project_id"), state.get("properties") or NO_PROPERTIES
    )


def _project(_: Mapping[str, Any]) -> _ToldProject:
    return _ToldProject()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


_READ: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    ACCOUNT: _account,
    MEMBER: _membership,
    PROJECT: _project,
    OVERRIDE: _override,
    RESOURCE: _resource,
}
