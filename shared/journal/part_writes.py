"""Parts of a write: a use case runs inside the transaction of another one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from shared.contracts.facts import Caller, Fact, Position, Row
from shared.journal.writes import Guard, JournalWrite, JournalWriter, WriteResult

T = TypeVar("T")


class PartsOfWrite:
    """A journal for use cases that are parts of one write; it is committed as a whole.

    Each part reads what the earlier ones have saved, and is authorized and refused as if it were
    alone. Its facts have `reason`, unless it gives one. What is checked before a commit, a key, and
    the record of a refusal are those of the whole write.
    """

    def __init__(self, journal: JournalWriter, whole: JournalWrite, *, reason: str) -> None:
        self._journal = journal
        self._whole = whole
        self._reason = reason

    def revision(self, key: str, seq: int) -> str:
        """The revision of the row at `seq` in the shard of `key`."""
        return self._journal.revision(key, seq)

    async def row(self, position: Position) -> Row | None:
        """The row at a position, or `None` when the journal has none there."""
        return await self._journal.row(position)

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
        """Run `change` in the transaction of the whole write; there is no revision yet."""
        result = await self.attempt(key, change, caller=caller)
        return WriteResult(result=result, revision=None)

    async def attempt(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        guard: Guard | None = None,
        before_commit: Callable[[], None] | None = None,
    ) -> T:
        """Run `change` in the transaction of the whole write."""
        facts = self._whole.facts
        earlier = len(facts)
        result = await change(self._whole)
        facts[earlier:] = [
            fact if fact.reason is not None else replace(fact, reason=self._reason)
            for fact in facts[earlier:]
        ]
        return result

    async def refused(self, key: str, *facts: Fact, caller: Caller) -> None:
        """Record nothing: the whole write is refused."""
