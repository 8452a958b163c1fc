"""The readers of the policy stream, and what wakes them: applied changes, and ends."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from services.authz.domain.change_log import ChangeLog
from shared.clock import Clock
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import ReplicaState
from shared.http.lanes import Overloaded, TooManyAtOnce
from shared.problems import Unavailable
from shared.timeouts import Timeouts

MAX_READERS = 512
MAX_READERS_OF_CLIENT = 128


class PolicyFeed:
    """Numbers the changes of team's journal for its readers.

    Nothing is kept while there is no reader, nor `Timeouts.stream_resume` seconds after the last
    one: a replica without readers pays nothing.
    """

    def __init__(self, *, clock: Clock, timeouts: Timeouts) -> None:
        self.log = ChangeLog()
        self.draining = False
        self._clock = clock
        self._timeouts = timeouts
        self._readers: set[asyncio.Event] = set()
        self._of_client: Counter[str] = Counter()
        self._read_until = float("-inf")

    def require_room(self, client_id: str) -> None:
        """Check that one more reader may come.

        Raises:
            Unavailable: this replica stops.
            Overloaded, TooManyAtOnce: there are too many readers, or too many of this client.
        """
        if self.draining:
            raise Unavailable
        if len(self._readers) >= MAX_READERS:
            raise Overloaded
        if self._of_client[client_id] >= MAX_READERS_OF_CLIENT:
            raise TooManyAtOnce(retry_after=1)

    @contextmanager
    def reader(self, client_id: str) -> Iterator[asyncio.Event]:
        """Take part in the feed; the event is set whenever there may be something to tell."""
        if not self._readers and self._clock.boottime() >= self._read_until:
            self.log = ChangeLog()
        news = asyncio.Event()
        self._readers.add(news)
        self._of_client[client_id] += 1
        try:
            yield news
        finally:
            self._readers.remove(news)
            self._of_client -= Counter((client_id,))
            self._read_until = self._clock.boottime() + self._timeouts.stream_resume

    def changed(self, objects: Iterable[PolicyObject]) -> None:
        """Take a change that was applied."""
        if self._readers or self._clock.boottime() < self._read_until:
            self.log.record(objects)
            self.wake()

    def forgotten(self) -> None:
        """End all streams: the state that they told is gone."""
        self.log = ChangeLog()
        self._read_until = float("-inf")
        self.wake()

    def drain(self) -> None:
        """End all streams, and admit no further one."""
        self.draining = True
        self.wake()

    def wake(self) -> None:
        """Let every reader look again."""
        for news in self._readers:
            news.set()


class ToldState:
    """The state from one source, whose changes the readers of a feed learn of."""

    def __init__(self, state: ReplicaState, feed: PolicyFeed) -> None:
        self._state = state
        self._feed = feed

    def clear(self) -> None:
        """Forget everything from this source."""
        self._state.clear()
        self._feed.forgotten()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of one change, then tell them."""
        objects = tuple(policy_objects)
        self._state.put(objects)
        if objects:
            self._feed.changed(objects)


class ToldSignIns:
    """The state from identity: the readers of a feed are told of ended sessions and of users.

    Of other changes they learn nothing, and look again whether their client is still the same. What
    they know of ended sessions holds beyond the state.
    """

    def __init__(self, state: ReplicaState, feed: PolicyFeed) -> None:
        self._state = state
        self._feed = feed

    def clear(self) -> None:
        """Forget everything from identity."""
        self._state.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of one change, then tell whose sign-in is over or back."""
        objects = tuple(policy_objects)
        self._state.put(objects)
        ended = [
            each
            for each in objects
            if each.kind is PolicyObjectKind.SESSION and each.state is not None
        ]
        users = [
            [each for each in objects if each.kind is kind]
            for kind in (PolicyObjectKind.DISABLED_USER, PolicyObjectKind.SECOND_FACTOR)
        ]
        told = [each for each in (ended, *users) if each]
        for each in told:
            self._feed.changed(each)
        if objects and not told:
            self._feed.wake()
