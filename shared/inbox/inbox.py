"""How does a service hear every fact of the others exactly once in effect?

The bus makes a fact arrive soon; the **reconciler** makes it arrive for certain: it compares what
this service has seen with the source's heads and fetches what is missing. A fact's **receipt** is
saved in the transaction of its effect, so a double changes nothing.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared import context, metrics
from shared.bus import Bus, BusMessage, Subscription, Verdict
from shared.clock import Clock
from shared.contracts.calls import CHANGES, HEADS, ChangesQuery
from shared.contracts.facts import Actor, Caller, Position, Row
from shared.contracts.topology import Queue
from shared.http.client import InternalClient
from shared.indexes import Index
from shared.mongo import (
    DATABASE_AWAY,
    AlreadyThere,
    Database,
    DbClient,
    DbSession,
    insert_once,
    majority,
    transact,
)
from shared.problems import Unavailable

logger = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two comparisons with the sources' heads."""
SOON = 1.0
"""The same, while a source could not be asked."""
PATIENCE = timedelta(seconds=1)
"""A row younger than this is left to the bus."""
UNSETTLED = timedelta(seconds=10)
"""How long after its own moment a fact may still show: its transaction is open for five seconds at
most, and the clocks of two machines differ."""
PAGE = 200
KEPT = timedelta(hours=1)
FORGET_EVERY = timedelta(minutes=5)
TRIES = 6
"""How often the reconciler tries a row that fails, before it is put aside."""

INDEXES = (
    Index(
        collection="inbox",
        keys=(("source", 1), ("epoch", 1), ("shard", 1), ("seq", 1)),
        name="position",
    ),
)
"""What the migrations of a service with an inbox need."""

AWAY: tuple[type[Exception], ...] = (Unavailable, *DATABASE_AWAY)
"""Not the fact's fault: it waits until the world is back."""

AppliedMark = Callable[[DbSession], Awaitable[None]]
Subscriber = Callable[[Any, Row, AppliedMark], Awaitable[None]]
Subscriptions = Mapping[str, Subscriber]
"""Fact type → what this service does about it; `*` stands for every type."""


class AlreadyApplied(Exception):  # noqa: N818 - it says what is so, and nothing is wrong
    """The fact's effect is there; let it pass, the inbox handles it."""


def caller_for(row: Row, *, service: str) -> Caller:
    """Who acts when a service acts because of a fact: itself, on behalf of the fact's actor."""
    behalf = row.actor.on_behalf_of or row.actor.id
    return Caller(actor=Actor(type="service", id=service, on_behalf_of=behalf), request=row.request)


