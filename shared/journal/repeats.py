"""Requests that find their change made, and the head that they wait for."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from shared.contracts.facts import GENESIS, JournalHeads, Position
from shared.http.idempotency import RepeatedRequest
from shared.problems import Refusal, RefusalKind, Unavailable

SessionT = TypeVar("SessionT")

_REPEATED = {
    RefusalKind.NOT_FOUND,
    RefusalKind.CONFLICT,
    RefusalKind.GONE,
    RefusalKind.PRECONDITION,
}
"""What the repeat of a change is refused with when the first one was committed."""


def finds_change_made(ended: Exception) -> bool:
    """Return whether a write may have ended with this because its change was made before."""
    return isinstance(ended, RepeatedRequest) or (
        isinstance(ended, Refusal) and ended.kind in _REPEATED
    )


@dataclass
class Seen:
    """What the last attempt of a write saw of its shard: the last place, in which session.

    `change_id` is that of the row at the place. `None` means that the answer does not rest on it.
    """

    position: Position
    change_id: str | None = None
    session: Any = None


class HistoryStore(Protocol[SessionT]):
    """What a repeat needs of a database: causally consistent majority reads of the journal."""

    def session(self, after: SessionT | None = None) -> AbstractAsyncContextManager[SessionT]:
        """Reads in causal order, from the last operation of `after` on."""

    async def heads(self, session: SessionT) -> JournalHeads:
        """The journal's epoch and heads."""

    async def change_at(self, position: Position, session: SessionT) -> str | None:
        """The id of the change whose row the journal has at a position."""


class Repeats:
    """Finds the head that a repeat waits for."""

    def __init__(self, store: HistoryStore[Any]) -> None:
        self._store = store

    async def change_at(self, position: Position, session: Any) -> str | None:
        """The change at a place, as the session sees it."""
        return await self._store.change_at(position, session)

    async def head(self, seen: Seen) -> tuple[Position, str, Any]:
        """The head of the shard as a majority has it, its digest, and the session that read it.

        The refused transaction waited for no majority, so the head is read after its session's
        time.

        Raises:
            Unavailable: a new primary has undone what the transaction saw. The session's time does
                not tell: it orders times, not histories.
        """
        position = seen.position
        async with self._store.session(seen.session) as session:
            heads = await self._store.heads(session)
            undone = heads.epoch != position.epoch or (
                seen.change_id is not None
                and await self.change_at(position, session) != seen.change_id
            )
        if undone:
            raise Unavailable
        seq, digest = (
            heads.seqs.get(position.shard, 0),
            heads.digests.get(position.shard, GENESIS),
        )
        return position._replace(seq=seq), digest, session
