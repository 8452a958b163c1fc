"""Writes to a journal: sequence, state and facts in one transaction, then the barrier."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from shared.auth.row_signatures import RowSigner, SignedRow
from shared.clock import Clock
from shared.contracts.facts import (
    GENESIS,
    SHARDS,
    Caller,
    Fact,
    JournalHeads,
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

MAX_ROW_BYTES = 128 * 1024
"""Of one row as JSON: a row carries the whole state of an object, so the state must stay small."""

Guard = Callable[[DbSession], Awaitable[None]]
"""Runs first in the transaction: it takes an idempotency key or marks a fact as applied."""


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

    @property
    def rev(self) -> int:
        """The sequence of the next recorded fact; stored with the state that it describes."""
        return self.base + len(self.facts) + 1

    def record(self, *facts: Fact) -> None:
        """Add facts; they are saved with the state, in this order."""
        self.facts.extend(facts)


@dataclass(frozen=True, kw_only=True)
class WriteResult(Generic[T]):
    """The result of a write, and the revision of its last fact.

    `revision` is `None` when no fact was recorded. `effective` is false when the change is
    committed but a replica of authz may not have it yet: the route then answers 202.
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
        signer: RowSigner,
        relay: Relay,
        clock: Clock,
        read_from: Database | None = None,
        leases: Leases | None = None,
        transactions: Transactions | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.source = source
        self.epoch = ""
        self._transactions = transactions or Transactions(client, seconds=timeouts.transaction)
        self._clock = clock
        self._signer = signer
        self._relay = relay
        self._timeouts = timeouts
        self._leases = leases
        self._rows = majority(database, "journal")
        self._heads = majority(database, "heads")
        # What other services follow is read by a client that no request waits for.
        followed = database if read_from is None else read_from
        self._followed_rows = majority(followed, "journal")
        self._followed_heads = majority(followed, "heads")
        self._locks = [asyncio.Lock() for _ in range(SHARDS)]

    async def start(self) -> None:
        """Read this database's epoch, or make it; safe to repeat and to run twice at once."""
        with contextlib.suppress(AlreadyThere):
            await insert_once(self._heads, {"_id": "epoch", "epoch": secrets.token_hex(8)})
        known = {row["_id"] async for row in self._heads.find({}, {"_id": 1})}
        for shard in set(range(SHARDS)) - known:
            with contextlib.suppress(AlreadyThere):
                await insert_once(self._heads, {"_id": shard, "last_seq": 0, "digest": GENESIS})
        epoch = await self._heads.find_one({"_id": "epoch"})
        self.epoch = (epoch or {})["epoch"]

    async def heads(self) -> JournalHeads:
        """The last committed row of each shard that has rows."""
        seqs, digests = {}, {}
        async for row in self._followed_heads.find({"last_seq": {"$gt": 0}}):
            seqs[row["_id"]], digests[row["_id"]] = row["last_seq"], row["digest"]
        return JournalHeads(self.epoch, seqs, digests)

    async def changes(self, shard: int, *, after: int, limit: int) -> list[SignedRow]:
        """At most `limit` rows of a shard with a sequence above `after`, in order."""
        # The sequence is gapless, so a range bound on both sides is exactly the page.
        page = {"shard": shard, "seq": {"$gt": after, "$lte": after + limit}}
        found = self._followed_rows.find(page).sort("seq", 1)
        return [rows.read(document) async for document in found]

    async def row(self, position: Position) -> Row | None:
        """The row at a position, or `None` when this journal has none there."""
        stored = await self._rows.find_one({"_id": rows.key(position)})
        found = None if stored is None else rows.read(stored).row
        return found if found is not None and found.position == position else None

    async def write(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        effective_everywhere: bool,
        guard: Guard | None = None,
    ) -> WriteResult[T]:
        """Save state and facts in one transaction, in the shard of `key`.

        `change` may run more than once; `guard` runs before it. With `effective_everywhere` the
        write returns when each replica of authz has applied it or can no longer answer, or after
        `Timeouts.barrier` seconds with `effective=False`.

        Raises:
            Unavailable: the database was away or contended; nothing is known to have happened.
        """
        shard = shard_of(key)
        change_id = new_id("chg")
        used: DbSession | None = None
        attempts: dict[str, tuple[T, list[SignedRow]]] = {}

        async def attempt(session: DbSession) -> tuple[T, list[SignedRow]]:
            nonlocal used
            used = session
            if guard is not None:
                await guard(session)
            head = await self._heads.find_one({"_id": shard}, session=session) or {}
            write = JournalWrite(
                session=session,
                now=self._clock.now(),
                base=head["last_seq"],
                caller=caller,
            )
            result = await change(write)
            recorded = self._number(
                write, shard=shard, change_id=change_id, previous=head["digest"]
            )
            if recorded:
                await update_expected(
                    self._heads,
                    {"_id": shard, "last_seq": write.base},
                    {"$set": {"last_seq": recorded[-1].row.seq, "digest": recorded[-1].digest}},
                    session,
                )
                documents = [rows.document(signed) for signed in recorded]
                await self._rows.insert_many(documents, session=session)
                attempts.update((signed.row.id, (result, recorded)) for signed in recorded)
            return result, recorded

        async def committed(session: DbSession | None) -> tuple[T, list[SignedRow]] | None:
            stored = await self._rows.find_one({"change_id": change_id}, session=session)
            return None if stored is None else attempts[rows.read(stored).row.id]

        async with self._turn(shard):
            result, recorded = await self._transactions.run(attempt, committed=committed)
            committed_at = self._clock.boottime()
        if not recorded:
            return WriteResult(result=result, revision=None)
        self._relay.publish_soon(recorded)
        last = recorded[-1].row.position
        effective = True
        if effective_everywhere:
            effective = (await self._barrier(last, committed_at, after=used)).effective
        return WriteResult(result=result, revision=format_revision(last), effective=effective)

    async def settle(self, key: str) -> bool:
        """Await the barrier at the shard's head, for a request whose change was made before.

        Return whether the change is effective everywhere.
        """
        shard = shard_of(key)
        head = await self._heads.find_one({"_id": shard})
        seq = (head or {})["last_seq"]
        if not seq:
            return True
        position = Position(self.source, self.epoch, shard, seq)
        return (await self._barrier(position, self._clock.boottime())).effective

    async def refused(self, key: str, fact: Fact, *, caller: Caller) -> None:
        """Record a refused request for the audit log; no state changes."""

        async def change(write: JournalWrite) -> None:
            write.record(fact)

        await self.write(key, change, caller=caller, effective_everywhere=False)

    @contextlib.asynccontextmanager
    async def _turn(self, shard: int) -> AsyncIterator[None]:
        """Hold the right to write to a shard; two writers of one process would only conflict."""
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
            raise RuntimeError(f"{self.source} has no leases: no write can be effective everywhere")
        return await self._leases.barrier(position, committed_at=committed_at, after=after)

    def _number(
        self, write: JournalWrite, *, shard: int, change_id: str, previous: str
    ) -> list[SignedRow]:
        numbered: list[SignedRow] = []
        for index, fact in enumerate(write.facts):
            seq = write.base + index + 1
            row = Row(
                id=new_id("evt"),
                type=fact.payload.type,
                source=self.source,
                epoch=self.epoch,
                shard=shard,
                seq=seq,
                previous=numbered[-1].digest if numbered else previous,
                change_id=change_id,
                part=index + 1,
                parts=len(write.facts),
                occurred_at=write.now,
                account_id=fact.account_id,
                account_rev=fact.account_rev,
                project_id=fact.project_id,
                resource=fact.resource,
                actor=write.caller.actor,
                request=write.caller.request,
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
            signed = self._signer.sign(row)
            if len(signed.event) > MAX_ROW_BYTES:
                raise ValueError(f"A row of {row.type} has more than {MAX_ROW_BYTES} bytes.")
            numbered.append(signed)
        return numbered
