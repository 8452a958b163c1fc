"""Does every row become one record, however often and in whatever order it comes?"""

import asyncio
import logging
import random
from types import NoneType

import pytest

from services.audit.domain import digest
from services.audit.store import Records
from services.audit.use_cases import Ingest
from shared.bus import Verdict
from shared.contracts import identity
from shared.contracts.facts import Actor
from shared.contracts.registry import FACT_TYPES
from shared.contracts.team import MemberRemoved
from shared.inbox import AlreadyApplied
from shared.mongo import DbSession, insert_once
from shared.problems import Unavailable
from tests.services.audit.conftest import on_the_bus
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)


def rows_of_accounts(count):
    return [row_of(MEMBER, account_id=f"acc_{number}") for number in range(count)]


async def test_ten_times_at_once_is_one_record(auditing):
    row = row_of(MEMBER, account_id="acc_1")
    inbox = auditing.inbox
    verdicts = await asyncio.gather(*(inbox.handle(on_the_bus(row)) for _ in range(10)))
    assert set(verdicts) == {Verdict.ACK}
    [record] = await auditing.all("records")
    assert record["_id"] == row.id
    assert await auditing.all("equivocations") == []


async def test_ten_times_at_once_to_ten_replicas_is_one_record(auditing):
    row = row_of(MEMBER, account_id="acc_1")
    replicas = [auditing.inbox for _ in range(10)]
    await asyncio.gather(*(replica.handle(on_the_bus(row)) for replica in replicas))
    assert [record["_id"] for record in await auditing.all("records")] == [row.id]


async def test_every_row_twice_and_out_of_order_is_every_record_once(auditing):
    rows = rows_of_accounts(30)
    messages = [on_the_bus(row) for row in rows * 2]
    random.shuffle(messages)
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(message) for message in messages))
    records = await auditing.all("records")
    assert sorted(record["_id"] for record in records) == sorted(row.id for row in rows)
    assert len(await auditing.all("inbox")) == 30


@pytest.mark.parametrize("fact_type", sorted(FACT_TYPES))
async def test_every_type_of_every_source_is_recorded_even_when_its_data_do_not_fit(
    auditing, fact_type
):
    row = row_of(FACT_TYPES[fact_type].model_construct(), account_id="acc_1", data={"odd": 1})
    await auditing.take(row)
    [record] = await auditing.all("records")
    assert f"{row.source}.{record['action']}.v1" == fact_type


async def test_a_type_that_nobody_here_knows_is_recorded_all_the_same(auditing):
    row = row_of(MEMBER, account_id="acc_1", type="team.member.promoted.v3", data={"new": "shape"})
    await auditing.take(row)
    [record] = await auditing.all("records")
    assert record["action"] == "member.promoted"


async def test_rows_that_wait_share_a_transaction(auditing, monkeypatch):
    sizes = []
    write = Ingest._write

    async def counted(self, batch):
        sizes.append(len(batch))
        await write(self, batch)

    monkeypatch.setattr(Ingest, "_write", counted)
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows_of_accounts(20)))
    assert sum(sizes) == 20
    assert len(sizes) < 6


async def test_a_row_that_cannot_be_kept_fails_alone(auditing, monkeypatch):
    """Not the one whose turn it was, which would be put aside in its place."""
    rows = rows_of_accounts(8)
    add = Records.add

    async def add_all_but_one(self, records, session):
        if any(record.id == rows[3].id for record in records):
            raise LookupError("cannot be kept")
        await add(self, records, session)

    monkeypatch.setattr(Records, "add", add_all_but_one)
    inbox = auditing.inbox
    results = await asyncio.gather(*(inbox.apply(row) for row in rows), return_exceptions=True)

    assert [type(result) for result in results] == [NoneType] * 3 + [LookupError] + [NoneType] * 4
    assert len(await auditing.all("records")) == 7
    assert len(await auditing.all("inbox")) == 7


async def test_a_double_among_the_waiting_does_not_hold_up_the_others(auditing):
    rows = rows_of_accounts(8)
    await auditing.take(rows[3])
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows))
    assert len(await auditing.all("records")) == 8
    assert len(await auditing.all("inbox")) == 8


async def test_a_second_row_with_the_same_id_is_kept_aside_and_an_alarm_is_logged(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    forged = row.model_copy(update={"actor": Actor(type="user", id="usr_eve")})
    await auditing.take(row)
    with caplog.at_level(logging.ERROR):
        await auditing.take(forged, forged)
    [record] = await auditing.all("records")
    assert (record["actor_id"], record["digest"]) == ("usr_ana", digest(row))
    [aside] = await auditing.all("equivocations")
    assert aside["event_id"] == row.id
    assert "usr_eve" in aside["event"]
    assert "equivocation" in caplog.text


async def test_the_same_id_at_another_place_of_a_journal_is_kept_aside(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    elsewhere = row.model_copy(update={"seq": row.seq + 1_000_000})
    await auditing.take(row, elsewhere)
    assert len(await auditing.all("records")) == 1
    assert [aside["event_id"] for aside in await auditing.all("equivocations")] == [row.id]
    assert len(await auditing.all("inbox")) == 2
    assert "equivocation" in caplog.text


async def test_a_row_that_comes_again_unchanged_is_no_alarm(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    await auditing.take(row, row, row)
    assert await auditing.all("equivocations") == []
    assert "equivocation" not in caplog.text


async def test_record_and_receipt_are_saved_together_or_not_at_all(auditing, monkeypatch):
    async def crash(self, records, session):
        for record in records:
            await insert_once(self._records, {"_id": record.id}, session)
        raise LookupError("crashed inside")

    monkeypatch.setattr(Records, "add", crash)
    row = row_of(MEMBER, account_id="acc_1")
    with pytest.raises(LookupError):
        await auditing.inbox.handle(on_the_bus(row))
    assert await auditing.all("records") == []
    assert await auditing.all("inbox") == []


async def test_whoever_waited_for_a_write_that_failed_is_told_so(auditing, monkeypatch):
    async def away(self, batch):
        await asyncio.sleep(0.01)
        raise Unavailable

    monkeypatch.setattr(Ingest, "_write", away)

    async def receipt(session: DbSession) -> None:
        raise AlreadyApplied

    rows = rows_of_accounts(5)
    results = await asyncio.gather(
        *(auditing.ctx.ingest.add(row, receipt) for row in rows), return_exceptions=True
    )
    assert [type(result) for result in results] == [Unavailable] * 5


async def test_the_newest_name_of_a_user_is_known_in_whatever_order_the_facts_come(auditing):
    user = {"user_id": "usr_bo", "email": "Bo@Example.com", "account_id": "acc_bo"}
    first = row_of(identity.UserVerified(**user, name="Bo"), occurred_at=NOON)
    newer = row_of(identity.UserRenamed(**user, name="Bo Li"), occurred_at=NOON.replace(hour=13))
    await auditing.take(newer, first, newer)
    [person] = await auditing.all("people")
    assert (person["name"], person["email"]) == ("Bo Li", "bo@example.com")
