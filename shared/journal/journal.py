"""How does a change get its sequence, and when is it acknowledged?"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from shared.clock import Clock
from shared.contracts.facts import (
    SHARDS,
    Caller,
    Fact,
    Position,
    Row,
    format_revision,
    shard_of,
)
from shared.ids import new_id
from shared.journal import rows
from shared.journal.relay import Relay
from shared.leases import Leases, Receipt
from shared.mongo import (
    AlreadyThere,
    Database,
    DbClient,
    DbSession,
    Transactions,
    insert_once,
    majority,
    update_expected,
)
from shared.problems import Unavailable
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

T = TypeVar("T")

ROW_LIMIT = 128 * 1024
"""Bytes of one row as JSON: a change is told whole, so it has to stay small."""

Guard = Callable[[DbSession], Awaitable[None]]


@dataclass
class JournalWrite:
    """One attempt of one write: the session for the store, and the facts told so far."""

    session: DbSession
    now: datetime
    base: int
    caller: Caller
    """Who acts; a use case may add the actor's name, which it reads in the transaction."""
    facts: list[Fact] = field(default_factory=list)

    @property
    def rev(self) -> int:
        """The sequence that the next recorded fact takes; stored with the state it tells of."""
        return self.base + len(self.facts) + 1

    def record(self, *facts: Fact) -> None:
        """Tell what was decided; saved with the state, in this order."""
        self.facts.extend(facts)


@dataclass(frozen=True, kw_only=True)
class WriteResult(Generic[T]):
    """What a write answers: the use case's result and where its last fact stands.

    `revision` is `None` when nothing was recorded. `effective` is false when a policy change is
    committed but some replica of authz may not have it yet (the route then answers 202).
    """

    result: T
    revision: str | None
    effective: bool = True


