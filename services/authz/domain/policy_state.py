"""What team's journal tells a replica: accounts and the catalogs that they follow.

Policy objects come in; one immutable `AccountState` per account comes out and is replaced whole. A
reader therefore sees one state of an account, never half of a change.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rolecall import AccountState, Catalog, CatalogError, CompiledCatalog, with_changes
from services.authz.domain.account_objects import (
    ACCOUNT_KINDS,
    NO_OBJECTS,
    AccountChange,
    AccountObjects,
)
from services.authz.domain.external_ids import ExternalIds
from shared.contracts.policy_objects import CatalogObject, PolicyObject, PolicyObjectKind
from shared.following.newest import read_states

V = TypeVar("V")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _CatalogRecord:
    """A published catalog; `compiled` is `None` if this version cannot read it."""

    rev: int
    content: Mapping[str, Any]
    compiled: CompiledCatalog | None


class PolicyState:
    """Accounts with their members, projects, overrides and resources, and published catalogs."""

    def __init__(self) -> None:
        self.external_ids = ExternalIds()
        self._catalogs: Mapping[str, _CatalogRecord] = {}
        self._objects: dict[str, AccountObjects] = {}
        self._accounts: dict[str, AccountState] = {}
        self._waiting: dict[str, str] = {}
        """The accounts that cannot be decided, each with the catalog that has not arrived."""

    def clear(self) -> None:
        """Forget everything."""
        self.external_ids.clear()
        self._catalogs = {}
        self._objects = {}
        self._accounts = {}
        self._waiting = {}

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of a change.

        Everything that it touches is made anew before anything is replaced. What cannot be read
        therefore stops the change as a whole.

        Raises:
            ValueError: a state has an unknown shape; nothing of the change is taken.
        """
        changes: dict[str, AccountChange] = {}
        catalogs: dict[str, _CatalogRecord | None] = {}
        for policy_object, state in read_states(policy_objects):
            if policy_object.kind in ACCOUNT_KINDS:
                account_id = policy_object.account_id or policy_object.id
                change = changes.get(account_id)
                if change is None:
                    change = changes[account_id] = self._change(account_id)
                change.take(policy_object, state)
            elif policy_object.kind is PolicyObjectKind.CATALOG:
                known = catalogs.get(policy_object.id) or self._catalogs.get(policy_object.id)
                if known is None or policy_object.rev > known.rev:
                    catalogs[policy_object.id] = state and _catalog(policy_object, state)
        for account_id, catalog_id in self._waiting.items() if catalogs else ():
            if catalog_id in catalogs:
                changes.setdefault(account_id, self._change(account_id))
        newest = with_changes(self._catalogs, catalogs) if catalogs else self._catalogs

        def compiled(catalog_id: str) -> CompiledCatalog | None:
            record = newest.get(catalog_id)
            return None if record is None else record.compiled

        made = {
            account_id: change.result(account_id, compiled)
            for account_id, change in changes.items()
        }
        self._catalogs = newest
        for account_id, objects in made.items():
            self._replace(account_id, objects)
            self._name(account_id, changes[account_id])

    def account(self, account_id: str) -> AccountState | None:
        """The account as of the last change; `None`: it does not exist, or is incomplete."""
        return self._accounts.get(account_id)

    def project_name(self, account_id: str, project_id: str) -> str:
        """What people call a project; its id if the account has no such project."""
        found = self._objects.get(account_id, NO_OBJECTS).projects.get(project_id)
        return project_id if found is None else found.name

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        return account_id in self._waiting

    def account_ids(self) -> list[str]:
        """The ids of all accounts, also of incomplete ones."""
        return [account_id for account_id, objects in self._objects.items() if objects.account]

    def objects(self, account_id: str) -> Iterator[tuple[PolicyObjectKind, str, Any]]:
        """The newest states of an account as of now: kind, id, and the state as published."""
        return self._objects.get(account_id, NO_OBJECTS).states(account_id)

    def catalog_id(self, account_id: str) -> str | None:
        """The id of the catalog that an account follows, also if it has not arrived."""
        account = self._objects.get(account_id, NO_OBJECTS).account
        return None if account is None else account.catalog

    def catalog_content(self, catalog_id: str) -> Mapping[str, Any] | None:
        """The content of a published catalog."""
        record = self._catalogs.get(catalog_id)
        return None if record is None else record.content

    def _name(self, account_id: str, change: AccountChange) -> None:
        """Take what a change tells of external ids."""
        if change.begins_anew:
            self.external_ids.drop(account_id)
        for user_id, external_id in change.external_ids():
            self.external_ids.put(account_id, user_id, external_id)

    def _change(self, account_id: str) -> AccountChange:
        return AccountChange(self._objects.get(account_id, NO_OBJECTS))

    def _replace(self, account_id: str, objects: AccountObjects) -> None:
        """Give the account these objects; nothing in here can fail half way."""
        _set(self._objects, account_id, objects or None)
        _set(self._accounts, account_id, objects.state)
        waits_for = None
        if objects.state is None and objects.account is not None:
            waits_for = objects.account.catalog
        _set(self._waiting, account_id, waits_for)


def _set(table: dict[str, V], key: str, value: V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _catalog(policy_object: PolicyObject, state: CatalogObject) -> _CatalogRecord:
    compiled = None
    try:
        published = Catalog.from_published(state.content)
        compiled = CompiledCatalog(published, published_as=policy_object.id)
    except CatalogError as problem:
        logger.error("Catalog %s cannot be read: %s", policy_object.id, problem)  # noqa: TRY400
    return _CatalogRecord(policy_object.rev, state.content, compiled)