class Inbox:
    """The facts of `sources`, as one consuming service sees them."""

    def __init__(
        self,
        client: DbClient,
        database: Database,
        *,
        bus: Bus,
        queue: Queue,
        sources: Sequence[str],
        internal: InternalClient,
        subscriptions: Subscriptions,
        ctx: Any,
        clock: Clock,
    ) -> None:
        self._client = client
        self._seen = majority(database, "inbox")
        self._marks = majority(database, "inbox_marks")
        self._dead = majority(database, "inbox_dead")
        self._bus = bus
        self._queue = queue
        self._sources = tuple(sources)
        self._internal = internal
        self._subscriptions = subscriptions
        self._ctx = ctx
        self._clock = clock
        self._epochs: dict[str, str] = {}
        self._low: dict[tuple[str, int], int] = {}
        self._complete: dict[str, datetime] = {}
        self._failures: dict[Position, int] = {}
        self._to_forget: dict[str, set[int]] = {}
        self._forget_at: dict[str, datetime] = {}
        self._wake = asyncio.Event()
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Read how far this service is, and subscribe."""
        async for mark in self._marks.find({}):
            self._epochs[mark["_id"]] = mark["epoch"]
            for shard, low in mark["low"].items():
                self._low[mark["_id"], int(shard)] = low
        self._subscription = await self._bus.subscribe(
            self._queue, self.handle, on_resync=self._resync
        )

    async def stop(self) -> None:
        """Take no more messages."""
        if self._subscription is not None:
            await self._subscription.close()

    @property
    def connected(self) -> bool:
        """Whether facts can arrive by the bus right now."""
        return self._subscription is not None and self._subscription.connected

    @property
    def complete_until(self) -> datetime | None:
        """Everything that any source told before this moment is here; `None`: not yet known."""
        if len(self._complete) < len(self._sources):
            return None
        return min(self._complete.values())

    async def handle(self, message: BusMessage) -> Verdict:
        """Apply one message of the bus."""
        try:
            row = Row.from_event(message.body)
        except ValueError:
            logger.exception("a message is no fact", extra={"event_id": message.id})
            return Verdict.DEAD
        try:
            await self.apply(row)
        except AWAY as problem:
            logger.warning("%s waits: %s", row.id, problem)
            self._wake.set()
        return Verdict.ACK

    async def apply(self, row: Row) -> None:
        """Give a row to its subscriber, once."""
        position = row.position
        if position.epoch == self._epochs.get(position.source) and position.seq <= self._low.get(
            (position.source, position.shard), 0
        ):
            return
        entry = {
            "_id": ".".join(str(part) for part in position),
            **position._asdict(),
            "at": self._clock.now(),
        }
        taken = False

        async def applied_mark(session: DbSession) -> None:
            nonlocal taken
            taken = True
            try:
                await insert_once(self._seen, entry, session)
            except AlreadyThere as there:
                raise AlreadyApplied from there

        subscriber = self._subscriptions.get(row.type) or self._subscriptions.get("*")
        try:
            if subscriber is not None:
                await subscriber(self._ctx, row, applied_mark)
            if not taken:
                with contextlib.suppress(AlreadyThere):
                    await insert_once(self._seen, entry)
        except AlreadyApplied:
            return

    async def run(self) -> None:
        """Reconcile every few seconds, and at once when something was missed. Never ends."""
        away: set[str] = set()
        while True:
            for source in self._sources:
                try:
                    await self.reconcile(source)
                    away.discard(source)
                except AWAY as problem:
                    # Services start in any order, so once is nothing to wake anybody for.
                    level = logging.WARNING if source in away else logging.INFO
                    logger.log(level, "cannot compare with %s: %s", source, problem)
                    away.add(source)
            try:
                async with asyncio.timeout((SOON if away else EVERY) * random.uniform(0.8, 1.2)):
                    await self._wake.wait()
                await asyncio.sleep(0.5)  # what went wrong a moment ago needs a moment
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def reconcile(self, source: str) -> None:
        """Compare with the source's heads, fetch and apply what is missing, remember how far."""
        asked_at = self._clock.now()
        answer = await self._internal.call(HEADS, source)
        epoch, heads = answer.epoch, answer.heads
        if self._epochs.get(source) != epoch:
            if source in self._epochs:
                logger.warning("%s has another epoch: its journal begins anew", source)
            self._low = {key: low for key, low in self._low.items() if key[0] != source}
            self._epochs[source] = epoch
        behind = [
            shard for shard, head in heads.items() if self._low.get((source, shard), 0) < head
        ]
        complete = True
        for shard in behind:
            complete &= await self._fill(source, epoch, shard, heads[shard])
        if behind:
            low = {str(shard): self._low.get((source, shard), 0) for shard in heads}
            await self._marks.update_one(
                {"_id": source}, {"$set": {"epoch": epoch, "low": low}}, upsert=True
            )
            self._to_forget.setdefault(source, set()).update(behind)
            if asked_at >= self._forget_at.get(source, asked_at):
                self._forget_at[source] = asked_at + FORGET_EVERY
                await self._forget(source, epoch, self._to_forget.pop(source))
        if complete:
            self._complete[source] = asked_at - UNSETTLED

    async def _fill(self, source: str, epoch: str, shard: int, head: int) -> bool:
        """Apply what is missing up to `head`; whether everything is here now."""
        low = self._low.get((source, shard), 0)
        while low < head:
            end = min(low + PAGE, head)
            seen = await self._seen_between(source, epoch, shard, low, end)
            if len(seen) < end - low:
                seen |= await self._fetch(source, epoch, shard, low, end, seen)
            contiguous = low
            while contiguous + 1 in seen:
                contiguous += 1
            self._low[source, shard] = contiguous
            if contiguous < end:
                return False
            low = end
        return True

    async def _seen_between(
        self, source: str, epoch: str, shard: int, low: int, end: int
    ) -> set[int]:
        position = {"source": source, "epoch": epoch, "shard": shard}
        cursor = self._seen.find({**position, "seq": {"$gt": low, "$lte": end}}, {"seq": 1})
        return {entry["seq"] async for entry in cursor}

    async def _fetch(
        self, source: str, epoch: str, shard: int, low: int, end: int, seen: set[int]
    ) -> set[int]:
        page = await self._internal.call(
            CHANGES, source, ChangesQuery(shard=shard, after=low, limit=end - low)
        )
        applied: set[int] = set()
        if page.epoch != epoch:
            return applied
        recent = self._clock.now() - PATIENCE
        for event in page.items:
            row = Row.from_event(event.encode())
            if row.seq in seen or row.seq > end:
                continue
            if row.occurred_at > recent:
                self._wake.set()
                continue
            if await self._apply_patiently(row):
                applied.add(row.seq)
        return applied

    async def _apply_patiently(self, row: Row) -> bool:
        """Apply a fetched row; one that keeps failing is put aside, so that others go on."""
        try:
            await self.apply(row)
        except AWAY:
            raise
        except Exception as problem:
            failures = self._failures.get(row.position, 0) + 1
            self._failures[row.position] = failures
            logger.exception("cannot apply %s (%d)", row.id, failures)
            if failures < TRIES:
                return False
            await self._put_aside(row, problem)
        self._failures.pop(row.position, None)
        return True

    async def _put_aside(self, row: Row, problem: Exception) -> None:
        position = ".".join(str(part) for part in row.position)

        async def work(session: DbSession) -> None:
            await self._dead.update_one(
                {"_id": position},
                {"$set": {"event": row.to_event().decode(), "error": repr(problem)[:500]}},
                upsert=True,
                session=session,
            )
            await insert_once(
                self._seen,
                {"_id": position, **row.position._asdict(), "at": self._clock.now()},
                session,
            )

        with contextlib.suppress(AlreadyThere):  # another replica put it aside
            await transact(self._client, work)
        metrics.PUT_ASIDE.labels(context.service.get(), row.source).inc()

    async def _forget(self, source: str, epoch: str, shards: Collection[int]) -> None:
        """Delete receipts that a mark covers; an hour late, for replicas with an older mark.

        Not at every comparison: each time it looks through an hour of them.
        """
        before = self._clock.now() - KEPT
        for shard in shards:
            low = self._low.get((source, shard), 0)
            await self._seen.delete_many(
                {
                    "source": source,
                    "epoch": epoch,
                    "shard": shard,
                    "seq": {"$gt": 0, "$lte": low},
                    "at": {"$lt": before},
                }
            )

    async def _resync(self) -> None:
        self._wake.set()
