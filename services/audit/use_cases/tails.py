"""Follow the log of an account live: every record that is sealed, in the order of its tree."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from services.audit.domain.matching import takes, users_in
from services.audit.domain.records import Filters, KnownUser, Record
from services.audit.domain.tails import (
    MAX_BEHIND,
    Ended,
    PlaceTold,
    RecordTold,
    StillOpen,
    TailEnd,
    TailEvent,
    TailPlace,
)
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.exports import Permitted
from services.audit.use_cases.search import record_reading, with_names
from services.audit.use_cases.tail_readers import TailReader
from shared.contracts.facts import Caller
from shared.mongo import DatabaseAway, DatabaseWatch
from shared.problems import Invalid, Refusal

PAGE_RECORDS = 100
LOOK_SECONDS = 0.75
"""The pause between two looks whether the logs that are followed have grown."""
BEAT_SECONDS = 5.0
"""The longest time in which a reader is told nothing."""
ASKED_AGAIN_SECONDS = 1.0
"""The age from which the permission is decided again before records are told."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What a reader follows, from a place on."""

    account_id: str
    user_id: str
    filters: Filters
    place: TailPlace


async def open_tail(
    ctx: Ctx,
    caller: Caller,
    account_id: str,
    filters: Filters,
    *,
    user_id: str,
    after: str | None,
) -> Tail:
    """Decide where a tail begins, and record the reading.

    `after` is the id of the last event of an earlier tail. Without it the tail begins now.

    Raises:
        TooManyTails: as many are open as may be.
        Invalid: `after` is not a place in the log of this account.
    """
    ctx.tails.require_room(account_id, user_id)
    place = await (end_of_log(ctx, account_id) if after is None else _after(ctx, account_id, after))
    await record_reading(ctx, caller, account_id, filters=filters)
    return Tail(account_id=account_id, user_id=user_id, filters=filters, place=place)


async def tail_events(
    ctx: Ctx, tail: Tail, permitted: Permitted
) -> AsyncGenerator[TailEvent, None]:
    """Tell every event of a tail. It ends with a word, unless its reader leaves."""
    try:
        with ctx.tails.reader(tail.account_id, tail.user_id) as reader:
            async with aclosing(_Telling(ctx, tail, permitted, reader).events()) as events:
                async for event in events:
                    yield event
    except Refusal as refusal:
        yield Ended(refusal.code)
    except DatabaseAway:
        yield Ended(TailEnd.UNAVAILABLE)


async def run_tails(ctx: Ctx) -> None:
    """Look for new records as long as there are readers. Never ends."""
    database = DatabaseWatch("Live tails tell nothing new.")
    look = TailLook(ctx)
    while True:
        with database.round():
            await look.look()
        await asyncio.sleep(LOOK_SECONDS)


class TailLook:
    """Looks how far the logs that are followed are sealed, and up to when they are complete."""

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx
        self._awaited: tuple[datetime, Mapping[str, tuple[str, Mapping[int, int]]]] | None = None
        """A moment, and the rows of every source that belong before it."""

    async def look(self) -> None:
        """Look once, and wake the readers."""
        accounts = self._ctx.tails.accounts()
        if not accounts:
            self._awaited = None
            return
        self._ctx.inbox().compare_soon()
        complete_until = await self._sealed_until()
        # After that: what is complete is within the sizes.
        self._ctx.tails.seen(await self._ctx.store.tree_sizes(accounts), complete_until)

    async def _sealed_until(self) -> datetime | None:
        """A moment before which everything is sealed, if a later one than before is known.

        What is recorded is sealed a little later, shard by shard. So the moment up to which the
        records are complete is awaited: all rows that it stands for must have their seals.
        """
        if self._awaited is None:
            moment = self._ctx.complete_until()
            self._awaited = None if moment is None else (moment, self._ctx.inbox().applied())
        if self._awaited is None:
            return None
        moment, applied = self._awaited
        for source, (epoch, shards) in applied.items():
            sealed = await self._ctx.store.sealed_until(source, epoch)
            if any(sealed.get(shard, 0) < seq for shard, seq in shards.items()):
                return None
        self._awaited = None
        return moment


