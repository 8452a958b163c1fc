"""Dry runs: a use case runs as it would, and nothing of it is kept."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

from shared import context
from shared.contracts.facts import Caller, Fact, Position, Row
from shared.journal.writes import Guard, JournalWrite, JournalWriter, WriteResult
from shared.mongo import DbSession

T = TypeVar("T")
SeenT = TypeVar("SeenT")


class DryRun(Generic[SeenT]):
    """A journal for one dry run; a use case that is handed it changes nothing.

    Each write runs in a transaction of the real journal, which is aborted when only the commit is
    left to do. Until then it is authorized, refused and repeated as the real one. Nothing is saved,
    recorded, mailed or counted: neither a fact nor a refusal, a quota or an idempotency key.

    `look` reads rows in that transaction. It runs before and after the change, and `before` and
    `after` have what it returned. `facts` has what the change would record, and `now` its moment.
    All are those of the attempt that would have been committed.
    """

    before: SeenT
    after: SeenT
    now: datetime

    def __init__(
        self, journal: JournalWriter, *, look: Callable[[DbSession], Awaitable[SeenT]]
    ) -> None:
        self._journal = journal
        self._look = look
        self.facts: tuple[Fact, ...] = ()

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
        """Run `change` and abort; there is no revision, and nothing that has to be effective.

        Raises:
            Unavailable: the database was away or contended.
        """
        quotas = context.quotas.get()
        try:
            result = await self.attempt(
                key, change, caller=caller, guard=guard, before_commit=before_commit
            )
        finally:
            context.quotas.set(quotas)
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
        """Run `change` in a transaction of the real journal, which is aborted."""

        async def observed(write: JournalWrite) -> T:
            self.before = await self._look(write.session)
            result = await change(write)
            self.after = await self._look(write.session)
            self.facts, self.now = tuple(write.facts), write.now
            return result

        return await self._journal.attempt(
            key, observed, caller=caller, guard=guard, before_commit=before_commit
        )

    async def refused(self, key: str, *facts: Fact, caller: Caller) -> None:
        """Record nothing: what is refused in a dry run was not tried."""
