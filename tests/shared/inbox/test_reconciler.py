"""When a service may say that it has applied everything: `complete_until`."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared import context
from shared.clock import SystemClock
from shared.contracts.calls.journal import Changes, ChangesQuery
from shared.contracts.facts import shard_of
from shared.inbox.reconciler import COMPLETENESS_LAG, STARTING_SECONDS
from shared.inbox.told_heads import YOUNG_SECONDS
from shared.journal import Journal, JournalWrite, rows
from shared.mongo import DbClient
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.shared.inbox.conftest import Effects, JournalCalls, MakeInbox, journal_in
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.round_trips import ROUND_TRIPS, new_trace
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Collection

    from shared.inbox import Inbox

ACCOUNTS = ("acc_1", "acc_2", "acc_3")
SHARDS = [shard_of(account) for account in ACCOUNTS]


class Withholding(JournalCalls):
    """Leaves rows out of its answers: a replica of the source that lags, or a lost row."""

    withheld: set[tuple[int, int]]

    async def changes(self, query: ChangesQuery) -> Changes:
        page = await super().changes(query)
        rows = await self.journal.changes(query.shard, after=query.after, limit=query.limit)
        kept = [
            signed for signed in rows if (signed.row.shard, signed.row.seq) not in self.withheld
        ]
        items = [signed.event.decode() for signed in kept]
        signatures = [signed.signature for signed in kept]
        return page.model_copy(update={"items": items, "signatures": signatures})


@pytest.fixture
async def source(calls: JournalCalls) -> Withholding:
    """Three shards with five rows each."""
    withholding = Withholding(calls.journal)
    withholding.withheld = set()
    for place, account in enumerate(ACCOUNTS):
        for number in range(5):
            await record(calls.journal, account, number + 10 * place)
    return withholding


async def record(journal: Journal, account: str, number: int) -> None:
    async def change(write: JournalWrite) -> None:
        write.record(project_created(number))

    await journal.write(account, change, caller=CALLER, effective_everywhere=False)


def test_the_accounts_of_these_tests_lie_in_three_shards() -> None:
    assert len(set(SHARDS)) == len(ACCOUNTS)


@pytest.mark.parametrize("incomplete", range(3))
async def test_one_incomplete_shard_is_not_hidden_by_complete_ones(
    make_inbox: MakeInbox, source: Withholding, effects: Effects, incomplete: int
) -> None:
    inbox = make_inbox(source=source)
    source.withheld = {(SHARDS[incomplete], 3)}

    await inbox.reconcile("team")
    assert len(await effects.saw()) == 14
    assert inbox.complete_until is None

    source.withheld = set()
    await inbox.reconcile("team")
    assert len(await effects.saw()) == 15
    assert inbox.complete_until is not None


@pytest.mark.parametrize("page_size", [1, 3, 200])
@pytest.mark.parametrize("missing", [{1}, {2, 3}, {5}])
async def test_a_gap_that_a_fetch_did_not_fill_stays_a_gap(
    make_inbox: MakeInbox,
    source: Withholding,
    effects: Effects,
    page_size: int,
    missing: set[int],
) -> None:
    inbox = make_inbox(source=source, page_size=page_size)
    source.withheld = {(SHARDS[0], seq) for seq in missing}

    for _ in range(2):
        await inbox.reconcile("team")
        assert inbox.complete_until is None
    source.withheld = set()
    await inbox.reconcile("team")

    assert len(await effects.saw()) == 15
    assert inbox.complete_until is not None


async def test_a_gap_stays_a_gap_for_a_service_that_starts_again(
    make_inbox: MakeInbox, source: Withholding, effects: Effects
) -> None:
    source.withheld = {(SHARDS[0], 2)}
    await make_inbox(source=source).reconcile("team")
    assert len(await effects.saw()) == 14

    restarted = make_inbox(source=source)
    await restarted.start()
    await restarted.stop()
    source.withheld = set()
    await restarted.reconcile("team")

    assert len(await effects.saw()) == 15
    assert restarted.complete_until is not None


async def test_a_page_of_another_epoch_completes_nothing(
    make_inbox: MakeInbox, source: Withholding, effects: Effects
) -> None:
    inbox = make_inbox(source=source)
    source.epoch_of_changes = "another"

    await inbox.reconcile("team")

    assert await effects.saw() == []
    assert inbox.complete_until is None


async def test_rows_of_another_epoch_than_the_heads_are_not_applied(
    make_inbox: MakeInbox,
    source: Withholding,
    effects: Effects,
    client: DbClient,
    database_name: str,
) -> None:
    """The source was set back between two answers: its rows fill no gap of the earlier journal."""

    async def change(write: JournalWrite) -> None:
        write.record(project_created(99))

    inbox = make_inbox(source=source)
    new = await journal_in(client, f"{database_name}_set_back")
    await new.write(ACCOUNTS[0], change, caller=CALLER, effective_everywhere=False)
    earlier = await source.journal.heads()
    source.journal = new
    source.heads = earlier

    await inbox.reconcile("team")
    assert await effects.saw() == []
    assert inbox.complete_until is None

    source.heads = None
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 99"]


async def test_a_source_that_was_never_compared_leaves_completeness_unknown(
    make_inbox: MakeInbox, source: Withholding, client: DbClient, database_name: str
) -> None:
    inbox = make_inbox(source=source, sources=("team", "identity"))

    await inbox.reconcile("team")
    assert inbox.complete_until is None
    source.journal = await journal_in(client, f"{database_name}_empty")
    await inbox.reconcile("identity")
    assert inbox.complete_until is not None


class IdentityAway(JournalCalls):
    """One of the sources does not answer."""

    absent = True
    asked = 0

    async def call(self, call: Any, callee: str, *query: Any) -> Any:
        if callee == "identity" and self.absent:
            self.asked += 1
            raise Unavailable
        return await super().call(call, callee, *query)


@pytest.mark.parametrize("sources", [("identity", "team"), ("team", "identity")])
async def test_a_source_that_is_away_does_not_hold_up_the_others(
    make_inbox: MakeInbox, source: Withholding, effects: Effects, sources: tuple[str, ...]
) -> None:
    inbox = make_inbox(source=IdentityAway(source.journal), sources=sources)
    running = asyncio.create_task(inbox.run())

    async def all_applied() -> bool:
        return len(await effects.saw()) == 15

    try:
        assert await wait_for(all_applied, what="the facts of team")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_absent_source_is_told_once_and_only_after_the_start(
    make_inbox: MakeInbox, source: Withholding, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SetClock(SystemClock().now())
    away = IdentityAway(source.journal)
    inbox = make_inbox(source=away, sources=("identity",), clock=clock)
    caplog.set_level(logging.INFO, logger="shared.inbox.reconciler")

    running = asyncio.create_task(inbox.run())
    try:
        await wait_for(lambda: away.asked >= 3, what="three failures")
        assert caplog.messages == []
        clock.move(STARTING_SECONDS)
        await wait_for(lambda: caplog.messages, what="a warning")
        asked = away.asked
        await wait_for(lambda: away.asked >= asked + 2, what="more failures")
        away.absent = False
        await wait_for(lambda: "identity is back." in caplog.messages, what="the end")
        assert caplog.messages.count("identity is away.") == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(("minutes", "kept"), [(59, True), (61, False)])
async def test_a_mark_is_kept_for_an_hour_after_its_fact_is_covered(
    make_inbox: MakeInbox, source: Withholding, effects: Effects, minutes: int, *, kept: bool
) -> None:
    clock = SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(source=source, clock=clock)
    source.withheld = {(shard, 5) for shard in SHARDS}
    await inbox.reconcile("team")
    clock.move(minutes * 60)
    source.withheld = set()
    await inbox.reconcile("team")

    assert len(await effects.saw()) == 15
    marks = effects.names.database["inbox"]
    assert await marks.count_documents({"seq": {"$lt": 5}}) == (12 if kept else 0)
    assert await marks.count_documents({"seq": 5}) == 3


async def test_the_marks_of_an_epoch_that_is_over_are_deleted_in_the_end(
    make_inbox: MakeInbox,
    source: Withholding,
    effects: Effects,
    client: DbClient,
    database_name: str,
) -> None:
    clock = SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(source=source, clock=clock)
    await inbox.reconcile("team")
    over = source.journal.epoch
    source.journal = await journal_in(client, f"{database_name}_again")
    marks = effects.names.database["inbox"]
    for minutes, left in ((50, 15), (11, 0)):
        clock.move(minutes * 60)
        await record(source.journal, "acc_1", minutes)
        await inbox.reconcile("team")
        assert await marks.count_documents({"epoch": over}) == left
    assert await marks.count_documents({"epoch": source.journal.epoch}) == 2


class CountsPages(JournalCalls):
    """Counts the pages that are asked for."""

    pages = 0

    async def changes(self, query: ChangesQuery) -> Changes:
        self.pages += 1
        return await super().changes(query)


async def delivered(inbox: Inbox, journal: Journal, seqs: Collection[int]) -> None:
    """Hand rows of the first account over, as the bus does."""
    for signed in await journal.changes(SHARDS[0], after=0, limit=200):
        if signed.row.seq in seqs:
            await inbox.handle(rows.message(signed))


async def test_what_this_process_has_applied_is_covered_without_a_look(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    """Its marks are neither read nor their rows fetched; a further replica knows them, too."""
    source, clock = CountsPages(journal), SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(source=source, clock=clock)
    for number in range(5):
        await record(journal, ACCOUNTS[0], number)
    await inbox.reconcile("team")
    clock.move(YOUNG_SECONDS)
    for number in range(5, 8):
        await record(journal, ACCOUNTS[0], number)
    await delivered(inbox, journal, {6, 7, 8})
    trace = new_trace()
    context.traceparent.set(trace)
    source.pages = 0

    await inbox.reconcile("team")

    assert inbox.complete_until == clock.now() - COMPLETENESS_LAG
    assert source.pages == 0
    assert "find inbox" not in map(str, ROUND_TRIPS.of[trace])
    another = make_inbox(source=source)
    await another.start()
    await another.stop()
    await another.reconcile("team")
    assert source.pages == 0
    assert effects.calls == 8


async def test_a_row_that_was_committed_lately_is_left_to_the_bus_unseen(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    source, clock = CountsPages(journal), SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(source=source, clock=clock)
    await record(journal, ACCOUNTS[0], 1)
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 1"]
    for number in (2, 3):
        await record(journal, ACCOUNTS[0], number)
    await delivered(inbox, journal, {3})
    source.pages = 0

    clock.move(YOUNG_SECONDS - 0.1)
    await inbox.reconcile("team")
    assert source.pages == 0
    assert await effects.saw() == ["Project 1", "Project 3"]

    await inbox.reconcile("team")  # the source has told of the row before
    assert source.pages == 1
    assert await effects.saw() == ["Project 1", "Project 2", "Project 3"]


async def test_a_row_that_no_comparison_told_for_long_is_fetched(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    clock = SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(clock=clock)
    await record(journal, ACCOUNTS[0], 1)
    await inbox.reconcile("team")
    await record(journal, ACCOUNTS[0], 2)
    clock.move(YOUNG_SECONDS)
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 1", "Project 2"]


async def test_a_stream_of_rows_is_complete_up_to_the_comparison_before(
    make_inbox: MakeInbox, journal: Journal
) -> None:
    clock = SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(clock=clock)
    complete = []
    for number in range(1, 4):
        await record(journal, ACCOUNTS[0], number)
        await delivered(inbox, journal, {number - 1})
        await inbox.reconcile("team")
        complete.append(inbox.complete_until)
        clock.move(1)
    first = clock.now() - timedelta(seconds=3) - COMPLETENESS_LAG
    assert complete == [first, first, first + timedelta(seconds=1)]


async def test_a_row_that_stays_away_ends_completeness_where_it_was_told(
    make_inbox: MakeInbox, source: Withholding
) -> None:
    clock = SetClock(SystemClock().now() + timedelta(seconds=5))
    inbox = make_inbox(source=source, clock=clock)
    await inbox.reconcile("team")
    complete = inbox.complete_until
    await record(source.journal, ACCOUNTS[0], 99)
    source.withheld = {(SHARDS[0], 6)}
    for _ in range(4):
        clock.move(1)
        await inbox.reconcile("team")
        assert inbox.complete_until == complete
