"""A message or a fetched row that the source did not sign has no effect and hides no row."""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared import context
from shared.bus import Verdict
from shared.inbox.reconciler import RECONCILE_SECONDS
from shared.journal import JournalWrite, rows
from shared.row_verifier import ALARM
from tests.shared.inbox.conftest import JournalCalls, journal_in
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.forgeries import FORGERIES, Forgery
from tests.support.journal_keys import signer
from tests.support.metrics import value_of
from tests.waiting import quickest, wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.auth.row_signatures import SignedRow
    from shared.contracts.calls.journal import Changes, ChangesQuery
    from shared.journal import Journal
    from shared.mongo import Database, DbClient
    from tests.shared.inbox.conftest import Effects, MakeInbox


@pytest.fixture
def database(client: DbClient, database_name: str) -> Database:
    return client[database_name]


async def recorded(journal: Journal, count: int = 1, *, first: int = 0) -> list[SignedRow]:
    """Record changes; the rows of the journal, which has `first` of them before."""

    async def change(write: JournalWrite) -> None:
        write.record(*map(project_created, range(first, first + count)))

    await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)
    heads = await journal.heads()
    [shard] = heads.seqs
    return await journal.changes(shard, after=0, limit=first + count)


async def aside_and_marked(database: Database) -> tuple[int, int]:
    return (
        await database["inbox_dead"].count_documents({}),
        await database["inbox"].count_documents({}),
    )


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_message_is_dropped_and_the_genuine_one_applied(
    make_inbox: MakeInbox,
    journal: Journal,
    effects: Effects,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    forge: Forgery,
) -> None:
    [genuine] = await recorded(journal)
    inbox = make_inbox()

    with caplog.at_level(logging.ERROR):
        assert await inbox.handle(forge(genuine)) is Verdict.ACK
    assert (effects.calls, await aside_and_marked(database)) == (0, (0, 0))
    assert ALARM in caplog.messages

    assert await inbox.handle(rows.message(genuine)) is Verdict.ACK
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 0"]


