"""The calls of a replica to one source: snapshot, lease, missing rows and reports.

Three loops run: `renew` loads the snapshot and keeps the lease, `fetch` fills gaps, and `report`
tells the source what is applied. `journal_view` decides what the answers mean.
"""

import asyncio
import logging
import random

from shared.auth.row_signatures import SignedRow
from shared.clock import Clock
from shared.contracts.calls.journal import CHANGES, ChangesQuery
from shared.contracts.calls.leases import APPLIED, LEASE, RELEASE, LeaseRequest, ReleaseQuery
from shared.contracts.groups import mask_of
from shared.following.call_time import CallTime
from shared.following.journal_view import HistoryForked, JournalView, RowOutcome
from shared.following.lease_grants import LeaseGrant, LeaseRequestState
from shared.following.reload_pause import ReloadPause
from shared.following.rows import journal_row
from shared.following.snapshot import load_snapshot
from shared.http.client import InternalClient
from shared.http.internal_answers import AnswerUnfit
from shared.leases import LifeEnded
from shared.news import News, is_awaited
from shared.outage_log import OutageLog
from shared.problems import Refusal, Unavailable
from shared.row_verifier import Channel, Fault, RowRefused, RowVerifier
from shared.runtime.supervisor import LONGEST_PAUSE_SECONDS
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

logger = logging.getLogger(__name__)

CHANGES_PAGE_SIZE = 200
RETRY_SECONDS = 0.1
HURRY_SECONDS = 0.05
"""The pause between two requests of the heads that checks cause; a caller may name any revision."""
FIRST_TTL_SECONDS = 3.0
STUCK_TTLS = 3
"""After this many ttls without a usable lease, though leases are granted, a replica loads the
snapshot again. Between two grants at most one ttl counts: an outage of the source is not the
replica's fault."""


