"""One attempt to change one account: its transaction, and what was read of it already."""

from collections.abc import Mapping
from datetime import datetime

from services.team.domain.account_access import AccountUserRows
from services.team.domain.accounts import Account
from services.team.store import Store
from shared.ids import AccountId, UserId
from shared.journal import JournalWrite


class Attempt:
    """The transaction in which the rows of one account are read and saved.

    `account` is `None` if there is no such account (yet).
    """

    def __init__(
        self,
        store: Store,
        write: JournalWrite,
        account_id: AccountId,
        *,
        account: Account | None,
        loaded: Mapping[UserId, AccountUserRows] | None = None,
    ) -> None:
        """Begin; `loaded` has users who were read with the account, in the same transaction."""
        self.account = account
        self._store = store
        self._write = write
        self._session = write.session
        self._account_id = account_id
        loaded = loaded or {}
        self._members = {user_id: rows.membership for user_id, rows in loaded.items()}
        self._overrides = {user_id: list(rows.overrides) for user_id, rows in loaded.items()}
        self._inactive: set[UserId] = set()
        """Those who stop being active members by this attempt."""

    @property
    def existing_account(self) -> Account:
        """The account, which an earlier step has found.

        Raises:
            LookupError: there is no such account.
        """
        if self.account is None:
            raise LookupError(f"{self._account_id} does not exist")
        return self.account

    @property
    def now(self) -> datetime:
        """The moment of this attempt."""
        return self._write.now

    @property
    def base(self) -> int:
        """The last sequence in the shard of the account before this attempt."""
        return self._write.base