class Journal:
    """The journal of one source in its database."""

    def __init__(
        self,
        client: DbClient,
        database: Database,
        *,
        source: str,
        relay: Relay,
        clock: Clock,
        leases: Leases | None = None,
        transactions: Transactions | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.source = source
        self.epoch = ""
        self._transactions = transactions or Transactions(client, seconds=timeouts.transaction)
        self._clock = clock
        self._relay = relay
        self._timeouts = timeouts
        self._leases = leases
        self._rows = majority(database, "journal")
        self._heads = majority(database, "heads")
        self._locks = [asyncio.Lock() for _ in range(SHARDS)]

    async def start(self) -> None:
        """Find this database's epoch, or make it with the database; safe to repeat and to race."""
        with contextlib.suppress(AlreadyThere):
            await insert_once(self._heads, {"_id": "epoch", "epoch": secrets.token_hex(8)})
        known = {row["_id"] async for row in self._heads.find({}, {"_id": 1})}
        for shard in set(range(SHARDS)) - known:
            with contextlib.suppress(AlreadyThere):
                await insert_once(self._heads, {"_id": shard, "seq": 0})
        epoch = await self._heads.find_one({"_id": "epoch"})
        self.epoch = (epoch or {})["epoch"]

    async def heads(self) -> dict[int, int]:
        """The last committed sequence of each shard that has any."""
        return {
            row["_id"]: row["seq"]
            async for row in self._heads.find({"seq": {"$gt": 0}})
            if isinstance(row["_id"], int)
        }

    async def changes(self, shard: int, *, after: int, limit: int) -> list[Row]:
        """Rows of a shard with a sequence over `after`, in order."""
        # The sequence is gapless, so a range bound on both sides is exactly the page.
        page = {"shard": shard, "seq": {"$gt": after, "$lte": after + limit}}
        return [rows.read(document) async for document in self._rows.find(page).sort("seq", 1)]

    async def row(self, position: Position) -> Row | None:
        """The row at a position; `None` when this journal has no such row."""
        stored = await self._rows.find_one({"_id": rows.key(position)})
        found = None if stored is None else rows.read(stored)
        return found if found is not None and found.position == position else None

    async def write(
        self,
        key: str,
        work: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        effective_everywhere: bool,
        guard: Guard | None = None,
    ) -> WriteResult[T]:
        """Save state and facts of one shard (that of `key`) in one transaction.

        `work` may run more than once; `guard` runs before it (idempotency key, inbox receipt).
        With `effective_everywhere`, returns when every live replica of authz has the change or can
        no longer answer, or after two seconds with `effective=False`.

        Raises:
            Unavailable: the database was away or contended; nothing is known to have happened.
        """
        shard = shard_of(key)
        change_id = new_id("chg")
        used: DbSession | None = None
        attempts: dict[str, tuple[T, list[Row]]] = {}

        async def attempt(session: DbSession) -> tuple[T, list[Row]]:
            nonlocal used
            used = session
            if guard is not None:
                await guard(session)
            head = await self._heads.find_one({"_id": shard}, session=session)
            tx = JournalWrite(
                session=session, now=self._clock.now(), base=(head or {})["seq"], caller=caller
            )
            result = await work(tx)
            told = self._number(tx, shard=shard, change_id=change_id)
            if told:
                await update_expected(
                    self._heads,
                    {"_id": shard, "seq": tx.base},
                    {"$set": {"seq": tx.base + len(told)}},
                    session,
                )
                await self._rows.insert_many([rows.document(row) for row in told], session=session)
                attempts.update((row.id, (result, told)) for row in told)
            return result, told

        async def committed(session: DbSession | None) -> tuple[T, list[Row]] | None:
            stored = await self._rows.find_one({"change_id": change_id}, session=session)
            return None if stored is None else attempts[rows.read(stored).id]

        async with self._turn(shard):
            result, told = await self._transactions.run(attempt, committed=committed)
            committed_at = self._clock.boottime()
        if not told:
            return WriteResult(result=result, revision=None)
        self._relay.publish_soon(told)
        last = told[-1].position
        effective = True
        if effective_everywhere:
            effective = (await self._barrier(last, committed_at, after=used)).effective
        return WriteResult(result=result, revision=format_revision(last), effective=effective)

    async def settle(self, key: str) -> bool:
        """Await the barrier at the shard's head, for a request that finds its change made."""
        shard = shard_of(key)
        head = await self._heads.find_one({"_id": shard})
        seq = (head or {})["seq"]
        if not seq:
            return True
        position = Position(self.source, self.epoch, shard, seq)
        return (await self._barrier(position, self._clock.boottime())).effective

    async def refused(self, key: str, fact: Fact, *, caller: Caller) -> None:
        """Record a refusal: there is no state to change, but the audit log shall have it."""

        async def work(tx: JournalWrite) -> None:
            tx.record(fact)

        await self.write(key, work, caller=caller, effective_everywhere=False)

    @contextlib.asynccontextmanager
    async def _turn(self, shard: int) -> AsyncIterator[None]:
        """The right to write: within a process those of one shard would only meet as conflicts."""
        turn = self._locks[shard]
        try:
            async with asyncio.timeout(self._timeouts.shard_turn):
                await turn.acquire()
        except TimeoutError as late:
            raise Unavailable from late
        try:
            yield
        finally:
            turn.release()

    async def _barrier(
        self, position: Position, committed_at: float, *, after: DbSession | None = None
    ) -> Receipt:
        if self._leases is None:
            raise RuntimeError(f"{self.source} has no leases, so no policy routes")
        return await self._leases.barrier(position, committed_at=committed_at, after=after)

    def _number(self, tx: JournalWrite, *, shard: int, change_id: str) -> list[Row]:
        told = []
        for index, fact in enumerate(tx.facts):
            seq = tx.base + index + 1
            row = Row(
                id=new_id("evt"),
                type=fact.payload.type,
                source=self.source,
                epoch=self.epoch,
                shard=shard,
                seq=seq,
                change_id=change_id,
                part=index + 1,
                parts=len(tx.facts),
                occurred_at=tx.now,
                account_id=fact.account_id,
                account_rev=fact.account_rev,
                project_id=fact.project_id,
                resource=fact.resource,
                actor=tx.caller.actor,
                request=tx.caller.request,
                outcome=fact.outcome,
                reason=fact.reason,
                before=fact.before,
                after=fact.after,
                data=fact.payload.model_dump(mode="json"),
                policy_objects=tuple(
                    policy_object.model_copy(update={"rev": seq})
                    for policy_object in fact.policy_objects
                ),
            )
            if len(row.to_event()) > ROW_LIMIT:
                raise ValueError(f"{row.type} is larger than a row may be")
            told.append(row)
        return told
