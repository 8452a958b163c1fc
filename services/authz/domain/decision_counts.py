"""Decisions, counted in memory: one count for each subject, permission, resource and reason.

A count is of one minute. It is told twice at most: soon after the first decision, and with the rest
after the minute. What the bounds exclude is counted without detail.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

_MINUTE = timedelta(minutes=1)
_BEFORE = datetime.min.replace(tzinfo=UTC)
"""Before any minute."""
MAX_COUNTS = 10_000
"""The places for counts in one process: those of the minute, and those that wait to be told."""
MAX_OF_ACCOUNT = 100
"""The counts of one account in one minute: a member must not write a log without bound."""
MAX_LOSSES = 1_000
"""The accounts whose counts without detail are told apart; those of further ones are one count."""


class Denied(Struct, frozen=True, gc=False):
    """The denials that are counted together within a minute; the user may act by an API token.

    It is a structure because one is made for each denial: a tuple takes three times as long.
    """

    account_id: str
    user_id: str
    permission: str
    resource_id: str | None
    project_id: str | None
    reason: str
    token_id: str | None = None


class Allowed(NamedTuple):
    """The allows that are counted together; one of `one_of` such checks is counted."""

    account_id: str
    user_id: str
    permission: str
    resource_id: str | None
    project_id: str | None
    one_of: int
    token_id: str | None = None


class OfAccount(Protocol):
    """What is counted of an account."""

    @property
    def account_id(self) -> str:
        """The account."""


CountedT = TypeVar("CountedT", bound=OfAccount)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How often, and when first and last."""

    number: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class CountBatch(Generic[CountedT]):
    """Counts to be told; in `losses` those without detail, by account, `None` for several."""

    counts: Sequence[tuple[CountedT, Times]]
    losses: Sequence[tuple[str | None, Times]]


class DecisionCounts(Generic[CountedT]):
    """The counts of this process since the last batch."""

    def __init__(
        self,
        *,
        max_counts: int = MAX_COUNTS,
        max_of_account: int = MAX_OF_ACCOUNT,
        max_losses: int = MAX_LOSSES,
    ) -> None:
        self._max_counts = max_counts
        self._max_of_account = max_of_account
        self._max_losses = max_losses
        self._begun = self._ended = _BEFORE
        self._counts: dict[CountedT, _Count[CountedT]] = {}
        self._of_account: dict[str, int] = {}
        self._due: deque[_Count[CountedT]] = deque()
        self._losses: dict[str | None, _Count[None]] = {}
        self._losses_due = False

    def note(self, decided: CountedT, now: datetime) -> None:
        """Count a decision."""
        if not self._begun <= now < self._ended:
            self._begin(now)
        count = self._counts.get(decided)
        if count is not None:
            count.add(now)
            return
        of_account = self._of_account.get(decided.account_id, 0)
        if of_account >= self._max_of_account or len(self) >= self._max_counts:
            self._lose(decided.account_id, now)
            return
        self._of_account[decided.account_id] = of_account + 1
        count = self._counts[decided] = _Count(decided, now)
        self._make_due(count)

    def take(self, now: datetime, *, limit: int) -> CountBatch[CountedT]:
        """Give away what is to be told now, `limit` of each kind at most."""
        if not self._begun <= now < self._ended:
            self._begin(now)
        counts = [self._due.popleft().told() for _ in range(min(limit, len(self._due)))]
        losses: list[tuple[str | None, Times]] = []
        if self._losses_due:
            taken = list(self._losses)[:limit]
            losses = [(account_id, self._losses.pop(account_id).told()[1]) for account_id in taken]
            self._losses_due = bool(self._losses)
        return CountBatch(counts, losses)

    def end(self) -> None:
        """Make everything due: the process ends."""
        self._begin(_BEFORE)

    def __len__(self) -> int:
        """The places that are taken; a count that is due and of this minute takes two."""
        return len(self._counts) + len(self._due)

    def _begin(self, now: datetime) -> None:
        """Begin the minute of this time; what was not told of the former one is due."""
        for count in self._counts.values():
            if count.number and not count.due:
                self._make_due(count)
        self._counts, self._of_account = {}, {}
        self._losses_due = bool(self._losses)
        self._begun = now.replace(second=0, microsecond=0)
        self._ended = self._begun + _MINUTE

    def _make_due(self, count: "_Count[CountedT]") -> None:
        count.due = True
        self._due.append(count)

    def _lose(self, account_id: str, now: datetime) -> None:
        known = account_id in self._losses or len(self._losses) < self._max_losses
        key = account_id if known else None
        lost = self._losses.get(key)
        if lost is None:
            self._losses[key] = _Count(None, now)
        else:
            lost.add(now)


class _Count(Generic[T]):
    """A count since it was told last; `due` while it waits to be told."""

    __slots__ = ("decided", "due", "first", "last", "number")

    def __init__(self, decided: T, now: datetime) -> None:
        self.decided = decided
        self.due = False
        self.number, self.first, self.last = 1, now, now

    def add(self, now: datetime) -> None:
        if not self.number:
            self.first = now
        self.number += 1
        self.last = now

    def told(self) -> tuple[T, Times]:
        """What was counted; it counts from zero again."""
        times = Times(number=self.number, first=self.first, last=self.last)
        self.number, self.due = 0, False
        return self.decided, times
