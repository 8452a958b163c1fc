"""Leases: grants, and what a writer waits for."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import context
from shared.contracts.facts import Position
from shared.following.journal_view import JournalView
from shared.following.lease_grants import LeaseGrant
from shared.leases import Leases, LifeEnded, Receipt
from shared.leases.barrier import Barrier, How, LeaseId
from shared.mongo import DatabaseAway
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore
from tests.support.chains import digest_at, digests_at, report_at, report_of
from tests.support.metrics import value_of
from tests.waiting import wait_for

numbers = itertools.count(1)
CHANGE = Position("team", "e1", 3, 7)


class Nothing:
    """A state that keeps nothing."""

    def clear(self):
        """Nothing to drop."""

    def put(self, policy_objects):
        """Nothing to keep."""


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def store():
    return MemoryLeaseStore("e1", {3: 7})


@pytest.fixture
async def leases(store, clock):
    made = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    yield made
    await made.close()


async def lease(leases, name="authz/a/1", *, applied=0):
    return await leases.grant(name, report_at({3: applied}), asked=next(numbers))


async def report(leases, name="authz/a/1", *, applied=7):
    await leases.applied(name, report_at({3: applied}))


def barrier(leases, clock, position=CHANGE):
    digest = digest_at(position.shard, position.seq)
    return asyncio.create_task(
        leases.barrier(position, digest=digest, committed_at=clock.boottime())
    )


async def looked(store, times=1):
    """Return when a barrier that waits has looked at the rows that many more times."""
    before = store.looks
    await wait_for(lambda: store.looks >= before + times)


async def test_a_lease_holds_the_heads_and_the_ttl(leases, store):
    granted = await lease(leases)
    assert (granted.epoch, granted.heads, granted.ttl) == ("e1", {3: 7}, 3)
    assert store.table["authz/a/1"].applied == {3: 0}


async def test_a_change_waits_for_a_grant_from_before_the_ttl_was_lowered(store, clock):
    """The replica asked again, and neither heard the answer nor of the change."""
    before, lowered = (Leases(store, clock=clock, ttl=ttl, timeouts=PATIENT) for ttl in (30, 3))
    view = JournalView(Nothing())
    view.load(epoch="e1", heads={3: 6}, digests=digests_at({3: 6}), policy_objects=[])

    async def ask(leases):
        asked = view.ask(clock.boottime())
        given = await leases.grant(
            "authz/a/1", report_of(asked), asked=asked.number, held=asked.held
        )
        return asked, LeaseGrant(
            epoch=given.epoch, heads=given.heads, digests=given.digests, ttl=given.ttl
        )

    store.journal_heads = {3: 6}
    view.granted(*await ask(before))
    clock.move(10)
    await ask(lowered)
    change, committed = Barrier("e1", 3, 7, digest_at(3, 7)), clock.boottime()
    change.start(store.table.values(), 0.0)
    while not change.done:
        assert clock.boottime() < committed + 30, "it waits for longer than any grant lasts"
        clock.move(0.1)
        change.expire(clock.boottime() - committed)
    assert not view.holds(clock.boottime())
    assert clock.boottime() > committed + 15, "the ttl that was lowered to was long over"


async def test_the_row_is_written_before_the_heads_are_read(store, clock):
    order = []

    class Watched(MemoryLeaseStore):
        async def put(self, row, session):
            order.append("row begun")
            await asyncio.sleep(0)
            await super().put(row, session)
            order.append("row written")

        async def heads(self, session):
            order.append("heads")
            return await super().heads(session)

    await lease(Leases(Watched(), clock=clock, ttl=3, timeouts=PATIENT))
    assert order == ["row begun", "row written", "heads"]


async def test_each_renewal_has_its_own_number(leases, store):
    await lease(leases)
    first = store.table["authz/a/1"].renewal
    await lease(leases)
    assert store.table["authz/a/1"].renewal != first


async def test_a_life_that_gave_its_lease_back_is_refused_at_every_process(leases, store, clock):
    await lease(leases)
    await leases.end("authz/a/1")
    for process in (leases, Leases(store, clock=clock, ttl=3, timeouts=PATIENT)):
        with pytest.raises(LifeEnded):
            await lease(process)
    assert (await barrier(leases, clock)).replicas == ()


async def test_a_late_request_does_not_put_a_returned_lease_back(clock):
    """A replica that gets SIGTERM may have a request on its way."""

    class LateStore(MemoryLeaseStore):
        inside, goes_on = asyncio.Event(), asyncio.Event()

        async def put(self, row, session):
            self.inside.set()
            await self.goes_on.wait()
            await super().put(row, session)

    store = LateStore("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    renewal = asyncio.create_task(lease(leases))
    await store.inside.wait()
    await leases.end(LeaseId("authz/a/1"))
    store.goes_on.set()
    with pytest.raises(LifeEnded):
        await renewal
    async with asyncio.timeout(30):
        receipt = await barrier(leases, clock)
    assert receipt.effective
    assert receipt.replicas == ()
    await leases.close()


async def test_a_writer_waits_until_each_replica_has_reported_here(leases, store, clock):
    await lease(leases, "authz/a/1")
    await lease(leases, "authz/b/1")
    waiting = barrier(leases, clock)
    await report(leases, "authz/a/1")
    await wait_for(lambda: store.table["authz/a/1"].applied == {3: 7})
    assert not waiting.done()
    await report(leases, "authz/b/1")
    receipt = await waiting
    assert receipt.effective
    assert {settled.replica: settled.how for settled in receipt.replicas} == {
        "authz/a": How.APPLIED,
        "authz/b": How.APPLIED,
    }
    await wait_for(lambda: store.receipts.get("team.e1.3.7") == receipt, what="the receipt")


async def test_a_report_from_before_the_barrier_counts(leases, clock, store):
    await lease(leases)
    await report(leases)
    store.table["authz/a/1"] = replace(store.table["authz/a/1"], applied={})
    assert (await barrier(leases, clock)).effective


async def test_a_report_to_another_process_is_found_in_the_row(leases, store, clock):
    await lease(leases)
    other = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    waiting = barrier(leases, clock)
    await report(other)
    assert (await waiting).effective


async def test_a_silent_replica_is_waited_for_as_long_as_its_lease_may_hold(leases, store, clock):
    await lease(leases)
    context.service.set("waited-for")
    waiting = barrier(leases, clock)
    await looked(store)
    clock.move(3.1)
    await report(leases, "authz/unknown/1")
    await looked(store, times=2)
    assert not waiting.done()
    clock.move(0.1)
    receipt = await waiting
    assert [settled.how for settled in receipt.replicas] == [How.LAPSED]
    assert value_of("rolecall_barrier_seconds_sum", service="waited-for") == pytest.approx(3.2)
    await wait_for(lambda: store.table == {})


async def test_the_row_of_a_replica_that_still_renews_stays(leases, store, clock):
    await lease(leases)
    waiting = barrier(leases, clock)
    await looked(store)
    await lease(leases, applied=6)
    clock.move(3.2)
    assert (await waiting).effective
    assert "authz/a/1" in store.table


async def test_a_lease_that_is_given_back_is_not_waited_for(leases, store, clock):
    await lease(leases)
    waiting = barrier(leases, clock)
    await looked(store)
    await leases.end("authz/a/1")
    receipt = await waiting
    assert [settled.how for settled in receipt.replicas] == [How.ENDED]


async def test_the_barrier_gives_up_in_time_and_the_waiting_goes_on(store, clock):
    assert DEFAULT_TIMEOUTS.barrier == 2.0
    leases = Leases(store, clock=clock, ttl=3, timeouts=replace(PATIENT, barrier=0.02))
    await lease(leases)
    first = await barrier(leases, clock)
    assert not first.effective
    waited = await leases.receipt("team.e1.3.7", occurred_at=clock.now())
    assert waited
    assert not waited.effective
    await report(leases)
    await wait_for(lambda: "team.e1.3.7" in store.receipts)
    settled = await leases.receipt("team.e1.3.7", occurred_at=clock.now())
    assert settled
    assert settled.effective


async def test_a_receipt_is_forgotten_after_thirty_days_and_never_made_again(leases, store, clock):
    made, then = await barrier(leases, clock), clock.now()
    assert await leases.receipt("team.e1.3.7", occurred_at=then) == made
    clock.move(timedelta(days=30).total_seconds())
    assert await leases.receipt("team.e1.3.7", occurred_at=then) is None


@pytest.mark.parametrize("revision", ["team.e1.3.8", "team.e0.3.7", "team.e1.4.1", "nonsense"])
async def test_what_is_not_in_the_journal_has_no_receipt(leases, clock, revision):
    assert await leases.receipt(revision, occurred_at=clock.now()) is None


async def test_a_receipt_waits_for_a_change_whose_writer_crashed(leases, store, clock):
    await lease(leases)
    asked = asyncio.create_task(leases.receipt("team.e1.3.7", occurred_at=clock.now()))
    await looked(store)
    await report(leases)
    assert (await asked).effective


class SlowReceipts(MemoryLeaseStore):
    """Stores a receipt when the test lets it, or never."""

    def __init__(self, *of):
        super().__init__(*of)
        self.goes_on = asyncio.Event()
        self.away = False

    async def save(self, receipt):
        await self.goes_on.wait()
        if self.away:
            raise DatabaseAway("gone")
        await super().save(receipt)


async def test_a_write_does_not_wait_until_its_receipt_is_stored(clock):
    store = SlowReceipts("e1", {3: 7})
    here, there = (Leases(store, clock=clock, ttl=3, timeouts=PATIENT) for _ in range(2))
    async with asyncio.timeout(30):
        made = await barrier(here, clock)
    assert made.effective
    assert not store.receipts
    clock.move(1)
    assert await here.receipt("team.e1.3.7", occurred_at=clock.now()) == made
    # Another process cannot know it, and waits for the change itself.
    other = await there.receipt("team.e1.3.7", occurred_at=clock.now())
    assert other is not None
    assert other.effective_at > made.effective_at
    store.goes_on.set()
    await here.close()
    await there.close()
    assert await there.receipt("team.e1.3.7", occurred_at=clock.now()) == made


async def test_a_receipt_that_is_stored_during_the_read_is_given(clock):
    class StoredMeanwhile(SlowReceipts):
        async def receipt(self, revision, now):
            found = await super().receipt(revision, now)
            self.goes_on.set()
            await wait_for(lambda: self.receipts, what="the receipt to be stored")
            return found

    store = StoredMeanwhile("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    made = await barrier(leases, clock)
    clock.move(1)
    assert await leases.receipt("team.e1.3.7", occurred_at=clock.now()) == made
    await leases.close()


async def test_the_end_of_a_process_waits_until_its_receipts_are_stored(clock):
    store = SlowReceipts("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    made = await barrier(leases, clock)
    closing = asyncio.create_task(leases.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    store.goes_on.set()
    await closing
    assert store.receipts == {"team.e1.3.7": made}


async def test_a_lost_receipt_is_made_anew_and_claims_nothing_earlier(clock):
    store = SlowReceipts("e1", {3: 7})
    store.away = True
    store.goes_on.set()
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    await lease(leases, applied=7)
    committed = clock.now()
    await barrier(leases, clock)
    await leases.close()
    store.away = False
    clock.move(60)
    await lease(leases, applied=7)
    after = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    anew = await after.receipt("team.e1.3.7", occurred_at=committed)
    assert anew is not None
    assert anew.effective_at == committed + timedelta(seconds=60)
    assert [settled.at_ms for settled in anew.replicas] == [60_000]
    await after.close()


async def test_a_lost_receipt_is_not_made_while_a_replica_lacks_the_change(store, clock):
    leases = Leases(store, clock=clock, ttl=3, timeouts=replace(DEFAULT_TIMEOUTS, barrier=0.02))
    await lease(leases, applied=6)
    early = await leases.receipt("team.e1.3.7", occurred_at=clock.now())
    assert early == Receipt(revision="team.e1.3.7")
    await report(leases)
    await wait_for(lambda: "team.e1.3.7" in store.receipts, what="the receipt")
    await leases.close()


async def test_a_receipt_stored_during_a_lookup_is_the_only_one(clock):
    looking, ended = asyncio.Event(), asyncio.Event()

    class Slow(MemoryLeaseStore):
        async def receipt(self, revision, now):
            found = await super().receipt(revision, now)
            if not ended.is_set():
                looking.set()
                await ended.wait()
            return found

    store = Slow("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    await lease(leases)
    waiting = barrier(leases, clock)
    await looked(store)
    asked = asyncio.create_task(leases.receipt("team.e1.3.7", occurred_at=clock.now()))
    await looking.wait()
    await report(leases)
    first = await waiting
    ended.set()
    clock.move(1)
    assert await asked == Receipt(revision="team.e1.3.7")
    assert await leases.receipt("team.e1.3.7", occurred_at=clock.now()) == first


async def test_while_the_database_is_away_the_writer_waits_and_does_not_fail(clock):
    class Away(MemoryLeaseStore):
        away = True

        @asynccontextmanager
        async def session(self, after=None):
            if self.away:
                self.looks += 1
                raise DatabaseAway("gone")
            yield None

    store = Away("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    waiting = barrier(leases, clock)
    await looked(store, times=2)
    assert not waiting.done()
    store.away = False
    assert (await waiting).effective


async def test_a_failed_wait_keeps_the_write_and_can_be_repeated(clock, caplog):
    class Faulty(MemoryLeaseStore):
        faulty = True

        async def rows(self, session):
            if self.faulty:
                raise LookupError("a bug")
            return await super().rows(session)

    store = Faulty("e1", {3: 7})
    leases = Leases(store, clock=clock, ttl=3, timeouts=PATIENT)
    assert not (await barrier(leases, clock)).effective
    assert "waiting for team.e1.3.7 failed: a bug" in caplog.text
    store.faulty = False
    receipt = await leases.receipt("team.e1.3.7", occurred_at=clock.now())
    assert receipt is not None
    assert receipt.effective
