"""Writes to a journal: sequence, state and facts in one transaction, then the barrier."""

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, cast

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
from shared.contracts.groups import concerned_shards
from shared.http.idempotency import RepeatedRequest
from shared.ids import new_id
from shared.journal import rows
from shared.journal.adoption import Adoption
from shared.journal.relay import Relay
from shared.journal.repeats import Repeats, Seen, finds_change_made
from shared.journal.shard_rows import ShardRows, heads_of
from shared.journal.turns import ShardTurns
from shared.journal.writes import Attempted, Guard, JournalWrite, WriteResult
from shared.leases import Leases, MongoLeaseStore
from shared.mongo import (
    Database,
    DbClient,
    DbSession,
    Document,
    Transactions,
    insert_missing,
    majority,
)
from shared.problems import Refusal, Unavailable
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

T = TypeVar("T")

MAX_SEQ = 2**63 - 1  # the largest integer of the database


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
        repeats: Repeats | None = None,
        adoption: Adoption | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.source = source
        self.epoch = ""
        self._transactions = transactions or Transactions(
            client,
            seconds=timeouts.transaction,
            attempt_seconds=timeouts.transaction_attempt,
            end_seconds=timeouts.transaction_end,
        )
        self._clock = clock
        self.signer = signer
        self._relay = relay
        self._leases = leases
        self._repeats = repeats or Repeats(MongoLeaseStore(client, database))
        self._shards = ShardRows(database, adoption)
        self._rows = majority(database, "journal")
        self._heads = majority(database, "heads")
        # What other services follow is read by a client that no request waits for.
        followed = database if read_from is None else read_from
        self._followed_rows = majority(followed, "journal")
        self._followed_heads = majority(followed, "heads")
        self._turns = ShardTurns(seconds=timeouts.shard_turn)

    async def start(self) -> None:
        """Read this database's epoch, or make it; safe to repeat and to run twice at once.

        Raises:
            Unavailable: not every member of the database has the epoch yet.
        """
        known = {head["_id"] async for head in self._heads.find({}, {"_id": 1})}
        first: list[Document] = [
            {"_id": "epoch", "epoch": secrets.token_hex(8)},
            *({"_id": shard, "last_seq": 0, "digest": GENESIS} for shard in range(SHARDS)),
        ]
        missing = [head for head in first if head["_id"] not in known]
        if missing:
            await insert_missing(self._heads, missing)
        epoch = await self._heads.find_one({"_id": "epoch"})
        if epoch is None:
            raise Unavailable  # another process inserts it, and no majority has it yet
        self.epoch = epoch["epoch"]

    async def heads(self) -> JournalHeads:
        """The last committed row of each shard that has rows, and how far it is trimmed."""
        found = self._followed_heads.find({"last_seq": {"$gt": 0}})
        return heads_of(self.epoch, [head async for head in found])

    async def changes(self, shard: int, *, after: int, limit: int) -> list[SignedRow]:
        """At most `limit` rows of a shard with a sequence above `after`, in order."""
        if after > MAX_SEQ - limit:
            return []
        # The sequence is gapless, so a range bound on both sides is exactly the page.
        page = {"shard": shard, "seq": {"$gt": after, "$lte": after + limit}}
        found = self._followed_rows.find(page).sort("seq", 1)
        return [rows.read(document) async for document in found]

    async def row(self, position: Position) -> Row | None:
        """The row at a position, or `None` when this journal has none there."""
        if position.seq > MAX_SEQ:
            return None
        stored = await self._rows.find_one({"shard": position.shard, "seq": position.seq})
        found = None if stored is None else rows.read(stored).row
        return found if found is not None and found.position == position else None

    def revision(self, key: str, seq: int) -> str:
        """The revision of the row at `seq` in the shard of `key`."""
        return format_revision(Position(self.source, self.epoch, shard_of(key), seq))

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
        """Save state and facts in one transaction, in the shard of `key`.

        `change` may run more than once; `guard` runs before it, and `before_commit` when only the
        commit is left to do. With `effective_everywhere` the write returns when each follower has
        applied it or can no longer answer, or after `Timeouts.barrier` seconds with
        `effective=False`. A request that finds its change made
        (it records nothing, or ends as `finds_change_made` says) waits for the same: its answer
        tells the caller that the change is effective.

        Raises:
            Unavailable: the database was away or contended, and nothing is known to have happened;
                or the change was made before and is not effective everywhere yet.
        """
        shard = shard_of(key)
        seen = Seen(Position(self.source, self.epoch, shard, 0))
        try:
            result, recorded = await self._save(
                key, change, seen, caller=caller, guard=guard, before_commit=before_commit
            )
        except (Refusal, RepeatedRequest) as ended:
            if effective_everywhere and finds_change_made(ended):
                await self._settle(seen)
            raise
        committed_at = self._clock.boottime()
        if not recorded:
            if effective_everywhere:
                await self._settle(seen)
            return WriteResult(result=result, revision=None)
        self._relay.publish_soon(recorded)
        last = recorded[-1].row.position
        effective = True
        if effective_everywhere:
            receipt = await self._granted.barrier(
                last,
                digest=recorded[-1].digest,
                committed_at=committed_at,
                after=seen.session,
                concerned=concerned_shards(
                    each for row in recorded for each in row.row.policy_objects
                ),
            )
            effective = receipt.effective
        return WriteResult(result=result, revision=format_revision(last), effective=effective)

    async def _save(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        seen: Seen,
        *,
        caller: Caller,
        guard: Guard | None,
        before_commit: Callable[[], None] | None,
    ) -> tuple[T, list[SignedRow]]:
        shard, change_id = shard_of(key), new_id("chg")
        attempts: dict[str, tuple[T, list[SignedRow]]] = {}

        async def attempt(session: DbSession) -> tuple[T, list[SignedRow]]:
            seen.session, seen.change_id = session, None
            if guard is not None:
                await guard(session)
            write, previous = await self._begin(shard, session, caller)
            seen.position = seen.position._replace(seq=write.base)
            try:
                result = await change(write)
            except Refusal as refusal:
                if finds_change_made(refusal):
                    seen.change_id = await self._repeats.change_at(seen.position, session)
                raise
            recorded = self._signed(write, shard, change_id=change_id, previous=previous)
            if recorded:
                await self._shards.append(recorded, base=write.base, session=session)
                attempts.update((signed.row.id, (result, recorded)) for signed in recorded)
            if before_commit is not None:
                before_commit()
            return result, recorded

        async def committed(session: DbSession) -> tuple[T, list[SignedRow]] | None:
            places = {saved[0].row.seq for _, saved in attempts.values()}
            ids = await self._shards.ids_at(shard, places, session)
            return next((attempts[row_id] for row_id in ids if row_id in attempts), None)

        async with self._turns.turn(shard, key) as waited:
            return await self._transactions.run(attempt, committed=committed, waited=waited)

    async def attempt(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        guard: Guard | None = None,
        before_commit: Callable[[], None] | None = None,
    ) -> T:
        """Run `change` as `write` does, up to the commit, and abort the transaction.

        Raises:
            Unavailable: the database was away or contended, or writers came again and again.
        """
        shard = shard_of(key)

        async def attempt(session: DbSession) -> None:
            if guard is not None:
                await guard(session)
            write, previous = await self._begin(shard, session, caller)
            write.is_wanted = partial(self._turns.is_wanted, key)
            result = await change(write)
            self._signed(write, shard, change_id=new_id("chg"), previous=previous)
            if before_commit is not None:
                before_commit()
            raise Attempted(result)

        try:
            await self._turns.dry_run(shard, key, partial(self._transactions.run, attempt))
        except Attempted as attempted:
            return cast("T", attempted.result)
        raise RuntimeError("an attempt was committed")

    async def refused(self, key: str, *facts: Fact, caller: Caller) -> None:
        """Record refused requests for the audit log; no state changes."""

        async def change(write: JournalWrite) -> None:
            write.record(*facts)

        await self.write(key, change, caller=caller, effective_everywhere=False)

    async def _begin(
        self, shard: int, session: DbSession, caller: Caller
    ) -> tuple[JournalWrite, str]:
        """An attempt over the head of the shard, with the digest of the row there."""
        head = await self._shards.head(shard, session)
        base, now = head["last_seq"], self._clock.now()
        return JournalWrite(session=session, now=now, base=base, caller=caller), head["digest"]

    async def _settle(self, seen: Seen) -> None:
        """Wait until what a transaction saw is effective everywhere."""
        head, digest, session = await self._repeats.head(seen)
        if not head.seq:
            return
        now = self._clock.boottime()
        receipt = await self._granted.barrier(head, digest=digest, committed_at=now, after=session)
        if not receipt.effective:
            raise Unavailable

    @property
    def _granted(self) -> Leases:
        if self._leases is None:
            raise RuntimeError(f"{self.source} has no leases: no write can be effective everywhere")
        return self._leases

    def _signed(
        self, write: JournalWrite, shard: int, *, change_id: str, previous: str
    ) -> list[SignedRow]:
        base, signer = Position(self.source, self.epoch, shard, write.base), self.signer
        return rows.of_write(write, base, change_id=change_id, previous=previous, signer=signer)
