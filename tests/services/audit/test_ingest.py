"""Every row becomes one record, however often and in which order it arrives."""

import asyncio
import logging
import random
from types import NoneType

import pytest

from services.audit.domain.records import digest
from services.audit.store import Store
from shared import context
from shared.bus import Verdict
from shared.contracts import identity
from shared.contracts.facts import Actor
from shared.contracts.registry import FACT_TYPES
from shared.contracts.team import MemberRemoved
from shared.problems import Unavailable
from shared.row_verifier import Channel
from tests.patience import PATIENT_SECONDS
from tests.services.rows import NOON, on_the_bus, row_of
from tests.support.journal_keys import signed
from tests.support.round_trips import ROUND_TRIPS, new_trace
from tests.waiting import wait_for

MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)


def rows_of_accounts(count):
    return [row_of(MEMBER, account_id=f"acc_{number}") for number in range(count)]


async def test_a_row_that_arrives_ten_times_at_once_is_one_record(auditing):
    row = row_of(MEMBER, account_id="acc_1")
    inbox = auditing.inbox
    verdicts = await asyncio.gather(*(inbox.handle(on_the_bus(row)) for _ in range(10)))
    assert set(verdicts) == {Verdict.ACK}
    [record] = await auditing.all("records")
    assert record["_id"] == row.id
    assert await auditing.all("equivocations") == []


async def test_a_row_that_ten_replicas_get_at_once_is_one_record(auditing):
    row = row_of(MEMBER, account_id="acc_1")
    replicas = [auditing.inbox for _ in range(10)]
    await asyncio.gather(*(replica.handle(on_the_bus(row)) for replica in replicas))
    assert [record["_id"] for record in await auditing.all("records")] == [row.id]


async def test_rows_twice_and_out_of_order_are_recorded_once(auditing):
    rows = rows_of_accounts(30)
    messages = [on_the_bus(row) for row in rows * 2]
    random.shuffle(messages)
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(message) for message in messages))
    records = await auditing.all("records")
    assert sorted(record["_id"] for record in records) == sorted(row.id for row in rows)
    assert len(await auditing.all("inbox")) == 30


@pytest.mark.rule("Rp13", "T29")
async def test_every_fact_type_is_recorded_even_when_its_data_do_not_fit(auditing):
    fact_types = sorted(FACT_TYPES)
    rows = [
        row_of(FACT_TYPES[name].model_construct(), account_id=f"acc_{number}", data={"odd": 1})
        for number, name in enumerate(fact_types)
    ]
    for row in rows:
        await auditing.take(row)
    recorded = {each["_id"]: each["action"] for each in await auditing.all("records")}
    assert [f"{row.source}.{recorded.get(row.id)}.v1" for row in rows] == fact_types


async def test_an_unknown_fact_type_is_recorded(auditing):
    row = row_of(MEMBER, account_id="acc_1", type="team.member.promoted.v3", data={"new": "shape"})
    await auditing.take(row)
    [record] = await auditing.all("records")
    assert record["action"] == "member.promoted"


class CountingStore(Store):
    """Records that count how many are inserted in each transaction."""

    def __init__(self, database):
        super().__init__(database)
        self.sizes = []

    async def add(self, records, session):
        self.sizes.append(len(records))
        await super().add(records, session)


async def test_rows_that_wait_share_a_transaction(auditing):
    records = CountingStore(auditing.database)
    auditing.use_store(records)
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows_of_accounts(20)))
    assert sum(records.sizes) == 20
    assert len(records.sizes) < 6


async def test_many_rows_that_wait_are_recorded_a_part_at_a_time(auditing):
    records = CountingStore(auditing.database)
    auditing.use_store(records, rows_at_once=8)
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows_of_accounts(20)))
    assert max(records.sizes) == 8
    assert len(await auditing.all("records")) == 20


class RecordsHeldUp(CountingStore):
    """Records whose inserts wait until `go` is set; `held` has the sizes of all."""

    def __init__(self, database):
        super().__init__(database)
        self.held = []
        self.now = self.most = 0
        self.go = asyncio.Event()

    async def add(self, records, session):
        self.held.append(len(records))
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1
        await super().add(records, session)


async def held_up(auditing, messages, **given):
    """Records that hold the first row up while those of the other messages wait."""
    records = RecordsHeldUp(auditing.database)
    auditing.use_store(records, **given)
    inbox, ingest = auditing.inbox, auditing.ctx.ingest
    first = asyncio.create_task(inbox.handle(messages[0]))
    await wait_for(lambda: records.held == [1], what="the first row")
    others = asyncio.gather(*(inbox.handle(message) for message in messages[1:]))
    here = len(messages)
    await wait_for(lambda: sum(records.held) + len(ingest._waiting) == here, what="the others")
    return records, asyncio.gather(first, others)


