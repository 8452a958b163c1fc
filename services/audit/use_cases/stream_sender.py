"""The sender of streams: the worker that sends the next records as they are sealed.

One replica is elected. A batch counts as sent when its receiver has taken it and its place is
saved. A process that dies in between, or is paused and replaced, may send a batch twice.
"""

import asyncio
import logging
import random
from datetime import datetime

from cryptography.exceptions import InvalidTag

from services.audit.domain import stream_attempts, streams
from services.audit.domain.stream_batches import trial_batch
from services.audit.domain.streams import LogStream, PausedBecause, StreamTrial
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.stream_batches import SetBackError, next_batch
from shared.contracts.calls.connections import CONNECTION_ACCOUNT, ConnectionAccountRequest
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.elections import Election
from shared.inbox import AWAY
from shared.journal import JournalWrite
from shared.metrics import STREAM_ATTEMPTS, STREAMS_BEHIND
from shared.mongo import DatabaseWatch
from shared.outage_log import OutageLog
from shared.receivers.attempts import ReceiverAttempt
from shared.receivers.slots import SLOW_SECONDS, Slots

STREAMS_OF_PAGE = 100
PAGES_OF_LOOK = 20
"""The pages of streams of one look; the next look goes on behind them."""
BATCHES_OF_TURN = 20
"""The batches that a stream sends before it gives its place to another one; a slow receiver gets no
further one."""

logger = logging.getLogger(__name__)


