"""How does a replica keep up with one source, and hold a lease from it?

Three loops: `renew` loads the snapshot and keeps the lease, `fetch` fills gaps, `report` says what
is applied. What any of it means is decided in `replica`; here are only the calls.
"""

import asyncio
import logging
import random

from services.authz.replica import Ask, Change, Grant, JournalView, Seen
from shared.bus import BusMessage
from shared.clock import Clock
from shared.contracts.calls import (
    APPLIED,
    CHANGES,
    LEASE,
    RELEASE,
    SNAPSHOT,
    ChangesQuery,
    LeaseRequest,
    ReleaseQuery,
    SnapshotPage,
    SnapshotQuery,
)
from shared.contracts.facts import Row
from shared.contracts.policy_objects import PolicyObject
from shared.http.client import InternalClient
from shared.leases import Superseded
from shared.problems import Refusal, Unavailable

logger = logging.getLogger(__name__)

PAGE = 200
PAGE_SECONDS = 10.0
CALL_SECONDS = 1.0
RETRY_SECONDS = 0.1
FIRST_TTL = 3.0
STUCK_TTLS = 3
"""So many ttls without a usable lease, though the source grants them: it does not get further."""
STEP_OVER_MS = 60_000
"""How far a process that has never held its lease raises its boot over one that is refused as old:
the wall clock, which numbers boots, was set back."""


class _Ousted(Exception):  # noqa: N818 - it says what is so
    """Another live process holds the lease of our place."""


