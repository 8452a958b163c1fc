"""The accounts that policy objects lead to, by id, and the catalogs that they follow.

One immutable `AccountState` of each account is replaced whole. A reader therefore sees one state of
an account, never half of a change. Authz and local mode apply changes in here.
"""

from collections.abc import Mapping
from typing import TypeVar

from rolecall.core.account_objects import NO_OBJECTS, AccountChange, AccountObjects
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.state import AccountState

V = TypeVar("V")


class AccountTable:
    """Accounts with their members, projects, overrides and resources."""

    def __init__(self) -> None:
        self.states: dict[str, AccountState] = {}
        """What decides; an account whose catalog has not arrived is not in here."""
        self._objects: dict[str, AccountObjects] = {}
        self._catalogs: dict[str, CompiledCatalog] = {}
        self._waiting: dict[str, str] = {}
        """The accounts that cannot be decided, each with the catalog that has not arrived."""

    def clear(self) -> None:
        """Forget everything."""
        self.states = {}
        self._objects = {}
        self._catalogs = {}
        self._waiting = {}

    def objects(self, account_id: str) -> AccountObjects:
        """The records of an account; an unknown one has none."""
        return self._objects.get(account_id, NO_OBJECTS)

    def account_ids(self) -> list[str]:
        """The ids of all accounts of which there is any object."""
        return list(self._objects)

    def incomplete(self, account_id: str) -> bool:
        """Return whether the account exists and cannot be decided: its catalog has not arrived."""
        return account_id in self._waiting

    def apply(
        self,
        changes: Mapping[str, AccountChange],
        catalogs: Mapping[str, CompiledCatalog | None],
    ) -> None:
        """Take a change of accounts and catalogs; `None`: a catalog is gone, or cannot be read.

        Everything that it touches is made anew before anything is replaced. What cannot be read
        therefore stops the change as a whole.

        Raises:
            ValueError: a state has an unknown shape; nothing of the change is taken.
        """
        touched = dict(changes)
        for account_id, catalog_id in self._waiting.items() if catalogs else ():
            if catalog_id in catalogs and account_id not in touched:
                touched[account_id] = AccountChange(self.objects(account_id))

        def compiled(catalog_id: str) -> CompiledCatalog | None:
            if catalog_id in catalogs:
                return catalogs[catalog_id]
            return self._catalogs.get(catalog_id)

        made = {
            account_id: change.result(account_id, compiled)
            for account_id, change in touched.items()
        }
        for catalog_id, catalog in catalogs.items():
            _set(self._catalogs, catalog_id, catalog)
        for account_id, objects in made.items():
            self._replace(account_id, objects)

    def _replace(self, account_id: str, objects: AccountObjects) -> None:
        """Give the account these objects; nothing in here can fail half way."""
        _set(self._objects, account_id, objects or None)
        _set(self.states, account_id, objects.state)
        waits_for = None
        if objects.state is None and objects.account is not None:
            waits_for = objects.account.catalog
        _set(self._waiting, account_id, waits_for)


def _set(table: dict[str, V], key: str, value: V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