class Follower:
    """Follows the journal of one source and holds a lease from it, for accounts of `shards`."""

    def __init__(
        self,
        source: str,
        *,
        view: JournalView,
        slot: str,
        internal: InternalClient,
        verifier: RowVerifier,
        clock: Clock,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        shards: frozenset[int] | None = None,
    ) -> None:
        self._shards = None if shards is None else mask_of(shards)
        self.source = source
        self.view = view
        self._slot = slot
        self._internal = internal
        self._verifier = verifier
        self._clock = clock
        self._timeouts = timeouts
        self._lease_time, self._page_time = (
            CallTime(timeouts.source_call, longest=timeouts.busy_source) for _ in range(2)
        )
        self._ttl = FIRST_TTL_SECONDS
        self._leased_life: str | None = None
        self._granted_at = 0.0
        self._unusable_seconds = 0.0
        self._next_hurry = 0.0
        self._unfit_pause = RETRY_SECONDS
        self._reload_pause = ReloadPause(clock)
        effect = "This replica does not answer from its state."
        self._outage = OutageLog(logger, source, effect=effect, seconds_now=clock.boottime)
        self._wake = asyncio.Event()
        self._gap = asyncio.Event()
        self._news = News()

    def holds(self) -> bool:
        """Return whether an answer that rests on this source's state may be given now."""
        return self.view.holds(self._clock.boottime())

    def take(self, signed: SignedRow) -> None:
        """Apply a row if it is the next of its journal; otherwise fetch what is missing."""
        awaited = is_awaited(signed, gap=bool(self.view.missing()))
        try:
            if self.view.on_change(journal_row(signed)) is RowOutcome.APPLIED:
                self._news.tell(awaited=awaited)
        except HistoryForked:
            self._verifier.refuse(self.source, Channel.BUS, Fault.FORK)
            self._reload()
        if self.view.missing():
            self._gap.set()

    def check_now(self) -> None:
        """Request the heads at once, because rows may have been missed."""
        self._wake.set()

    def check_soon(self) -> None:
        """Request the heads for a check that waits for a newer row, at most once in a while."""
        now = self._clock.boottime()
        if now >= self._next_hurry:
            self._next_hurry = now + HURRY_SECONDS
            self._wake.set()

    async def renew(self) -> None:
        """Load the snapshot, then request the lease four times per ttl; never ends.

        When the state was forgotten, the lease of its life is given back first.
        """
        while True:
            self._wake.clear()
            pause = self._ttl / 4 * random.uniform(0.8, 1.2)
            try:
                await self._give_back_former_life()
                if not self.view.loaded:
                    await asyncio.sleep(self._reload_pause.seconds)
                    await self._load()
                if not await self._request_lease():
                    continue
                self._outage.back()
                if self._stuck():
                    # Its lease row stays valid but behind, so every change would wait for it.
                    logger.error(
                        "The replica does not catch up. Loading the snapshot again.",
                        extra={"source": self.source},
                    )
                    self.view.forget()
                    continue
            except AnswerUnfit:
                # An update of one side helps, not another attempt, which reads a whole snapshot.
                pause = self._unfit_pause * random.uniform(1, 2)
                self._unfit_pause = min(self._unfit_pause * 2, LONGEST_PAUSE_SECONDS)
            except Unavailable as problem:
                if self._granted_at and not self.holds():
                    self._outage.away(problem)
                pause = min(pause, RETRY_SECONDS * random.uniform(1, 2))
            except HistoryForked:
                self._verifier.refuse(self.source, Channel.FETCH, Fault.FORK)
                self._reload()
            await _pause(self._wake, pause)

    async def fetch(self) -> None:
        """Fetch missing rows when a gap is found; never ends.

        The source itself answers, so an unfit row means that its history is not to be trusted.
        """
        while True:
            await self._gap.wait()
            self._gap.clear()
            try:
                while missing := self.view.missing():
                    for shard, after in missing.items():
                        await self._fill(shard, after)
            except RowRefused:
                self.view.forget()
                self._reload()
            except HistoryForked:
                self._verifier.refuse(self.source, Channel.FETCH, Fault.FORK)
                self._reload()
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS * random.uniform(1, 2))
                self._gap.set()

    async def report(self) -> None:
        """Report to the source what is applied, all news in one call; never ends."""
        while True:
            await self._news.collect(self._timeouts.report)
            request = self._lease_request(self.view.ask(self._clock.boottime()))
            try:
                await self._internal.call(
                    APPLIED, self.source, request, timeout=self._timeouts.source_call
                )
            except Refusal as problem:
                # The next lease request reports it again, and tells an outage.
                logger.debug("No report to %s: %r", self.source, problem)

    async def release(self) -> None:
        """Stop answering and return the lease, so that changes do not wait for this replica."""
        self.view.forget()
        await self._give_back_former_life()

    async def _give_back_former_life(self) -> None:
        """Return the lease of a life that was forgotten; what fails runs out by itself."""
        former = self._leased_life
        if former is None or former == self.view.life:
            return
        self._leased_life = None
        try:
            await self._internal.call(
                RELEASE,
                self.source,
                ReleaseQuery(slot=self._slot, life=former),
                timeout=self._timeouts.source_call,
            )
        except Refusal as problem:
            logger.info("The lease was not returned to %s: %r", self.source, problem)

    async def _load(self) -> None:
        """Read the snapshot; rows from the bus are buffered meanwhile."""
        seconds, shards = self._timeouts.snapshot_page, self._shards
        count = await load_snapshot(
            self._internal, self.source, self.view, page_seconds=seconds, shards=shards
        )
        self._granted_at = self._clock.boottime()
        self._unusable_seconds = 0.0
        self._unfit_pause = RETRY_SECONDS
        logger.info(
            "The snapshot is loaded.",
            extra={"source": self.source, "policy_objects": count},
        )

    async def _request_lease(self) -> bool:
        """Request the lease; False if the loop must run again at once."""
        state = self.view.ask(self._clock.boottime())
        self._leased_life = state.life
        request = self._lease_request(state)
        try:
            with self._lease_time.of_call(hurry=self.holds()) as seconds:
                answer = await self._internal.call(LEASE, self.source, request, timeout=seconds)
        except Refusal as refusal:
            if refusal.code != LifeEnded.code:
                raise Unavailable from refusal
            self.view.forget()
            return False
        self._ttl = answer.ttl
        grant = LeaseGrant(
            epoch=answer.epoch, heads=answer.heads, digests=answer.digests, ttl=answer.ttl
        )
        if not self.view.granted(state, grant):
            logger.warning(
                "The source has another epoch. Loading the snapshot again.",
                extra={"source": self.source},
            )
            return False
        if self.view.missing():
            self._gap.set()
        return True

    async def _fill(self, shard: int, after: int) -> None:
        """Fetch rows of a shard until at least one whole change is applied."""
        last = after
        while not self.view.has(shard, after + 1):
            query = ChangesQuery(shard=shard, after=last, limit=CHANGES_PAGE_SIZE)
            with self._page_time.of_call() as seconds:
                page = await self._internal.call(CHANGES, self.source, query, timeout=seconds)
            if not page.items:
                # Heads are never ahead of rows, so this is not the history that was loaded.
                logger.warning(
                    "Rows are missing at the source. Loading the snapshot again.",
                    extra={"source": self.source},
                )
                self.view.forget()
                self._wake.set()
                return
            for signed in self._verifier.page(page, query, source=self.source):
                self.view.on_change(journal_row(signed))
                last = signed.row.seq
                await asyncio.sleep(0)  # decisions come between
        self._news.tell(awaited=True)

    def _reload(self) -> None:
        """Load the snapshot again: at once, and more slowly if that does not help."""
        self._reload_pause.count()
        self._wake.set()

    def _stuck(self) -> bool:
        now = self._clock.boottime()
        since_grant, self._granted_at = now - self._granted_at, now
        if self.view.holds(now):
            self._unusable_seconds = 0.0
        else:
            self._unusable_seconds += min(since_grant, self._ttl)
        return self._unusable_seconds > STUCK_TTLS * self._ttl

    def _lease_request(self, state: LeaseRequestState) -> LeaseRequest:
        return LeaseRequest(
            slot=self._slot,
            life=state.life,
            asked=state.number,
            epoch=state.epoch,
            applied=dict(state.applied),
            digests=dict(state.digests),
            held=state.held,
            shards=self._shards,
        )


async def _pause(wake: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
