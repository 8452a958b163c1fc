"""One write to a journal, as a use case sees it, and its result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from shared.contracts.facts import Caller, Fact, Position, Row
from shared.mongo import DbSession

T = TypeVar("T")

Guard = Callable[[DbSession], Awaitable[None]]
"""Runs first in each attempt of the transaction: it takes an idempotency key or marks a fact as
applied."""


@dataclass
class JournalWrite:
    """One attempt of one write: the session for the store, and the facts recorded so far."""

    session: DbSession
    now: datetime
    base: int
    """The shard's head before this write."""
    caller: Caller
    """Who acts; a use case may add the actor's name, which it reads in the transaction."""
    facts: list[Fact] = field(default_factory=list)
    is_wanted: Callable[[], bool] = bool
    """Whether a writer waits for the rows that this dry run holds."""

    @property
    def rev(self) -> int:
        """The sequence of the next recorded fact; stored with the state that it describes."""
        return self.base + len(self.facts) + 1

    def record(self, *facts: Fact) -> None:
        """Add facts; they are saved with the state, in this order."""
        self.facts.extend(facts)

    def give_way(self) -> None:
        """End a dry run that holds up a writer; a long one says between its steps where it can.

        Raises:
            GaveWay: it does; the dry run begins again after that writer.
        """
        if self.is_wanted():
            raise GaveWay


class GaveWay(Exception):  # noqa: N818 - it ends a transaction, and nothing is wrong
    """A dry run ended because a writer waits for its rows."""


class Attempted(Exception):  # noqa: N818 - it ends a transaction, and nothing is wrong
    """An attempt came to its commit in a dry run; `result` is that of its change."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


@dataclass(frozen=True, kw_only=True)
class WriteResult(Generic[T]):
    """The result of a write, and the revision of its last fact.

    `revision` is `None` when no fact was recorded. `effective` is false when the change is
    committed but a replica of authz may not have it yet: the route then answers 202.
    """

    result: T
    revision: str | None
    effective: bool = True


class JournalWriter(Protocol):
    """What a use case needs of a journal: the real one, or that of a dry run."""

    def revision(self, key: str, seq: int) -> str:
        """The revision of the row at `seq` in the shard of `key`."""

    async def row(self, position: Position) -> Row | None:
        """The row at a position, or `None` when this journal has none there."""

    async def write(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        effective_everywhere: bool,
        guard: Guard | None = None,
        before_commit: Callable[[], None] | None = None,
    ) -> WriteResult[T]:
        """Save state and facts in one transaction, in the shard of `key`."""

    async def attempt(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        guard: Guard | None = None,
        before_commit: Callable[[], None] | None = None,
    ) -> T:
        """Run `change` as `write` does, up to the commit, and abort the transaction."""

    async def refused(self, key: str, *facts: Fact, caller: Caller) -> None:
        """Record refused requests for the audit log; no state changes."""
