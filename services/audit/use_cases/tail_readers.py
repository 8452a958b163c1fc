"""The readers of live tails on this replica, and what wakes them: a look at the sealed log."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from services.audit.domain.tails import (
    MAX_OF_ACCOUNT,
    MAX_OF_REPLICA,
    MAX_OF_USER,
    TooManyTails,
)


@dataclass(eq=False)
class TailReader:
    """One reader of a tail."""

    account_id: str
    user_id: str
    size: int = 0
    """The records that the account's log had when it was looked at last."""
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class TailReaders:
    """The live tails of this replica."""

    draining: bool = False
    complete_until: datetime | None = None
    """Everything that happened before this moment is within the sizes of the readers."""
    _readers: set[TailReader] = field(default_factory=set)

    def require_room(self, account_id: str, user_id: str) -> None:
        """Check that one more tail may begin.

        Raises:
            TooManyTails: it may not.
        """
        of_user = Counter(each.user_id for each in self._readers)
        of_account = Counter(each.account_id for each in self._readers)
        for holder, count, limit in (
            ("a user", of_user[user_id], MAX_OF_USER),
            ("an account", of_account[account_id], MAX_OF_ACCOUNT),
            ("a replica", len(self._readers), MAX_OF_REPLICA),
        ):
            if count >= limit:
                raise TooManyTails(retry_after=5, limit=limit, holder=holder)

    @contextmanager
    def reader(self, account_id: str, user_id: str) -> Iterator[TailReader]:
        """Take part until the block ends; raises as `require_room`."""
        self.require_room(account_id, user_id)
        reader = TailReader(account_id, user_id)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.remove(reader)

    def accounts(self) -> set[str]:
        """The accounts whose logs are followed."""
        return {each.account_id for each in self._readers}

    def seen(self, sizes: Mapping[str, int], complete_until: datetime | None) -> None:
        """Take the sizes of logs that were complete up to a moment, and wake the readers.

        A reader that came during the look is not among them, so the moment is too late for it.
        """
        if complete_until is not None and self.accounts() <= sizes.keys():
            self.complete_until = complete_until
        for each in self._readers:
            each.size = sizes.get(each.account_id, each.size)
            each.news.set()

    def drain(self) -> None:
        """End all tails."""
        self.draining = True
        for each in self._readers:
            each.news.set()
