"""Facts that a service could not apply: an operator lists them, applies them again, or drops them.

Such a fact has a mark, as if it were applied, so that others go on. The mark stays for good. A
replay notes in the stored fact that it is applied, in the transaction of the effect. So the effect
comes once, also if the replay is interrupted or repeated, and never after a drop. What an operator
does is a fact itself, saved in the transaction that forgets the failed one.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.auth.row_signatures import SignedRow
from shared.clock import Clock
from shared.contracts.facts import Caller, Fact, Position, ResourceRef, Row
from shared.contracts.upkeep import DROPPED, REPLAYED, DeadFactDropped, DeadFactEnded
from shared.inbox.marks import AlreadyApplied, AppliedMark, Marks, mark_id
from shared.journal import Journal, JournalWrite
from shared.mongo import Collection, Database, DatabaseAway, DbSession, Document, majority
from shared.problems import NotFound, Refusal, RefusalKind, Unavailable
from shared.row_verifier import RowRefused, RowVerifier

COLLECTION = "inbox_dead"
MAX_COUNT = 10_000
"""Counted at most."""

_log = logging.getLogger(__name__)


class FactStillFails(Refusal):
    """The fact failed again, and stays where it is."""

    kind = RefusalKind.CONFLICT
    code = "fact-still-fails"
    detail = "The fact failed again: {problem}. Correct the cause, and replay it then."


class FactOfFormerEpoch(Refusal):
    """The fact is of a history that was lost when its source was restored."""

    kind = RefusalKind.CONFLICT
    code = "fact-of-former-epoch"
    detail = "The fact is of a history that its source lost when it was restored. Drop it."


class FactWasReplayed(Refusal):
    """A replay has applied the fact, and was cut off before it could forget it."""

    kind = RefusalKind.CONFLICT
    code = "fact-was-replayed"
    detail = "A replay has applied the fact, and cannot be undone. Replay it again to end it."


@dataclass(frozen=True, kw_only=True)
class DeadFact:
    """A fact that was put aside, and the error that it caused last."""

    id: str
    row: Row
    error: str
    event: str


class DeadFacts:
    """The collection `inbox_dead` of one service."""

    def __init__(
        self,
        database: Database,
        *,
        marks: Marks,
        verifier: RowVerifier,
        in_force: Callable[[Position], Awaitable[bool]],
        subscriptions: Mapping[str, Callable[[Any, Row, AppliedMark], Awaitable[None]]],
        ctx: Any,
        clock: Clock,
    ) -> None:
        self._dead = majority(database, COLLECTION)
        self._marks = marks
        self._verifier = verifier
        self._in_force = in_force
        self._subscriptions = subscriptions
        self._ctx = ctx
        self._clock = clock

    async def page(self, *, after: str | None, limit: int) -> list[DeadFact]:
        """Return facts in the order of their ids, after one of them."""
        wanted = {} if after is None else {"_id": {"$gt": after}}
        found = self._dead.find(wanted).sort("_id", 1).limit(limit)
        return [_read(stored) async for stored in found]

    async def find(self, dead_id: str) -> DeadFact:
        """Return one fact.

        Raises:
            NotFound: it is not there.
        """
        return _read(await self._stored(dead_id))

    async def count(self) -> int:
        """Count the facts, up to `MAX_COUNT`."""
        return await self._dead.count_documents({}, limit=MAX_COUNT)

    async def replay(self, dead_id: str, *, journal: Journal, caller: Caller) -> None:
        """Apply a fact, forget that it was put aside, and record who did it.

        Raises:
            NotFound: it is not there.
            FactOfFormerEpoch, FactStillFails: it is not applied.
            Unavailable: the database or the source is away.
        """
        stored = await self._stored(dead_id)
        signed = self._verified(stored)
        row = signed.row
        if not await self._in_force(row.position):
            raise FactOfFormerEpoch
        await self._apply(dead_id, signed)
        await self._forget(stored, REPLAYED[journal.source], journal, caller)

    async def drop(self, dead_id: str, *, journal: Journal, caller: Caller) -> None:
        """Forget a fact, which counts as applied for good, and record who did it.

        Raises:
            NotFound: it is not there.
            FactWasReplayed: its effect is there.
        """
        stored = await self._stored(dead_id)
        await self._forget(stored, DROPPED[journal.source], journal, caller)

    async def _forget(
        self, stored: Document, ended: type[DeadFactEnded], journal: Journal, caller: Caller
    ) -> None:
        """Delete a fact that was put aside, and record it in the log of its account.

        The deletion and the note of a replay exclude each other: they write the same document.
        """
        row = _read(stored).row
        dropped = issubclass(ended, DeadFactDropped)

        async def change(write: JournalWrite) -> None:
            now = await self._dead.find_one_and_delete(
                {"_id": stored["_id"]}, session=write.session
            )
            if now is None:
                raise NotFound
            if dropped and now.get("applied"):
                raise FactWasReplayed
            write.record(_ended(row, ended))

        key = row.account_id or row.resource.id
        await journal.write(key, change, caller=caller, effective_everywhere=False)

    async def _stored(self, dead_id: str) -> Document:
        stored = await self._dead.find_one({"_id": dead_id})
        if stored is None:
            raise NotFound
        return stored

    def _verified(self, stored: Document) -> SignedRow:
        source = str(stored["_id"]).partition(".")[0]
        try:
            return self._verifier.stored(source, stored["event"].encode(), stored["signature"])
        except (RowRefused, ValueError) as fault:
            raise FactStillFails(problem=f"its source did not sign it ({fault})") from fault

    async def _apply(self, dead_id: str, signed: SignedRow) -> None:
        row = signed.row
        subscriber = self._subscriptions.get(row.type) or self._subscriptions.get("*")
        mark = ReplayMark(self._marks, signed, self._clock.now(), dead=self._dead)
        try:
            if subscriber is not None:
                await subscriber(self._ctx, row, mark)
            if not mark.used:
                await mark(None)
        except AlreadyApplied:
            _log.info("A replayed fact was applied or dropped before.", extra={"event_id": row.id})
        except (DatabaseAway, Unavailable):
            raise
        except Exception as problem:
            _log.exception("A replayed fact failed again.", extra={"event_id": row.id})
            error = {"error": repr(problem)[:500]}
            await self._dead.update_one({"_id": dead_id}, {"$set": error})
            raise FactStillFails(problem=type(problem).__name__) from problem


class ReplayMark(AppliedMark):
    """Notes in a fact that was put aside that it is applied, in the session of its effect."""

    def __init__(self, marks: Marks, signed: SignedRow, at: datetime, *, dead: Collection) -> None:
        super().__init__(marks, signed, at)
        self._dead = dead
        self._dead_id = mark_id(signed.row.position)

    async def place(self, session: DbSession | None) -> None:
        """Note it; the fact has had its mark since it was put aside.

        Raises:
            AlreadyApplied: another replay has applied it, or a drop has ended it.
        """
        waiting = {"_id": self._dead_id, "applied": {"$ne": True}}
        noted = await self._dead.update_one(waiting, {"$set": {"applied": True}}, session=session)
        if not noted.matched_count:
            raise AlreadyApplied


def dead_fact(signed: SignedRow, problem: Exception) -> tuple[str, Document]:
    """Return the id and the content of a fact that is put aside."""
    return mark_id(signed.row.position), {
        "event": signed.event.decode(),
        "signature": signed.signature,
        "error": repr(problem)[:500],
        "applied": False,
    }


def _ended(row: Row, ended: type[DeadFactEnded]) -> Fact:
    payload = ended(
        event_id=row.id, fact_type=row.type, source=row.source, occurred_at=row.occurred_at
    )
    return Fact(
        payload=payload,
        resource=ResourceRef(type="fact", id=row.id, name=row.action),
        account_id=row.account_id,
    )


def _read(stored: Document) -> DeadFact:
    row = Row.from_event(stored["event"].encode())
    return DeadFact(id=stored["_id"], row=row, error=stored["error"], event=stored["event"])