async def recorded_two_together(auditing, messages, **waits):
    """Records and an inbox that have recorded the first row alone, and the next two together."""
    records, handled = await held_up(auditing, messages[:3], **waits)
    records.go.set()
    await handled
    assert records.sizes == [1, 2]
    return records, auditing.inbox


async def test_rows_that_follow_slowly_wait_for_the_transaction_before(auditing):
    messages = [on_the_bus(row) for row in rows_of_accounts(4)]
    records, handled = await held_up(auditing, messages, gather_seconds=PATIENT_SECONDS)
    assert records.held == [1]
    records.go.set()
    await handled
    assert (records.sizes, records.most) == ([1, 3], 1)


async def test_full_transactions_follow_side_by_side_two_at_most(auditing):
    messages = [on_the_bus(row) for row in rows_of_accounts(13)]
    records, handled = await held_up(auditing, messages, rows_at_once=3)
    await wait_for(lambda: records.held == [1, 3], what="a full transaction beside the first row")
    records.go.set()
    await handled
    assert records.most == 2
    assert len(await auditing.all("records")) == 13


class NoMark:
    """Marks nothing: rows are told from each other by their records."""

    async def save_with(self, others, session):
        """Save nothing."""


async def test_rows_are_told_when_the_next_transaction_has_begun(auditing):
    auditing.use_store(Store(auditing.database), rows_at_once=2, transactions=1)
    ingest, left = auditing.ctx.ingest, []

    async def add(row):
        await ingest.add(row, NoMark())
        left.append(len(ingest._waiting))

    await asyncio.gather(*map(add, rows_of_accounts(6)))
    assert left == [2, 2, 0, 0, 0, 0]


async def test_a_stop_waits_for_the_transaction_that_runs_and_begins_no_other(auditing):
    """What runs on behind the end of the service would use a database that is closed."""
    messages = [on_the_bus(row) for row in rows_of_accounts(3)]
    records, handled = await held_up(auditing, messages)
    closing = asyncio.create_task(auditing.ctx.ingest.close())
    await asyncio.sleep(0)
    assert not closing.done()
    records.go.set()
    await closing
    assert await handled == [Verdict.ACK, [Verdict.ACK] * 2]
    assert records.sizes == [1]
    assert not auditing.ctx.ingest._running


async def test_a_stop_ends_a_transaction_that_lasts_too_long(auditing):
    messages = [on_the_bus(row) for row in rows_of_accounts(2)]
    records, handled = await held_up(auditing, messages)
    await auditing.ctx.ingest.close(seconds=0)
    await handled
    assert records.sizes == []
    assert not auditing.ctx.ingest._running


async def test_a_row_waits_for_as_many_as_were_recorded_together(auditing):
    trace = new_trace()
    context.traceparent.set(trace)
    messages = [on_the_bus(row) for row in rows_of_accounts(5)]
    waits = {"gather_seconds": PATIENT_SECONDS, "quiet_seconds": PATIENT_SECONDS}
    records, inbox = await recorded_two_together(auditing, messages, **waits)
    third = asyncio.create_task(inbox.handle(messages[3]))
    await wait_for(lambda: auditing.ctx.ingest._waiting, what="the row that waits for another")
    await asyncio.gather(third, inbox.handle(messages[4]))
    assert records.sizes == [1, 2, 2]
    made = [str(one) for one in ROUND_TRIPS.of[trace]]
    assert (made.count("insert inbox"), made.count("commitTransaction")) == (3, 3)


@pytest.mark.parametrize("short", ["gather_seconds", "quiet_seconds"])
async def test_a_row_that_no_other_follows_is_recorded_all_the_same(auditing, short):
    waits = {"gather_seconds": PATIENT_SECONDS, "quiet_seconds": PATIENT_SECONDS, short: 0.01}
    messages = [on_the_bus(row) for row in rows_of_accounts(4)]
    records, inbox = await recorded_two_together(auditing, messages, **waits)
    handled = asyncio.create_task(inbox.handle(messages[3]))
    await wait_for(lambda: records.sizes == [1, 2, 1], what="the single row")
    await handled


async def test_rows_that_follow_each_other_wait_for_no_others(auditing):
    records = CountingStore(auditing.database)
    auditing.use_store(records, gather_seconds=PATIENT_SECONDS)
    taken = asyncio.create_task(auditing.take(*rows_of_accounts(3)))
    await wait_for(lambda: records.sizes == [1, 1, 1], what="the rows, one by one")
    await taken


