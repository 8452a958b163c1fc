"""What team's journal tells a replica: accounts and the catalogs that they follow.

Policy objects come in; one immutable `AccountState` per account comes out and is replaced whole. A
reader therefore sees one state of an account, never half of a change.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rolecall import (
    AccountState,
    Catalog,
    CatalogError,
    CompiledCatalog,
    build_account,
    build_member,
)
from shared.contracts.policy_objects import OverrideObject, PolicyObject, PolicyObjectKind
from shared.following.newest import NewestStates, read_states

logger = logging.getLogger(__name__)

_ACCOUNT_KINDS = frozenset(
    {
        PolicyObjectKind.ACCOUNT,
        PolicyObjectKind.MEMBER,
        PolicyObjectKind.PROJECT,
        PolicyObjectKind.OVERRIDE,
    }
)


class PolicyState:
    """Accounts with their members, projects and overrides, and the published catalogs."""

    def __init__(self) -> None:
        self._newest: dict[str, NewestStates] = defaultdict(NewestStates)
        self._newest_catalogs = NewestStates()
        self._catalogs: dict[str, CompiledCatalog] = {}
        self._accounts: dict[str, AccountState] = {}
        self._waiting: dict[str, set[str]] = defaultdict(set)

    def clear(self) -> None:
        """Forget everything."""
        self._newest.clear()
        self._newest_catalogs.clear()
        self._catalogs.clear()
        self._accounts.clear()
        self._waiting.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of a change, then rebuild each account that they touch.

        Raises:
            pydantic.ValidationError: a state has an unknown shape; nothing of the change is taken.
        """
        touched: dict[str, None] = {}
        for policy_object, state in read_states(policy_objects):
            if policy_object.kind is PolicyObjectKind.CATALOG:
                touched |= dict.fromkeys(self._put_catalog(policy_object, state))
            elif policy_object.kind in _ACCOUNT_KINDS:
                account_id = (
                    policy_object.id
                    if policy_object.account_id is None
                    else policy_object.account_id
                )
                if not self._newest[account_id].take(policy_object, state):
                    continue
                touched[account_id] = None
                if policy_object.kind is PolicyObjectKind.ACCOUNT and state is None:
                    self._newest[account_id].clear()  # its members and projects end with it
        for account_id in touched:
            self._rebuild(account_id)

    def account(self, account_id: str) -> AccountState | None:
        """The account as of the last change; `None`: it does not exist, or is incomplete."""
        return self._accounts.get(account_id)

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        return any(account_id in waiting for waiting in self._waiting.values())

    def _put_catalog(self, policy_object: PolicyObject, state: Any) -> Iterable[str]:
        """Take a catalog; the accounts that waited for it."""
        if not self._newest_catalogs.take(policy_object, state):
            return ()
        self._catalogs.pop(policy_object.id, None)
        if state is not None:
            try:
                published = Catalog.from_published(state.content)
            except CatalogError as problem:
                logger.error("Catalog %s cannot be read: %s", policy_object.id, problem)  # noqa: TRY400
                return ()
            self._catalogs[policy_object.id] = CompiledCatalog(
                published, published_as=policy_object.id
            )
        return self._waiting.pop(policy_object.id, ())

    def _rebuild(self, account_id: str) -> None:
        """Replace the account's state by one that is built from its newest objects."""
        newest = self._newest[account_id]
        self._accounts.pop(account_id, None)
        for waiting in self._waiting.values():
            waiting.discard(account_id)
        account = newest.get(PolicyObjectKind.ACCOUNT, account_id)
        if account is None:
            if not newest:
                del self._newest[account_id]
            return
        catalog = self._catalogs.get(account.catalog)
        if catalog is None:
            self._waiting[account.catalog].add(account_id)
            return
        catalog = catalog.with_roles(account.roles)
        overrides: dict[str, list[OverrideObject]] = defaultdict(list)
        for _, override in newest.of_kind(PolicyObjectKind.OVERRIDE):
            overrides[override.user_id].append(override)
        members = [
            build_member(user_id, membership, overrides.get(user_id, ()), catalog=catalog)
            for user_id, membership in newest.of_kind(PolicyObjectKind.MEMBER)
        ]
        projects = [project_id for project_id, _ in newest.of_kind(PolicyObjectKind.PROJECT)]
        self._accounts[account_id] = build_account(
            account_id, account, members, projects, catalog=catalog
        )
