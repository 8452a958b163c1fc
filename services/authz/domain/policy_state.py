"""What team's journal tells a replica: accounts and the catalogs that they follow.

Policy objects come in; one immutable `AccountState` per account comes out and is replaced whole. A
reader therefore sees one state of an account, never half of a change.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rolecall import AccountState, Catalog, CatalogError, CompiledCatalog, with_changes
from rolecall.core.account_objects import ACCOUNT_KINDS, AccountChange
from rolecall.core.account_table import AccountTable
from services.authz.domain.external_ids import ExternalIds
from services.authz.domain.groups import AccountGroups
from services.authz.domain.published import published
from shared.contracts.policy_objects import CatalogObject, PolicyObject, PolicyObjectKind
from shared.following.newest import read_states

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _CatalogRecord:
    """A published catalog."""

    rev: int
    content: Mapping[str, Any]


class PolicyState:
    """Accounts with their members, projects, overrides and resources, and published catalogs.

    Where accounts are divided among `groups` of replicas, it has those of this replica's group.
    """

    def __init__(self, groups: AccountGroups | None = None) -> None:
        self._groups = groups
        self.external_ids = ExternalIds()
        self._catalogs: Mapping[str, _CatalogRecord] = {}
        self._accounts = AccountTable()

    def clear(self) -> None:
        """Forget everything."""
        self.external_ids.clear()
        self._catalogs = {}
        self._accounts.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of a change.

        Raises:
            ValueError: a state has an unknown shape; nothing of the change is taken.
        """
        changes: dict[str, AccountChange] = {}
        catalogs: dict[str, _CatalogRecord | None] = {}
        compiled: dict[str, CompiledCatalog | None] = {}
        for told, state in read_states(policy_objects):
            if told.kind in ACCOUNT_KINDS:
                account_id = told.account_id or told.id
                change = changes.get(account_id)
                if change is None:
                    change = changes[account_id] = AccountChange(self._accounts.objects(account_id))
                change.take(told.kind, told.id, told.rev, state)
            elif told.kind is PolicyObjectKind.CATALOG:
                known = catalogs.get(told.id) or self._catalogs.get(told.id)
                if known is None or told.rev > known.rev:
                    catalogs[told.id] = state and _CatalogRecord(told.rev, state.content)
                    compiled[told.id] = state and _compiled(told.id, state)
        self._accounts.apply(changes, compiled)
        if catalogs:
            self._catalogs = with_changes(self._catalogs, catalogs)
        for account_id, change in changes.items():
            self._name(account_id, change)

    @property
    def states(self) -> Mapping[str, AccountState]:
        """Every account as `account` gives it."""
        return self._accounts.states

    def account(self, account_id: str) -> AccountState | None:
        """The account as of the last change; `None`: it does not exist, or is incomplete.

        Raises:
            HeldElsewhere: another group would have it, and this one cannot say.
        """
        account = self._accounts.states.get(account_id)
        if account is None and self._groups is not None:
            self._groups.require(account_id)
        return account

    def project_name(self, account_id: str, project_id: str) -> str:
        """What people call a project; its id if the account has no such project."""
        found = self._accounts.objects(account_id).projects.get(project_id)
        return project_id if found is None else found.name

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        return self._accounts.incomplete(account_id)

    def account_ids(self) -> list[str]:
        """The ids of all accounts of which there is any object."""
        return self._accounts.account_ids()

    def has_membership(self, account_id: str, user_id: str) -> bool:
        """Return whether the account has a membership of this user, in force or not."""
        return user_id in self._accounts.objects(account_id).members

    def objects(self, account_id: str) -> Iterator[tuple[PolicyObjectKind, str, Any]]:
        """The newest states of an account as of now: kind, id, and the state as published."""
        return published(account_id, self._accounts.objects(account_id))

    def catalog_id(self, account_id: str) -> str | None:
        """The id of the catalog that an account follows, also if it has not arrived."""
        account = self._accounts.objects(account_id).account
        return None if account is None else account.catalog

    def catalog_content(self, catalog_id: str) -> Mapping[str, Any] | None:
        """The content of a published catalog."""
        record = self._catalogs.get(catalog_id)
        return None if record is None else record.content

    def _name(self, account_id: str, change: AccountChange) -> None:
        """Take what a change tells of external ids."""
        if change.begins_anew:
            self.external_ids.drop(account_id)
        known = self.external_ids.any_of(account_id)
        for user_id, state in change.told_members():
            external_id = state and state.external_id
            if known or external_id is not None:
                self.external_ids.put(account_id, user_id, external_id)


def _compiled(catalog_id: str, state: CatalogObject) -> CompiledCatalog | None:
    """The catalog as decisions need it; `None` if this version cannot read it."""
    try:
        published_catalog = Catalog.from_published(state.content)
    except CatalogError as problem:
        logger.error("Catalog %s cannot be read: %s", catalog_id, problem)  # noqa: TRY400 - the problem says where it is
        return None
    return CompiledCatalog(published_catalog, published_as=catalog_id)