class StreamSender:
    """Sends what is due, as many batches at a time as there are places."""

    def __init__(self, ctx: Ctx, *, connections: int) -> None:
        self._ctx = ctx
        self._slots = Slots(total=connections)
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._after = ""
        """The stream behind which the next look begins."""
        self._behind = 0
        """The streams before it that have not sent all records."""
        self._outage = OutageLog(
            logger, "The database or team", effect="Batches whose result is not saved come again."
        )

    async def look(self) -> None:
        """Begin with what is due and has a place."""
        now = self._ctx.clock.now()
        for _ in range(PAGES_OF_LOOK):
            page = await self._ctx.store.open_streams(self._after, limit=STREAMS_OF_PAGE)
            sealed = await self._ctx.store.tree_sizes({each.account_id for each in page})
            for stream in page:
                if not self._slots.free:
                    return
                self._after = stream.id
                size = sealed[stream.account_id]
                self._behind += stream.enabled and stream.size < size
                if stream.is_due(size, now=now):
                    self._begin(stream)
            if len(page) < STREAMS_OF_PAGE:
                STREAMS_BEHIND.labels(Service.AUDIT).set(self._behind)
                self._after, self._behind = "", 0
                return

    def _begin(self, stream: LogStream) -> None:
        if stream.id in self._in_hand or not self._slots.takes(stream.id, stream.account_id):
            return
        self._slots.take(stream.id, stream.account_id)
        task = asyncio.create_task(self._turn(stream))
        self._in_hand[stream.id] = task
        task.add_done_callback(lambda done: self._done(stream.id, done))

    def _done(self, stream_id: str, task: asyncio.Task[None]) -> None:
        del self._in_hand[stream_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A stream was left to the next look: %s", error, exc_info=error)

    async def _turn(self, stream: LogStream) -> None:
        seconds: float | None = None
        try:
            for _ in range(BATCHES_OF_TURN):
                attempt = await send_next(self._ctx, stream.account_id, stream.id)
                if attempt is None:
                    break
                seconds = max(seconds or 0.0, attempt.seconds)
                if seconds > SLOW_SECONDS:
                    break
            self._outage.back()
        except AWAY as away:
            self._outage.away(away)
        finally:
            self._slots.release(stream.id, seconds=seconds)

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        await asyncio.gather(*self._in_hand.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Break off what is in hand; it is sent again later."""
        for task in list(self._in_hand.values()):
            task.cancel()
        await self.settled()


async def run_stream_sender(ctx: Ctx, office: Election, *, connections: int) -> None:
    """Send what is due while this process is elected. Never ends."""
    sender = StreamSender(ctx, connections=connections)
    database = DatabaseWatch("Streams of the audit log stand still.")
    try:
        while True:
            with database.round():
                if await office.won():
                    await sender.look()
                else:
                    await sender.stop()
            await asyncio.sleep(ctx.timeouts.stream_poll)
    finally:
        await sender.stop()


async def send_next(ctx: Ctx, account_id: str, stream_id: str) -> ReceiverAttempt | None:
    """Send the next batch of a stream, or a test that is due, and save what came of it.

    Returns:
        The attempt; `None` if there is nothing to send now.

    Raises:
        DatabaseAway, Unavailable: what came of it is not saved.
    """
    stream = await ctx.store.stream(account_id, stream_id)
    if stream is None:
        return None
    now = ctx.clock.now()
    if stream.test_due:
        return await _try(ctx, stream, now=now)
    if not stream.enabled or (stream.due_at is not None and now < stream.due_at):
        return None
    try:
        batch = await next_batch(ctx, stream)
    except SetBackError:
        await _pause(ctx, stream, PausedBecause.SET_BACK)
        return None
    if batch is None:
        return None
    attempt = await _post(ctx, stream, batch.body)
    STREAM_ATTEMPTS.labels(Service.AUDIT, attempt.result).inc()
    now = ctx.clock.now()
    if attempt.succeeded:
        await ctx.store.note_sent(stream, stream_attempts.taken(stream, batch.place, now=now))
    else:
        after = stream_attempts.failed(stream, attempt, now=now, jitter=random.random())
        saved = await ctx.store.note_sent(stream, after)
        because = stream_attempts.reason_to_pause(after, attempt)
        if saved and because is not None:
            await _pause(ctx, after, because)
    return attempt


async def _try(ctx: Ctx, stream: LogStream, *, now: datetime) -> ReceiverAttempt:
    attempt = await _post(ctx, stream, trial_batch(stream, now=now))
    trial = StreamTrial(
        at=attempt.at,
        milliseconds=attempt.milliseconds,
        status=attempt.status,
        problem=stream_attempts.problem_of(attempt),
    )
    await ctx.store.note_trial(stream, trial)
    return attempt


async def _post(ctx: Ctx, stream: LogStream, body: bytes) -> ReceiverAttempt:
    try:
        secret = ctx.streams.secrets.open(stream.sealed_secret, about=stream.id)
    except InvalidTag:
        problem = "The secret of the stream was sealed with another key. Send it again."
        return ReceiverAttempt(at=ctx.clock.now(), milliseconds=0, error=problem)
    headers = {stream.header: secret, "Rolecall-Stream": stream.id}
    attempt = await ctx.streams.posts.post(stream.url, body, headers, account_id=stream.account_id)
    return stream_attempts.without_secret(attempt, secret)


async def _pause(ctx: Ctx, found: LogStream, because: PausedBecause) -> None:
    """Pause a stream, unless a member has changed it since it was read.

    Raises:
        Unavailable: team could not say whom a mail tells; it is paused after the next attempt.
    """
    request = ConnectionAccountRequest(account_id=found.account_id, managers=True)
    told = await ctx.internal.call(CONNECTION_ACCOUNT, Service.TEAM, request)

    async def change(write: JournalWrite) -> None:
        stream = await ctx.store.stream(found.account_id, found.id, write.session)
        if stream is None or not stream.enabled or stream.changes != found.changes:
            return
        after, fact = streams.paused(
            stream, because, account_name=told.account_name, manager_emails=told.manager_emails
        )
        await ctx.store.update_stream(stream, after, write.session)
        write.record(fact)

    await ctx.journal.write(
        found.account_id,
        change,
        caller=service_caller(Service.AUDIT),
        effective_everywhere=False,
    )
