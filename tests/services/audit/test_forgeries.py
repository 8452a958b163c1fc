"""A forged message never becomes a record and never takes the place of the real one."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from shared.bus import Verdict
from shared.contracts.team import MemberRemoved
from shared.journal import rows
from shared.row_verifier import ALARM
from tests.services.rows import on_the_bus, row_of
from tests.support.forgeries import FORGERIES
from tests.support.journal_keys import signed, signer

REMOVED = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="admin"
)


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_message_is_not_recorded_and_the_real_one_is(auditing, caplog, forge):
    genuine = signed(row_of(REMOVED, account_id="acc_1"))
    with caplog.at_level(logging.ERROR):
        assert await auditing.inbox.handle(forge(genuine)) is Verdict.ACK
    assert caplog.messages == [ALARM]
    assert await auditing.all("records") == await auditing.all("inbox") == []
    assert await auditing.inbox.handle(rows.message(genuine)) is Verdict.ACK
    [record] = await auditing.all("records")
    assert record["_id"] == genuine.row.id
    assert await auditing.all("equivocations") == []


async def test_a_forgery_at_the_place_of_the_next_row_does_not_take_it(auditing):
    """The issue's example: the copy arrives before the real row of its place is written."""
    joined = row_of(REMOVED, account_id="acc_1")
    real = joined.model_copy(update={"id": "evt_real", "seq": joined.seq + 1})
    forged = replace(on_the_bus(joined), id="evt_forged", seq=real.seq, body=real.to_event())
    inbox = auditing.inbox
    for message in (on_the_bus(joined), forged, on_the_bus(real)):
        await inbox.handle(message)
    assert {record["_id"] for record in await auditing.all("records")} == {joined.id, "evt_real"}


async def test_a_second_signed_row_at_one_place_is_an_alarm_and_no_record(auditing, caplog):
    row = row_of(REMOVED, account_id="acc_1")
    other = signer("team").sign(row.model_copy(update={"id": "evt_other"}))
    await auditing.inbox.handle(on_the_bus(row))
    with caplog.at_level(logging.ERROR):
        assert await auditing.inbox.handle(rows.message(other)) is Verdict.ACK
    assert caplog.messages == [ALARM]
    assert [record["_id"] for record in await auditing.all("records")] == [row.id]
