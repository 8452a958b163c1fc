"""Follow the list of a person live: each new entry once, and the number of unread ones."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from services.notification.domain.live_list import BEGINNING, ListPlace, LiveListEnd, why_over
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.entries import ShownEntry, shown
from services.notification.use_cases.list_readers import ListReader
from shared.auth.principals import UserPrincipal
from shared.mongo import DatabaseAway, DatabaseWatch
from shared.problems import Invalid, Refusal, TokenRevoked, Unavailable

PAGE_ENTRIES = 50
LOOK_SECONDS = 0.5
"""The pause between two looks at the lists, and between two questions who is signed in still."""
BEAT_SECONDS = 5.0
"""The longest time in which a reader is told nothing."""
CALLERS_AT_ONCE = 200
"""The readers about whom authz is asked in one call."""


@dataclass(frozen=True, slots=True)
class EntryTold:
    """A new entry, and the place behind it."""

    shown: ShownEntry
    place: ListPlace


@dataclass(frozen=True, slots=True)
class UnreadTold:
    """The number of unread entries, at a place or later."""

    unread: int
    place: ListPlace


@dataclass(frozen=True, slots=True)
class ListOver:
    """The last event of a live list."""

    reason: str


class ListQuiet:
    """Nothing is new, and the connection is to stay."""


ListEvent = EntryTold | UnreadTold | ListOver | ListQuiet


async def open_list(ctx: Ctx, principal: UserPrincipal, *, after: str | None) -> ListPlace:
    """Decide where a live list begins.

    `after` is the id of the last event of an earlier one. Without it the list begins now.

    Raises:
        TooManyLiveLists: as many are open as may be.
        Invalid: `after` is not a place in the list of this user.
    """
    ctx.lists.require_room(principal.user_id)
    end = (await ctx.entries.states([principal.user_id]))[principal.user_id].place
    if after is None:
        return end
    place = ListPlace.read(after)
    if place in {BEGINNING, end}:
        return place or end
    if place is None or not await ctx.entries.has_place(principal.user_id, place):
        problem = (
            "Must be the id of an event of your live list of the last 90 days. Open the live list"
            " without it, and list what came before."
        )
        raise Invalid(errors=[("/headers/Last-Event-ID", problem)])
    return place


async def list_events(
    ctx: Ctx, principal: UserPrincipal, place: ListPlace
) -> AsyncGenerator[ListEvent, None]:
    """Tell every event of a live list. It ends with a word, unless its reader leaves."""
    try:
        with ctx.lists.reader(principal) as reader:
            async with aclosing(_ListTelling(ctx, reader, place).events()) as events:
                async for event in events:
                    yield event
    except Refusal as refusal:
        yield ListOver(refusal.code)
    except DatabaseAway:
        yield ListOver(LiveListEnd.UNAVAILABLE)


async def run_list_looks(ctx: Ctx) -> None:
    """Look for changes of the lists that are followed. Never ends."""
    database = DatabaseWatch("Live lists tell nothing new.")
    while True:
        with database.round():
            await look_at_lists(ctx)
        await ctx.pause(LOOK_SECONDS)


async def run_reader_checks(ctx: Ctx) -> None:
    """Ask which readers are signed in still. Never ends."""
    while True:
        await check_readers(ctx)
        await ctx.pause(LOOK_SECONDS)


async def look_at_lists(ctx: Ctx) -> None:
    """Look once at the lists that are followed, and wake the readers of those that changed."""
    if users := ctx.lists.users():
        ctx.lists.looked_at(await ctx.entries.states(users))


async def check_readers(ctx: Ctx) -> None:
    """Ask once which readers are signed in still; end the others, and all if it is not known."""
    for readers in _groups(ctx.lists.now()):
        try:
            answers = await ctx.signed_in.live([each.principal for each in readers])
        except Unavailable:
            for each in readers:
                each.stop(LiveListEnd.UNAVAILABLE)
            continue
        for each, live in zip(readers, answers, strict=True):
            if not live:
                each.stop(TokenRevoked.code)


def _groups(readers: Sequence[ListReader]) -> Iterator[Sequence[ListReader]]:
    for first in range(0, len(readers), CALLERS_AT_ONCE):
        yield readers[first : first + CALLERS_AT_ONCE]


@dataclass
class _ListTelling:
    """One live list: how far it is, and what it tells next."""

    ctx: Ctx
    reader: ListReader
    place: ListPlace
    unread: int | None = None
    caught_up: bool = field(default=False, init=False)

    async def events(self) -> AsyncGenerator[ListEvent, None]:
        """Every event until the live list ends."""
        quiet = False
        while self.reader.end is None:
            self.reader.news.clear()
            if quiet:
                yield ListQuiet()
            else:
                async with aclosing(self._news()) as news:
                    async for event in news:
                        yield event
            quiet = not await _woken(self.reader.news)
        yield ListOver(self.reader.end)

    async def _news(self) -> AsyncGenerator[ListEvent, None]:
        """What is new since the place, page by page, then the number of unread entries."""
        user_id = self.reader.principal.user_id
        while await self._goes_on():
            page = await self.ctx.entries.after(user_id, self.place.number, limit=PAGE_ENTRIES)
            person = await self.ctx.people.find(user_id)
            for each in page:
                if self.reader.end is not None:
                    return
                self.place = ListPlace(each.number, each.id)
                yield EntryTold(shown(self.ctx, each, person), self.place)
            if len(page) == PAGE_ENTRIES:
                continue
            self.caught_up = True
            unread = await self.ctx.entries.count_unread(user_id)
            if self.reader.end is None and unread != self.unread:
                self.unread = unread
                yield UnreadTold(unread, self.place)
            return

    async def _goes_on(self) -> bool:
        user_id = self.reader.principal.user_id
        state = (await self.ctx.entries.states([user_id]))[user_id]
        behind = state.place.number - self.place.number
        if (reason := why_over(behind, caught_up=self.caught_up)) is not None:
            self.reader.stop(reason)
        return self.reader.end is None


async def _woken(news: asyncio.Event) -> bool:
    """Wait for news, or for the time after which a reader is told that there is none."""
    try:
        async with asyncio.timeout(BEAT_SECONDS):
            await news.wait()
    except TimeoutError:
        return False
    return True
