"""What team's journal tells a replica: accounts and the catalogs that they follow.

Policy objects come in; one immutable `AccountState` per account comes out and is replaced whole. A
reader therefore sees one state of an account, never half of a change.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from rolecall import AccountState, Catalog, CatalogError, CompiledCatalog
from services.authz.domain.account_objects import ACCOUNT_KINDS, RESOURCE, AccountObjects
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.newest import NewestStates, read_states

logger = logging.getLogger(__name__)


class PolicyState:
    """Accounts with their members, projects, overrides and resources, and published catalogs."""

    def __init__(self) -> None:
        self._objects: dict[str, AccountObjects] = defaultdict(AccountObjects)
        self._newest_catalogs = NewestStates()
        self._catalogs: dict[str, CompiledCatalog] = {}
        self._accounts: dict[str, AccountState] = {}
        self._waiting: dict[str, set[str]] = defaultdict(set)

    def clear(self) -> None:
        """Forget everything."""
        self._objects.clear()
        self._newest_catalogs.clear()
        self._catalogs.clear()
        self._accounts.clear()
        self._waiting.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of a change, then rebuild each account that they touch.

        Members and registered resources alone do not rebuild their account: a page of a large
        import must not cost what the whole account costs.

        Raises:
            pydantic.ValidationError: a state has an unknown shape; nothing of the change is taken.
        """
        # The members that changed; `None`: more did than members and resources.
        touched: dict[str, set[str] | None] = {}
        for policy_object, state in read_states(policy_objects):
            if policy_object.kind is PolicyObjectKind.CATALOG:
                touched |= dict.fromkeys(self._put_catalog(policy_object, state))
            elif policy_object.kind in ACCOUNT_KINDS:
                account_id = (
                    policy_object.id
                    if policy_object.account_id is None
                    else policy_object.account_id
                )
                if self._objects[account_id].take(policy_object, state):
                    users = touched.setdefault(account_id, set())
                    if policy_object.kind not in {PolicyObjectKind.MEMBER, RESOURCE}:
                        touched[account_id] = None
                    elif users is not None and policy_object.kind is PolicyObjectKind.MEMBER:
                        users.add(policy_object.id)
        for account_id, users in touched.items():
            known = self._accounts.get(account_id)
            if users is None or known is None:
                self._rebuild(account_id)
            else:
                self._accounts[account_id] = self._objects[account_id].with_changes(known, users)

    def account(self, account_id: str) -> AccountState | None:
        """The account as of the last change; `None`: it does not exist, or is incomplete."""
        return self._accounts.get(account_id)

    def project_name(self, account_id: str, project_id: str) -> str:
        """What people call a project; its id if the account has no such project."""
        objects = self._objects.get(account_id)
        found = objects and objects.newest.get(PolicyObjectKind.PROJECT, project_id)
        return found.name if found else project_id

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        return any(account_id in waiting for waiting in self._waiting.values())

    def account_ids(self) -> list[str]:
        """The ids of all accounts."""
        return list(self._objects)

    def objects(self, account_id: str) -> Iterator[tuple[PolicyObjectKind, str, Any]]:
        """Kind, id and state of each object of an account, as of the call; the account first."""
        known = self._objects.get(account_id)
        return iter(()) if known is None else known.states()

    def catalog_content(self, catalog_id: str) -> dict[str, Any] | None:
        """The content of a catalog as it was published; `None` if it has not arrived."""
        catalog = self._newest_catalogs.get(PolicyObjectKind.CATALOG, catalog_id)
        return None if catalog is None else catalog.content

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
        objects = self._objects[account_id]
        self._accounts.pop(account_id, None)
        for waiting in self._waiting.values():
            waiting.discard(account_id)
        account = objects.newest.get(PolicyObjectKind.ACCOUNT, account_id)
        if account is None:
            if not objects:
                del self._objects[account_id]
            return
        catalog = self._catalogs.get(account.catalog)
        if catalog is None:
            self._waiting[account.catalog].add(account_id)
            return
        self._accounts[account_id] = objects.build(account_id, catalog.with_roles(account.roles))