@dataclass
class _Telling:
    """One tail: how far it is, and what it tells next."""

    ctx: Ctx
    tail: Tail
    permitted: Permitted
    reader: TailReader
    complete_until: datetime | None = None
    caught_up: bool = False

    def __post_init__(self) -> None:
        self.place = self.tail.place
        self.told_at = self.asked_at = self.ctx.clock.boottime()
        self.told: PlaceTold | None = None

    async def events(self) -> AsyncGenerator[TailEvent, None]:
        """Every event until the tail ends."""
        sizes = await self.ctx.store.tree_sizes([self.tail.account_id])
        self.reader.size = max(self.reader.size, sizes[self.tail.account_id])
        yield self._progress()
        while True:
            self.reader.news.clear()
            if (end := self._end()) is not None:
                yield Ended(end)
                return
            size, complete_until = self.reader.size, self.ctx.tails.complete_until
            await self._ask_again(BEAT_SECONDS)
            before = self.place
            for record, place in await self._page(size):
                await self._ask_again(ASKED_AGAIN_SECONDS)
                self.told_at = self.ctx.clock.boottime()
                yield RecordTold(record, place)
            if self.place.size >= size:
                self.caught_up, self.complete_until = True, complete_until
            if self.ctx.clock.boottime() - self.told_at >= BEAT_SECONDS:
                yield self._progress()
            if self.place.size >= size or self.place == before:
                await _woken(self.reader.news)

    def _end(self) -> TailEnd | None:
        if self.ctx.tails.draining:
            return TailEnd.DRAINING
        behind = self.reader.size - self.place.size
        if behind < 0:
            return TailEnd.SET_BACK
        return TailEnd.TOO_SLOW if self.caught_up and behind > MAX_BEHIND else None

    async def _ask_again(self, seconds: float) -> None:
        """Ask whether the reader may still read, unless that was asked so lately.

        Raises:
            Refusal: they may not.
        """
        if self.ctx.clock.boottime() - self.asked_at >= seconds:
            self.asked_at = self.ctx.clock.boottime()
            await self.permitted()

    async def _page(self, size: int) -> list[tuple[Record, TailPlace]]:
        """What the filters take of the next records, up to this size, and the places behind it."""
        limit = min(PAGE_RECORDS, size - self.place.size)
        if limit <= 0:
            return []
        account_id = self.tail.account_id
        seals = await self.ctx.store.seals(account_id, first=self.place.size, limit=limit)
        records = await self.ctx.store.with_ids(account_id, [seal.event_id for seal in seals])
        places = {seal.event_id: TailPlace(seal.index + 1, seal.event_id) for seal in seals}
        # A record that retention has deleted keeps its seal.
        found = [records[each] for each in places if each in records]
        known = await self._known(found)
        taken = [record for record in found if takes(self.tail.filters, record, known)]
        if seals:
            self.place = places[seals[-1].event_id]
        return [(each, places[each.id]) for each in await with_names(self.ctx, taken)]

    async def _known(self, records: Sequence[Record]) -> Mapping[str, KnownUser]:
        """The users who act in these records, if the filters look at their names or addresses."""
        filters = self.tail.filters
        if filters.text is None and "@" not in (filters.user or ""):
            return {}
        return await self.ctx.store.known_users(each for one in records for each in users_in(one))

    def _progress(self) -> PlaceTold | StillOpen:
        """How far the tail is; nothing if that was told."""
        self.told_at = self.ctx.clock.boottime()
        now = PlaceTold(self.place, self.complete_until)
        if now == self.told:
            return StillOpen()
        self.told = now
        return now


async def end_of_log(ctx: Ctx, account_id: str) -> TailPlace:
    """The place behind the last sealed record of an account."""
    size = (await ctx.store.tree_sizes([account_id]))[account_id]
    return TailPlace(size, await id_before(ctx, account_id, size))


async def _after(ctx: Ctx, account_id: str, text: str) -> TailPlace:
    place = TailPlace.read(text)
    if place is None or place.last != await id_before(ctx, account_id, place.size):
        problem = (
            "Must be the id of an event of this account's tail. Open the tail without it, and"
            " search for what happened before."
        )
        raise Invalid(errors=[("/headers/Last-Event-ID", problem)])
    return place


async def id_before(ctx: Ctx, account_id: str, size: int) -> str:
    """The id of the record before a place; empty if there is none."""
    seals = await ctx.store.seals(account_id, first=size - 1, limit=1) if size else []
    return seals[0].event_id if seals else ""


async def _woken(news: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(BEAT_SECONDS):
            await news.wait()
    except TimeoutError:
        return
