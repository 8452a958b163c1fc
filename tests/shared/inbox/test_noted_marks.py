"""Marks of facts without a subscriber: many in one statement, and never without an alarm."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared import context
from shared.bus import Verdict
from shared.clock import SystemClock
from shared.contracts.facts import Position
from shared.contracts.team import ProjectCreated
from shared.inbox.marks import Marks
from shared.journal import rows
from shared.mongo import DatabaseAway, connect
from shared.row_verifier import ALARM, Channel
from tests.patience import PATIENT
from tests.shared.inbox.conftest import remember
from tests.shared.inbox.test_forgeries import recorded
from tests.support.journal_keys import signer, verifier
from tests.support.round_trips import ROUND_TRIPS, new_trace
from tests.support.wire_shim import Fault, How, WireShim
from tests.waiting import wait_for

if TYPE_CHECKING:
    from shared.auth.row_signatures import SignedRow
    from shared.journal import Journal
    from shared.mongo import Database, DbClient
    from tests.shared.inbox.conftest import Effects, MakeInbox

NOTHING = {"team.other.happened.v1": remember}


@pytest.fixture
def database(client: DbClient, database_name: str) -> Database:
    return client[database_name]


def other_than(genuine: SignedRow) -> SignedRow:
    """Another row at the same place, which the source's key has signed, too."""
    return signer("team").sign(genuine.row.model_copy(update={"id": "evt_other"}))


async def marks_in(database: Database) -> int:
    return await database["inbox"].count_documents({})


async def test_the_marks_of_facts_without_a_subscriber_are_one_statement(
    make_inbox: MakeInbox, journal: Journal, database: Database
) -> None:
    inbox = make_inbox(NOTHING)
    trace = new_trace()
    context.traceparent.set(trace)
    for signed in await recorded(journal, 5):
        assert await inbox.handle(rows.message(signed)) is Verdict.ACK
    assert await marks_in(database) == 0
    saving = asyncio.create_task(inbox.save_marks())

    async def saved() -> bool:
        return await marks_in(database) == 5

    try:
        await wait_for(saved, what="the marks")
    finally:
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
    assert [str(made) for made in ROUND_TRIPS.of[trace]].count("insert inbox") == 1


async def test_another_row_at_a_noted_place_is_an_alarm_and_has_no_effect(
    make_inbox: MakeInbox, journal: Journal, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    subscriptions = dict(NOTHING)
    inbox = make_inbox(subscriptions)
    [genuine] = await recorded(journal)
    await inbox.handle(rows.message(genuine))
    subscriptions[ProjectCreated.type] = remember  # as if the other row had another type

    with caplog.at_level(logging.ERROR):
        await inbox.handle(rows.message(genuine))
        assert caplog.messages == [], "the same row again does not alarm"
        await inbox.handle(rows.message(other_than(genuine)))
    assert caplog.messages == [ALARM]
    assert vars(caplog.records[-1])["reason"] == "fork"
    assert effects.calls == 0


async def test_a_noted_row_that_differs_from_another_replicas_is_an_alarm(
    make_inbox: MakeInbox, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    [genuine] = await recorded(journal)
    one, two = make_inbox(NOTHING), make_inbox(NOTHING)
    await one.handle(rows.message(genuine))
    await two.handle(rows.message(genuine))
    with caplog.at_level(logging.ERROR):
        await one.reconcile("team")
        await two.reconcile("team")
        assert caplog.messages == [], "two replicas may have the same row"
        three = make_inbox(NOTHING)
        await three.handle(rows.message(other_than(genuine)))
        await three.reconcile("team")
    assert caplog.messages == [ALARM]


async def test_noted_marks_wait_while_the_database_refuses_them(
    journal: Journal, database: Database, mongo_url: str
) -> None:
    signed = await recorded(journal, 2)
    with WireShim(mongo_url) as shim:
        client = connect(shim.url, app_name="tests", timeouts=PATIENT)
        marks = Marks(client[database.name], verifier())
        for one in signed:
            marks.note(one, SystemClock().now(), Channel.BUS)
        shim.plant(Fault(how=How.REFUSED, command="insert", collection="inbox", code=10107))
        with pytest.raises(DatabaseAway):
            await marks.save_noted()
        assert all(marks.is_noted(one.row.position) for one in signed)
        await marks.save_noted()
        client.close()
    assert not any(marks.is_noted(one.row.position) for one in signed)
    assert await marks_in(database) == 2


async def test_more_marks_than_one_statement_names_are_found_and_deleted(
    client: DbClient, database_name: str
) -> None:
    marks, made = Marks(client[database_name], verifier()), SystemClock().now()
    places = [Position("team", epoch, 1, seq) for epoch in "ab" for seq in range(1, 251)]
    async with await client.start_session() as session, session.start_transaction():
        await marks.insert_all([(place, f"{place.seq:064x}") for place in places], made, session)
    first = Position("team", "a", 1, 2)
    assert await marks.between(first, 300) == {seq: f"{seq:064x}" for seq in range(2, 251)}
    assert await marks.count_between(first, 300) == 249
    later = made + timedelta(seconds=1)
    await marks.delete("team", "a", {1: 240, 2: 900}, before=made)
    await marks.delete("identity", "a", {1: 240}, before=later)
    assert await marks.count_between(first, 300) == 249
    await marks.delete("team", "a", {1: 240, 2: 900}, before=later)
    assert sorted(await marks.between(first, 300)) == list(range(241, 251))
    assert await client[database_name]["inbox"].count_documents({}) == 10


async def test_a_row_that_is_noted_during_a_save_is_saved_by_the_next(
    journal: Journal, database: Database
) -> None:
    marks = Marks(database, verifier())
    first, *others = await recorded(journal, 4)
    marks.note(first, SystemClock().now(), Channel.BUS)
    for one in others:
        saving = asyncio.create_task(marks.save_noted())
        await asyncio.sleep(0)
        assert not saving.done()
        marks.note(one, SystemClock().now(), Channel.BUS)
        await saving
        assert marks.is_noted(one.row.position)
    await marks.save_noted()
    assert await marks_in(database) == 4


async def test_facts_above_the_most_that_is_noted_are_fetched_later(
    make_inbox: MakeInbox, journal: Journal, database: Database
) -> None:
    marks = Marks(database, verifier(), most_noted=1)
    first, second = await recorded(journal, 2)
    for one in (first, second, first):
        marks.note(one, SystemClock().now(), Channel.BUS)
    await marks.save_noted()
    assert await marks_in(database) == 1
    inbox = make_inbox(NOTHING)
    await inbox.reconcile("team")
    assert inbox.complete_until is not None
    await inbox.reconcile("team")
    assert await marks_in(database) == 2
