"""The inbox: it takes facts from the bus and gives each to its subscriber once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared import context, metrics
from shared.auth.row_signatures import SignedRow
from shared.bus import PREFETCH, Bus, BusMessage, Subscription, Verdict
from shared.clock import Clock
from shared.contracts.facts import Actor, Caller, Row
from shared.contracts.topology import Queue
from shared.http.client import InternalClient
from shared.inbox.confirmations import Confirmations, Narrow
from shared.inbox.dead_facts import DeadFacts
from shared.inbox.marks import AlreadyApplied, AppliedMark, Marks
from shared.inbox.reconciler import AWAY, PAGE_SIZE, Reconciler
from shared.mongo import Database, DatabaseWatch, DbClient
from shared.outage_log import OutageLog
from shared.row_verifier import Channel, Fault, RowRefused, RowVerifier

Subscriber = Callable[[Any, Row, AppliedMark], Awaitable[None]]
Subscriptions = Mapping[str, Subscriber]
"""Fact type → the subscriber of this service; `*` stands for each type. A subscriber returns when
the effect and its mark are committed."""

COUNT_SECONDS = 15.0
SAVE_SECONDS = 0.5
"""The pause between two savings of noted marks, shorter than `BUS_HEAD_START`: a reconciler of
another replica does not fetch what this one has noted."""

_log = logging.getLogger(__name__)


def caller_for(row: Row, *, service: str) -> Caller:
    """The caller when a service acts because of a fact: itself, on behalf of the acting user.

    A fact in which no user acted has none: clients, operators and services are not users.
    """
    actor = Actor(type="service", id=service, on_behalf_of=row.actor.user_id)
    return Caller(actor=actor, request=row.request)


class Inbox:
    """The facts of `sources`, as one consuming service receives them."""

    def __init__(
        self,
        client: DbClient,
        database: Database,
        *,
        bus: Bus,
        queue: Queue,
        sources: Sequence[str],
        internal: InternalClient,
        verifier: RowVerifier,
        subscriptions: Subscriptions,
        ctx: Any,
        clock: Clock,
        page_size: int = PAGE_SIZE,
        prefetch: int = PREFETCH,
        narrow: Narrow | None = None,
    ) -> None:
        """`prefetch` is the number of messages that the bus hands over at once."""
        self._marks = Marks(database, verifier)
        self._bus = bus
        self._queue = queue
        self._prefetch = prefetch
        self._verifier = verifier
        self._subscriptions = subscriptions
        self._ctx = ctx
        self._clock = clock
        self._subscription: Subscription | None = None
        self._outage = OutageLog(
            _log, "The database or a source", effect="Messages are left to the reconciler."
        )
        self._saving = DatabaseWatch("Marks of facts without a subscriber wait in memory.")
        self._reconciler = Reconciler(
            client,
            database,
            sources=sources,
            marks=self._marks,
            internal=internal,
            verifier=verifier,
            apply=self.apply,
            clock=clock,
            page_size=page_size,
        )

        self.dead = DeadFacts(
            database,
            marks=self._marks,
            verifier=verifier,
            in_force=self._reconciler.in_force,
            subscriptions=subscriptions,
            ctx=ctx,
            clock=clock,
        )
        """The facts that could not be applied."""
        self.confirmations = Confirmations(database, internal, sources, narrow=narrow)
        """What this service says to its sources about the rows that it has applied."""

    async def start(self) -> None:
        """Read how far this service is, and subscribe."""
        await self._reconciler.load()
        self._subscription = await self._bus.subscribe(
            self._queue, self.handle, prefetch=self._prefetch, on_resync=self._resync
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
        """Every fact from before this moment is applied; `None` while that is not known."""
        return self._reconciler.complete_until

    def applied(self) -> dict[str, tuple[str, dict[int, int]]]:
        """How far this process knows every source to be applied: the epoch, the row of each shard.

        It covers every fact from before `complete_until`.
        """
        return self._reconciler.applied()

    def compare_soon(self) -> None:
        """Compare with the sources soon, for a reader who waits for the newest facts."""
        self._reconciler.wake()

    async def run(self) -> None:
        """Run the reconciler. Never ends."""
        await self._reconciler.run()

    async def save_marks(self) -> None:
        """Save the marks of facts without a subscriber, again and again. Never ends."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            with self._saving.round():
                await self._marks.save_noted()

    async def count_dead(self) -> None:
        """Show how many facts could not be applied, again and again. Never ends."""
        database = DatabaseWatch("The facts that were put aside are not counted.")
        while True:
            with database.round():
                found = await self.dead.count()
                metrics.DEAD_FACTS.labels(context.service.get()).set(found)
            await asyncio.sleep(COUNT_SECONDS)

    async def reconcile(self, source: str) -> None:
        """Compare with one source now, and apply what is missing."""
        await self._reconciler.reconcile(source)

    async def handle(self, message: BusMessage) -> Verdict:
        """Apply one message of the bus; one that its source did not sign is dropped.

        A row of another epoch than the one that the source's heads have told is left to the
        reconciler: if the epoch is over, its rows must have no effect.
        """
        try:
            signed = self._verifier.message(message)
        except RowRefused:
            # It may be a genuine one with another header: its row is then missing.
            self._reconciler.wake()
            return Verdict.ACK
        except ValueError:
            _log.exception("message is not a fact", extra={"event_id": message.id})
            return Verdict.DEAD
        try:
            if await self._reconciler.follows(signed.row.position):
                await self.apply(signed, Channel.BUS)
            else:
                self._reconciler.wake()
            self._outage.back()
        except AWAY as problem:
            self._outage.away(problem)
            self._reconciler.wake()
        return Verdict.ACK

    async def apply(self, signed: SignedRow, channel: Channel) -> None:
        """Hand a row to its subscriber, unless it is applied already.

        The first row at a position stays; another one there is an alarm.
        """
        row = signed.row
        if self._reconciler.covers(row.position) or self._marks.is_noted(row.position):
            await self._compare(signed, channel)
            return
        subscriber = self._subscriptions.get(row.type) or self._subscriptions.get("*")
        if subscriber is None:
            self._marks.note(signed, self._clock.now(), channel)
            return
        applied_mark = AppliedMark(self._marks, signed, self._clock.now())
        try:
            await subscriber(self._ctx, row, applied_mark)
            if not applied_mark.used:
                await applied_mark(None)
            self._marks.note_saved(row.position, signed.digest)
        except AlreadyApplied:
            await self._compare(signed, channel)

    async def _compare(self, signed: SignedRow, channel: Channel) -> None:
        """Raise an alarm if another row is known to be applied at this position."""
        row = signed.row
        if await self._marks.digest(row.position) not in {None, signed.digest}:
            self._verifier.refuse(row.source, channel, Fault.FORK)

    async def _resync(self) -> None:
        self._reconciler.wake()