class Follower:
    """The journal of `source`, as this replica follows it."""

    def __init__(
        self,
        source: str,
        *,
        view: JournalView,
        replica: str,
        internal: InternalClient,
        clock: Clock,
    ) -> None:
        self.source = source
        self.view = view
        self._replica = replica
        self._internal = internal
        self._clock = clock
        self._ttl = FIRST_TTL
        self._held = False
        self._usable_at = 0.0
        self._wake = asyncio.Event()
        self._gap = asyncio.Event()
        self._news = asyncio.Event()

    def holds(self) -> bool:
        """Whether an answer from this source's state may leave at this very moment."""
        return self.view.holds(self._clock.boottime())

    def take(self, row: Row) -> None:
        """Take a row from the bus."""
        if self.view.on_change(_change(row)) is Seen.APPLIED:
            self._news.set()
        if self.view.missing():
            self._gap.set()

    def check_now(self) -> None:
        """Ask for the heads at once: something may have been missed."""
        self._wake.set()

    async def renew(self) -> None:
        """Load, then ask for the lease four times in its ttl. Ends only when ousted."""
        while True:
            self._wake.clear()
            pause = self._ttl / 4 * random.uniform(0.8, 1.2)
            try:
                if not self.view.loaded:
                    await self._load()
                if not await self._ask():
                    continue
                if self._stuck():
                    # Its row stays alive and behind, so every change would wait for it.
                    logger.error("does not catch up, loading anew", extra={"source": self.source})
                    await self.release()
                    continue
            except Unavailable:
                pause = min(pause, RETRY_SECONDS * random.uniform(1, 2))
            except _Ousted:
                self.view.forget()
                logger.error("another process took this place", extra={"replica": self._replica})  # noqa: TRY400
                return
            await _pause(self._wake, pause)

    async def fetch(self) -> None:
        """Fill gaps as they are found. Never ends."""
        while True:
            await self._gap.wait()
            self._gap.clear()
            try:
                while missing := self.view.missing():
                    for shard, after in missing.items():
                        await self._fill(shard, after)
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS * random.uniform(1, 2))
                self._gap.set()

    async def report(self) -> None:
        """Say what is applied, all news at a time. Never ends."""
        while True:
            await self._news.wait()
            self._news.clear()
            request = self._request(self.view.ask(self._clock.boottime()))
            try:
                await self._internal.call(APPLIED, self.source, request, timeout=CALL_SECONDS)
            except Refusal as problem:
                # The next lease says it again.
                logger.info("not reported", extra={"source": self.source, "error": repr(problem)})

    async def release(self) -> None:
        """Answer no more, and say so, so that no change has to wait for this replica."""
        boot = self.view.boot
        self.view.forget()
        try:
            await self._internal.call(
                RELEASE,
                self.source,
                ReleaseQuery(boot=boot),
                path={"replica": self._replica},
                timeout=CALL_SECONDS,
            )
        except Refusal as problem:
            logger.info("lease not returned", extra={"source": self.source, "error": repr(problem)})

    async def _load(self) -> None:
        """Read the snapshot page by page; rows from the bus are buffered meanwhile."""
        policy_objects: list[PolicyObject] = []
        first = page = await self._page(None)
        policy_objects += first.items
        while page.next_cursor is not None:
            page = await self._page(page.next_cursor)
            if page.epoch != first.epoch:
                raise Unavailable
            policy_objects += page.items
        self.view.load(epoch=first.epoch, heads=first.heads, policy_objects=policy_objects)
        self._usable_at = self._clock.boottime()
        logger.info("loaded", extra={"source": self.source, "things": len(policy_objects)})

    async def _page(self, cursor: str | None) -> SnapshotPage:
        query = SnapshotQuery(cursor=cursor)
        return await self._internal.call(SNAPSHOT, self.source, query, timeout=PAGE_SECONDS)

    async def _ask(self) -> bool:
        """Ask for the lease; False when there is something to do at once."""
        ask = self.view.ask(self._clock.boottime())
        try:
            answer = await self._internal.call(
                LEASE, self.source, self._request(ask), timeout=CALL_SECONDS
            )
        except Refusal as refusal:
            if refusal.code != Superseded.code:
                raise Unavailable from refusal
            if self._held:
                raise _Ousted from refusal
            self.view.boot += STEP_OVER_MS
            return False
        self._ttl = answer.ttl
        grant = Grant(epoch=answer.epoch, heads=answer.heads, ttl=answer.ttl)
        if not self.view.granted(ask, grant):
            logger.warning("history changed, loading anew", extra={"source": self.source})
            return False
        self._held = self._held or self.holds()
        if self.view.missing():
            self._gap.set()
        return True

    async def _fill(self, shard: int, after: int) -> None:
        """Fetch rows until at least one whole change is applied."""
        last = after
        while not self.view.has(shard, after + 1):
            page = await self._internal.call(
                CHANGES,
                self.source,
                ChangesQuery(shard=shard, after=last, limit=PAGE),
                timeout=CALL_SECONDS,
            )
            if not page.items:
                # Heads are never ahead of rows: this history is not the one that was loaded.
                logger.warning("a gap stays open, loading anew", extra={"source": self.source})
                self.view.forget()
                self._wake.set()
                return
            for text in page.items:
                row = Row.from_event(text.encode())
                self.view.on_change(_change(row))
                last = row.seq
        self._news.set()

    def _stuck(self) -> bool:
        now = self._clock.boottime()
        if self.view.holds(now):
            self._usable_at = now
        return now - self._usable_at > STUCK_TTLS * self._ttl

    def _request(self, ask: Ask) -> LeaseRequest:
        return LeaseRequest(
            replica=self._replica,
            boot=ask.boot,
            asked=ask.number,
            epoch=ask.epoch,
            applied=dict(ask.applied),
            held=ask.held,
        )


class Sources:
    """Both sources, for whoever hears of them together."""

    def __init__(self, *followers: Follower) -> None:
        self._followers = {follower.source: follower for follower in followers}

    def take(self, message: BusMessage) -> None:
        """Hand a row from the bus to its follower.

        Raises:
            ValueError: the message is no event.
        """
        self._followers[message.source].take(Row.from_event(message.body))

    async def check_now(self) -> None:
        """Ask both for their heads at once: the queue is new, and what came before it is lost."""
        for follower in self._followers.values():
            follower.check_now()


def _change(row: Row) -> Change:
    return Change(
        epoch=row.epoch,
        shard=row.shard,
        seq=row.seq,
        part=row.part,
        parts=row.parts,
        policy_objects=row.policy_objects,
    )


async def _pause(wake: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
