"""Live tails: every record once, at any replica, and ended with the right to read."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from services.audit.domain.records import Filters, KnownUser
from services.audit.domain.tails import (
    MAX_BEHIND,
    MAX_OF_USER,
    Ended,
    PlaceTold,
    RecordTold,
    StillOpen,
    TailPlace,
)
from services.audit.use_cases.tail_readers import TailReaders
from services.audit.use_cases.tails import BEAT_SECONDS, TailLook, open_tail, tail_events
from shared.clock import SystemClock
from shared.contracts.facts import Actor, Caller, RequestInfo, shard_of
from shared.contracts.team import MemberRemoved
from shared.mongo import DatabaseAway
from shared.problems import Invalid, PermissionMissing
from tests.services.audit import site
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, ids, record
from tests.services.audit.site import BO
from tests.services.authz.streams import Told
from tests.services.rows import EPOCH, NOON, row_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from services.audit.domain.records import Record
    from services.audit.domain.tails import TailEvent
    from services.audit.use_cases.context import Ctx
    from shared.contracts.facts import Row
    from tests.services.audit.site import AuditApi

READER = Caller(actor=Actor(type="user", id="usr_reader"), request=RequestInfo(request_id="req_1"))
SECONDS = 30.0
"""The longest time of a tail in a test; a defect may make one that does not end."""
OTHER_SHARD = (shard_of(ACCOUNT) + 1) % 64


class HandClock(SystemClock):
    """A clock whose seconds pass by hand."""

    seconds = 0.0

    def boottime(self):
        return self.seconds


class Following:
    """One replica with readers of the log, whose looks are made by hand."""

    def __init__(self, sealing: Sealing):
        self.sealing = sealing
        self.clock = HandClock()
        self.refusal: Exception | None = None
        self.ctx: Ctx = replace(sealing.auditing.ctx, clock=self.clock, tails=TailReaders())
        self._look = TailLook(self.ctx)

    async def look(self) -> None:
        await self._look.look()

    async def permitted(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def open(self, *, after: str | None = None, **filters: Any) -> AsyncGenerator[TailEvent]:
        tail = await open_tail(
            self.ctx, READER, ACCOUNT, Filters(**filters), user_id="usr_reader", after=after
        )
        return tail_events(self.ctx, tail, self.permitted)

    @asynccontextmanager
    async def tail(self, **asked: Any) -> AsyncIterator[AsyncGenerator[TailEvent]]:
        async with asyncio.timeout(SECONDS), aclosing(await self.open(**asked)) as events:
            yield events

    async def records(self, events: AsyncGenerator[TailEvent], number: int) -> list[RecordTold]:
        """The next records of a tail; nothing but progress may come between."""
        found: list[RecordTold] = []
        while len(found) < number:
            event = await anext(events)
            assert isinstance(event, RecordTold | PlaceTold), event
            found += [event] if isinstance(event, RecordTold) else []
        return found


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


@pytest.fixture
def following(sealing) -> Following:
    return Following(sealing)


def told_ids(told: list[RecordTold]) -> list[str]:
    return [each.record.id for each in told]


async def seal(sealing: Sealing, *records: Record) -> None:
    """Record these rows, which are the next of their shards, and seal them."""
    await sealing.add(*records)
    shards = {each.position.shard for each in records}
    await sealing.applied(max(each.position.seq for each in records), shards=shards)
    await sealing.sealer().seal()


@pytest.mark.rule("Rp14")
async def test_a_tail_goes_on_after_any_event_without_gap_or_double(sealing, following):
    before = [record(seq) for seq in (1, 2)]
    await seal(sealing, *before)
    async with following.tail() as events:
        assert await anext(events) == PlaceTold(TailPlace(2, before[1].id), None)
        seqs = count(3)
        told: list[RecordTold] = []
        written: list[Record] = []
        for size in (1, 3, 2):
            new = [record(next(seqs)) for _ in range(size)]
            # Late: it happened an hour before all others, and gets the next place all the same.
            late = record(size, shard=OTHER_SHARD + size, occurred_at=NOON - timedelta(hours=1))
            await seal(sealing, *new, record(size, account=OTHER, shard=60 - size))
            await seal(sealing, late)
            written += [*new, late]
            await following.look()
            told += await following.records(events, size + 1)
    assert told_ids(told) == ids(written)
    for number, event in enumerate(told):
        replica = Following(sealing)
        async with replica.tail(after=str(event.place)) as events:
            rest = await replica.records(events, len(told) - number - 1)
            assert rest == told[number + 1 :]


async def test_what_the_filters_leave_out_is_passed_and_not_read_again(sealing, following):
    async with following.tail(request_id="none") as events:
        assert await anext(events) == PlaceTold(TailPlace(0, ""), None)
        records = [record(seq) for seq in range(1, 8)]
        await seal(sealing, *records)
        await following.look()
        following.clock.seconds += BEAT_SECONDS
        end = TailPlace(7, records[-1].id)
        assert await anext(events) == PlaceTold(end, None)
        await following.look()
        following.clock.seconds += BEAT_SECONDS
        assert isinstance(await anext(events), StillOpen)
    async with following.tail(after=str(end)) as events:
        assert await anext(events) == PlaceTold(end, None)


async def test_a_moment_is_complete_once_all_of_its_records_are_told(sealing, following):
    progress = sealing.auditing.progress
    async with following.tail() as events:
        await anext(events)
        await seal(sealing, first := record(1))
        await sealing.add(waiting := record(1, shard=OTHER_SHARD))
        progress.complete_until = NOON
        progress.rows = {"team": (EPOCH, {shard_of(ACCOUNT): 1, OTHER_SHARD: 1})}
        await following.look()
        await following.records(events, 1)
        following.clock.seconds += BEAT_SECONDS
        assert await anext(events) == PlaceTold(TailPlace(1, first.id), None)

        await sealing.applied(1, shards=[shard_of(ACCOUNT), OTHER_SHARD])
        await sealing.sealer().seal()
        await following.look()
        assert told_ids(await following.records(events, 1)) == [waiting.id]
        following.clock.seconds += BEAT_SECONDS
        assert await anext(events) == PlaceTold(TailPlace(2, waiting.id), NOON)


@pytest.mark.parametrize(
    "after",
    ["x", "3.evt_1", "2.{first}", "1.{other}", "1.{second}"],
    ids=["no place", "beyond the end", "another record", "another account", "a later record"],
)
async def test_a_place_of_another_log_is_refused(sealing, following, after):
    records = [record(1), record(2), record(3, account=OTHER)]
    await seal(sealing, *records)
    first, second, other = ids(records)
    with pytest.raises(Invalid) as refused:
        await following.open(after=after.format(first=first, second=second, other=other))
    assert refused.value.errors[0].pointer == "/headers/Last-Event-ID"


@pytest.mark.rule("Rp15")
async def test_nothing_is_told_once_the_right_to_read_is_gone(sealing, following):
    async with following.tail() as events:
        await anext(events)
        await seal(sealing, record(1), record(2))
        await following.look()
        assert isinstance(await anext(events), RecordTold)
        following.refusal = PermissionMissing("audit_log:view")
        following.clock.seconds += 1
        assert [event async for event in events] == [Ended("permission-missing")]
    async with following.tail() as events:
        await anext(events)
        following.clock.seconds += BEAT_SECONDS
        await following.look()
        assert [event async for event in events] == [Ended("permission-missing")]
    assert following.ctx.tails.accounts() == set()


async def test_a_tail_ends_with_a_word_that_says_why(sealing, following):
    await seal(sealing, record(1))
    for end, cause in (
        ("too-slow", lambda: following.ctx.tails.seen({ACCOUNT: MAX_BEHIND + 2}, None)),
        ("set-back", lambda: following.ctx.tails.seen({ACCOUNT: 0}, None)),
    ):
        async with following.tail() as events:
            await anext(events)
            following.clock.seconds += BEAT_SECONDS
            assert isinstance(await anext(events), StillOpen), "all is told"
            cause()
            assert [event async for event in events] == [Ended(end)]
    async with following.tail() as events:
        await anext(events)
        following.ctx.tails.drain()
        assert [event async for event in events] == [Ended("draining")]


async def test_a_tail_that_begins_far_behind_is_not_too_slow(sealing, following):
    await seal(sealing, first := record(1))
    async with following.tail(after=str(TailPlace(0, ""))) as events:
        await anext(events)
        following.ctx.tails.seen({ACCOUNT: MAX_BEHIND + 2}, None)
        assert told_ids(await following.records(events, 1)) == [first.id]


async def test_a_tail_of_an_address_has_records_without_it(sealing, following):
    ana = KnownUser(user_id="usr_ana", name="Ana", email="ana@example.com", as_of=NOON)
    await following.ctx.store.remember_user(ana)
    async with following.tail(user="Ana@example.com") as events:
        await anext(events)
        await seal(sealing, first := record(1))
        await following.look()
        assert told_ids(await following.records(events, 1)) == [first.id]


async def test_a_tail_without_its_database_ends_and_gives_its_place_back(sealing, following):
    await seal(sealing, record(1))

    class AbsentStore:
        async def tree_sizes(self, trees):
            raise DatabaseAway("away")

    tail = await following.open()
    following.ctx = replace(following.ctx, store=AbsentStore())
    await tail.aclose()
    opened = await open_tail(
        sealing.auditing.ctx, READER, ACCOUNT, Filters(), user_id="usr_reader", after=None
    )
    events = tail_events(following.ctx, opened, following.permitted)
    assert [event async for event in events] == [Ended("unavailable")]
    assert following.ctx.tails.accounts() == set()


async def test_tails_that_were_opened_at_the_same_time_do_not_pass_the_limit(following):
    opened = [await following.open() for _ in range(MAX_OF_USER + 1)]
    first = [await anext(events) for events in opened]
    assert first[-1] == Ended("too-many-tails-at-once")
    assert all(isinstance(event, PlaceTold) for event in first[:-1])
    for events in opened:
        await events.aclose()


def removed() -> Row:
    payload = MemberRemoved(
        account_name="Acme", user_id=BO, email="bo@example.com", name="Bo", role="developer"
    )
    return row_of(payload, account_id=site.ACCOUNT)


async def recorded(api: AuditApi, row: Row) -> None:
    """Wait for the record of a row, and say that the rows up to it are complete."""
    await api.tell(row)
    marks = {"epoch": row.epoch, "low": {str(row.shard): row.seq}}
    await api.database["inbox_marks"].update_one({"_id": row.source}, {"$set": marks}, upsert=True)


@pytest.mark.rule("Rp15")
async def test_a_tail_is_a_stream_of_events_that_ends_with_the_session(api):
    url = f"{api.service.addresses['public']}/v1/accounts/{site.ACCOUNT}/audit-events/tail"
    headers = {"Authorization": f"Bearer {api.reader_token()}"}
    async with api.http.get(url, headers=headers, params={"action": "member.*"}) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        told = Told(response)
        assert await told.next() == ("progress", {"size": 0, "complete_until": None})
        await recorded(api, row := removed())
        content = await told.until("record")
        assert (content["id"], content["action"]) == (row.id, "member.removed")
        _, shown = await api.get(f"/v1/accounts/{site.ACCOUNT}/audit-events/{row.id}")
        assert content == shown
        assert told.last_id == f"1.{row.id}"
        api.others.ended.add(site.READER_SESSION)
        async with asyncio.timeout(SECONDS):
            event: tuple[str, dict[str, Any]] = ("", {})
            while event[0] != "end":  # the right to read is asked again each second
                await recorded(api, removed())
                event = await told.next()
        assert event[1] == {"reason": "token-revoked"}
        with pytest.raises(EOFError):
            await told.next()