async def test_a_refused_message_makes_the_inbox_compare_soon(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    """It may have been a genuine one, whose row would otherwise wait for the next comparison."""
    inbox = make_inbox()
    context.service.set("behind")
    running = asyncio.create_task(inbox.run())
    numbers = itertools.count()

    async def applied_after_a_refused_message() -> None:
        number = next(numbers)
        genuine = (await recorded(journal, 1, first=number))[-1]
        await inbox.handle(replace(rows.message(genuine), signature=""))
        await wait_for(applied(number), what="the effect of the row")

    def applied(number: int) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            return f"Project {number}" in await effects.saw()

        return asked

    try:
        await wait_for(
            lambda: value_of("rolecall_inbox_lag_seconds", service="behind"),
            what="the first comparison",
        )
        soon = RECONCILE_SECONDS * 0.6
        assert await quickest(applied_after_a_refused_message, under=soon) < soon
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class ForgingSource(JournalCalls):
    """Its answers come from someone else: one row of a page is changed."""

    place = 1

    async def changes(self, query: ChangesQuery) -> Changes:
        page = await super().changes(query)
        items = list(page.items)
        if self.place < len(items):
            items[self.place] = items[self.place].replace("Project", "Forgery")
        return page.model_copy(update={"items": items})


async def test_a_fetched_row_that_is_not_signed_is_fetched_again_later(
    make_inbox: MakeInbox,
    journal: Journal,
    effects: Effects,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await recorded(journal, 3)
    source = ForgingSource(journal)
    inbox = make_inbox(source=source)

    with caplog.at_level(logging.ERROR):
        await inbox.reconcile("team")
    assert await effects.saw() == ["Project 0"]
    assert await aside_and_marked(database) == (0, 1)
    assert (inbox.complete_until, caplog.messages) == (None, [ALARM])

    source.place = 99
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 0", "Project 1", "Project 2"]
    assert inbox.complete_until is not None


async def test_the_first_row_at_a_place_stays_and_the_second_is_an_alarm(
    make_inbox: MakeInbox,
    journal: Journal,
    effects: Effects,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The source's key itself signed both: a stolen key, or a database that was set back."""
    [genuine] = await recorded(journal)
    other = signer("team").sign(
        genuine.row.model_copy(update={"id": "evt_other", "resource": genuine.row.resource})
    )
    inbox = make_inbox()
    await inbox.handle(rows.message(genuine))

    with caplog.at_level(logging.ERROR):
        assert await inbox.handle(rows.message(genuine)) is Verdict.ACK
        assert caplog.messages == [], "the same row again does not alarm"
        assert await inbox.handle(rows.message(other)) is Verdict.ACK
    assert caplog.messages == [ALARM]
    assert vars(caplog.records[-1])["reason"] == "fork"
    assert await effects.saw() == ["Project 0"]
    [mark] = [mark async for mark in database["inbox"].find({})]
    assert mark["digest"] == genuine.digest


async def test_a_fetched_row_that_differs_from_the_applied_one_is_an_alarm(
    make_inbox: MakeInbox,
    journal: Journal,
    effects: Effects,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, _ = await recorded(journal, 2)
    other = signer("team").sign(first.row.model_copy(update={"id": "evt_other"}))
    inbox = make_inbox()
    await inbox.handle(rows.message(other))
    effects.calls = 0

    with caplog.at_level(logging.ERROR):
        await inbox.reconcile("team")
    assert vars(caplog.records[-1])["reason"] == "fork"
    assert effects.calls == 1, "the row after it is applied, the one at its place is not"


async def test_another_row_at_a_covered_place_that_has_a_mark_is_an_alarm(
    make_inbox: MakeInbox,
    journal: Journal,
    effects: Effects,
    caplog: pytest.LogCaptureFixture,
) -> None:
    [genuine] = await recorded(journal)
    other = signer("team").sign(genuine.row.model_copy(update={"id": "evt_other"}))
    inbox = make_inbox()
    await inbox.reconcile("team")

    with caplog.at_level(logging.ERROR):
        await inbox.handle(rows.message(genuine))
        assert caplog.messages == []
        await inbox.handle(rows.message(other))
    assert caplog.messages == [ALARM]
    assert await effects.saw() == ["Project 0"]


@pytest.mark.parametrize("compared", [True, False], ids=["heads known", "heads not known"])
async def test_a_signed_row_of_an_epoch_that_is_over_has_no_effect(
    make_inbox: MakeInbox, journal: Journal, effects: Effects, database: Database, *, compared: bool
) -> None:
    [genuine] = await recorded(journal)
    old = signer("team").sign(genuine.row.model_copy(update={"epoch": "over", "id": "evt_old"}))
    inbox = make_inbox()
    if compared:
        await inbox.reconcile("team")
    before = (effects.calls, await aside_and_marked(database))

    assert await inbox.handle(rows.message(old)) is Verdict.ACK
    assert (effects.calls, await aside_and_marked(database)) == before


async def test_a_row_of_a_new_epoch_waits_until_the_heads_confirm_it(
    make_inbox: MakeInbox,
    journal: Journal,
    calls: JournalCalls,
    effects: Effects,
    client: DbClient,
    database_name: str,
) -> None:
    inbox = make_inbox()
    await recorded(journal)
    await inbox.reconcile("team")
    again = await journal_in(client, f"{database_name}_again")
    [first] = await recorded(again)
    await inbox.handle(rows.message(first))
    assert effects.calls == 1

    calls.journal = again
    await inbox.reconcile("team")
    assert effects.calls == 2


async def test_a_source_that_is_away_when_first_heard_is_left_to_the_reconciler(
    make_inbox: MakeInbox, journal: Journal, calls: JournalCalls, effects: Effects
) -> None:
    [genuine] = await recorded(journal)
    inbox = make_inbox()
    calls.away = True
    assert await inbox.handle(rows.message(genuine)) is Verdict.ACK
    assert effects.calls == 0
    calls.away = False
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 0"]


async def test_a_mark_of_an_earlier_version_has_no_digest_and_does_not_alarm(
    make_inbox: MakeInbox,
    journal: Journal,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    [genuine] = await recorded(journal)
    inbox = make_inbox()
    await inbox.handle(rows.message(genuine))
    await database["inbox"].update_many({}, {"$unset": {"digest": ""}})

    with caplog.at_level(logging.ERROR):
        await inbox.handle(replace(rows.message(genuine), attempts=1))
        await inbox.reconcile("team")
    assert caplog.messages == []
