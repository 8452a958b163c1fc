"""The readers of live lists on this replica, and what wakes and ends them."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.notification.domain.live_list import (
    MAX_OF_REPLICA,
    MAX_OF_USER,
    LiveListEnd,
    TooManyLiveLists,
)
from services.notification.store import ListState
from shared.auth.principals import UserPrincipal
from shared.ids import UserId


@dataclass(eq=False)
class ListReader:
    """One reader of a live list."""

    principal: UserPrincipal
    seen: ListState | None = None
    """How far the list was when it was looked at last."""
    end: str | None = None
    """Why nothing more may be told."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self, reason: str) -> None:
        """End with a word; the first reason counts."""
        self.end = self.end or reason
        self.news.set()


@dataclass
class ListReaders:
    """The live lists of this replica."""

    _readers: set[ListReader] = field(default_factory=set)
    _draining: bool = False

    def require_room(self, user_id: UserId) -> None:
        """Check that one more live list may begin.

        Raises:
            TooManyLiveLists: it may not.
        """
        of_user = sum(each.principal.user_id == user_id for each in self._readers)
        for holder, count, limit in (
            ("a user", of_user, MAX_OF_USER),
            ("a replica", len(self._readers), MAX_OF_REPLICA),
        ):
            if count >= limit:
                raise TooManyLiveLists(retry_after=5, limit=limit, holder=holder)

    @contextmanager
    def reader(self, principal: UserPrincipal) -> Iterator[ListReader]:
        """Take part until the block ends; raises as `require_room`."""
        self.require_room(principal.user_id)
        reader = ListReader(principal)
        if self._draining:
            reader.stop(LiveListEnd.DRAINING)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.remove(reader)

    def now(self) -> Sequence[ListReader]:
        """The readers of this moment."""
        return tuple(self._readers)

    def users(self) -> Collection[UserId]:
        """The people whose lists are followed."""
        return {each.principal.user_id for each in self._readers}

    def looked_at(self, states: Mapping[UserId, ListState]) -> None:
        """Take how far lists are, and wake the readers of those that changed."""
        for each in self._readers:
            state = states.get(each.principal.user_id)
            if state is not None and state != each.seen:
                each.seen = state
                each.news.set()

    def drain(self) -> None:
        """End all live lists."""
        self._draining = True
        for each in self._readers:
            each.stop(LiveListEnd.DRAINING)