class RecordsThatRefuseOne(Store):
    """Records that cannot store the record with this id."""

    def __init__(self, database, refused_id):
        super().__init__(database)
        self.refused_id = refused_id

    async def add(self, records, session):
        if any(record.id == self.refused_id for record in records):
            raise LookupError("cannot be stored")
        await super().add(records, session)


async def test_a_row_that_cannot_be_stored_fails_alone(auditing):
    """The error goes to this row's delivery, not to that of the row that held the lock."""
    rows = rows_of_accounts(8)
    auditing.use_store(RecordsThatRefuseOne(auditing.database, rows[3].id))
    inbox = auditing.inbox
    results = await asyncio.gather(
        *(inbox.apply(signed(row), Channel.BUS) for row in rows), return_exceptions=True
    )

    assert [type(result) for result in results] == [NoneType] * 3 + [LookupError] + [NoneType] * 4
    assert len(await auditing.all("records")) == 7
    assert len(await auditing.all("inbox")) == 7


async def test_a_double_among_the_waiting_rows_does_not_delay_the_others(auditing):
    rows = rows_of_accounts(8)
    await auditing.take(rows[3])
    inbox = auditing.inbox
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows))
    assert len(await auditing.all("records")) == 8
    assert len(await auditing.all("inbox")) == 8


async def test_an_equivocation_is_kept_and_logged_as_an_error(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    forged = row.model_copy(update={"actor": Actor(type="user", id="usr_eve")})
    await auditing.take(row)
    with caplog.at_level(logging.ERROR):
        await auditing.take(forged, forged)
    [record] = await auditing.all("records")
    assert (record["actor_id"], record["digest"]) == ("usr_ana", digest(row))
    [kept] = await auditing.all("equivocations")
    assert kept["event_id"] == row.id
    assert "usr_eve" in kept["event"]
    assert "equivocation" in caplog.text


async def test_the_same_id_at_another_position_is_an_equivocation(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    elsewhere = row.model_copy(update={"seq": row.seq + 1_000_000})
    await auditing.take(row, elsewhere)
    assert len(await auditing.all("records")) == 1
    assert [kept["event_id"] for kept in await auditing.all("equivocations")] == [row.id]
    assert len(await auditing.all("inbox")) == 2
    assert "equivocation" in caplog.text


async def test_a_row_that_arrives_again_unchanged_is_not_an_equivocation(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    await auditing.take(row, row, row)
    assert await auditing.all("equivocations") == []
    assert "equivocation" not in caplog.text


async def test_a_row_whose_record_was_erased_in_part_is_not_an_equivocation(auditing, caplog):
    row = row_of(MEMBER, account_id="acc_1")
    await auditing.take(row)
    await auditing.database["records"].update_one({"_id": row.id}, {"$set": {"digest": ""}})
    await auditing.take(row)
    assert await auditing.all("equivocations") == []
    assert "equivocation" not in caplog.text


class RecordsThatCrash(Store):
    """Records that fail after they were inserted, inside the transaction."""

    async def add(self, records, session):
        await super().add(records, session)
        raise LookupError("crashed in the transaction")


@pytest.mark.rule("T29")
async def test_record_and_receipt_are_saved_together_or_not_at_all(auditing):
    auditing.use_store(RecordsThatCrash(auditing.database))
    row = row_of(MEMBER, account_id="acc_1")
    with pytest.raises(LookupError):
        await auditing.inbox.handle(on_the_bus(row))
    assert await auditing.all("records") == []
    assert await auditing.all("inbox") == []


class RecordsThatAreAway(Store):
    """Records of a database that is away."""

    def __init__(self, database):
        super().__init__(database)
        self.sizes = []

    async def add(self, records, session):
        self.sizes.append(len(records))
        await asyncio.sleep(0.01)
        raise Unavailable


async def test_every_row_that_waited_for_a_failed_write_is_refused(auditing):
    records = RecordsThatAreAway(auditing.database)
    auditing.use_store(records)

    inbox = auditing.inbox
    results = await asyncio.gather(
        *(inbox.apply(signed(row), Channel.BUS) for row in rows_of_accounts(5)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Unavailable] * 5
    # While the database is away, rows are not tried one by one.
    assert sum(records.sizes) == 5
    assert len(records.sizes) <= 2


async def test_the_newest_name_of_a_user_is_kept_in_any_order_of_facts(auditing):
    user = {"user_id": "usr_bo", "email": "Bo@Example.com", "account_id": "acc_bo"}
    first = row_of(identity.UserVerified(**user, name="Bo"), occurred_at=NOON)
    newer = row_of(identity.UserRenamed(**user, name="Bo Li"), occurred_at=NOON.replace(hour=13))
    await auditing.take(newer, first, newer)
    [person] = await auditing.all("people")
    assert (person["name"], person["email"]) == ("Bo Li", "bo@example.com")
