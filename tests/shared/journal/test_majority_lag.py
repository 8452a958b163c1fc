"""A request that finds its change made promises nothing before a majority has the change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import BaseModel

from shared.clock import SystemClock
from shared.contracts.facts import shard_of
from shared.http.idempotency import Idempotency, IdempotencyGuard, RepeatedRequest
from shared.journal import Journal, JournalWrite
from shared.journal.repeats import Repeats
from shared.leases import Leases, MongoLeaseStore
from shared.leases.barrier import Report, lease_id
from shared.mongo import DatabaseAway, Transactions
from shared.problems import NotFound, Unavailable
from shared.timeouts import Timeouts
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.chains import report_at
from tests.support.journal_keys import signer
from tests.support.replica_set import ReplicaSet, forgotten
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Coroutine

SHARD = shard_of("acc_1")


class Quiet:
    """A relay that publishes nothing."""

    def publish_soon(self, committed: object) -> None:
        """These tests have no bus."""


class Asked(Leases):
    """Records the heads of the barriers that a write awaits; no replica holds a lease."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.awaited: list[int] = []
        self.concerned: list[frozenset[int] | None] = []
        """The shards that each awaited change is about."""

    async def follow(self, position: Any, concerned: Any = None, **when: Any) -> Any:
        self.awaited.append(position.seq)
        self.concerned.append(concerned)
        return await super().follow(position, concerned, **when)


class Removed(BaseModel):
    """The answer of a removal."""

    seq: int


class Source:
    """A source with one member in two processes; a repeat comes to the other."""

    def __init__(self) -> None:
        self.replica_set = ReplicaSet()
        self.client = self.replica_set.client()
        self.database = self.client["team"]
        clock = SystemClock()
        self.leases = Asked(MongoLeaseStore(self.client, self.database), clock=clock, ttl=3)
        self.journal, self.other = self.process(), self.process()
        self.keys = Idempotency(cast("Any", self.database), clock=clock)

    def process(
        self, transactions: Transactions | None = None, *, repeats: Repeats | None = None
    ) -> Journal:
        """A process of the source."""
        return Journal(
            self.client,
            self.database,
            source="team",
            relay=cast("Any", Quiet()),
            clock=SystemClock(),
            signer=signer("team"),
            leases=self.leases,
            transactions=transactions or Transactions(self.client, seconds=0.5),
            timeouts=Timeouts(barrier=30),
            repeats=repeats,
        )

    async def start(self) -> Source:
        await self.journal.start()
        await self.other.start()
        await self.database["members"].insert_one({"_id": "m"})
        return self

    async def repeat(self, guard: IdempotencyGuard | None = None) -> Any:
        """Repeat the removal, or meet it, at the other process."""
        return await self.remove(guard, journal=self.other)

    async def remove(
        self, guard: IdempotencyGuard | None = None, *, journal: Journal | None = None
    ) -> Any:
        """Remove the member; a repeat is refused with `NotFound`."""

        async def change(write: JournalWrite) -> int:
            members = self.database["members"]
            if await members.find_one({"_id": "m"}, session=write.session) is None:
                raise NotFound
            await members.delete_one({"_id": "m"}, session=write.session)
            seq = write.rev
            write.record(project_created(seq))
            if guard is not None:
                await guard.keep_answer(write.session, Removed(seq=seq))
            return seq

        return await (journal or self.journal).write(
            "acc_1",
            change,
            caller=CALLER,
            effective_everywhere=True,
            guard=None if guard is None else guard.take_key,
        )

    async def add(self) -> None:
        """Another change of the account."""

        async def change(write: JournalWrite) -> None:
            write.record(project_created(write.rev))

        await self.journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    def guard(self) -> IdempotencyGuard:
        return self.keys.guard(CALLER, operation="remove", key="key-1", body=None)

    async def removal_on_the_primary_only(
        self, guard: IdempotencyGuard | None = None
    ) -> asyncio.Task[Any]:
        """A removal that has committed and waits for its majority."""
        self.replica_set.holds_back = True
        before = len(self.replica_set.versions)
        first = asyncio.create_task(self.remove(guard))
        await wait_for(lambda: len(self.replica_set.versions) > before, what="the commit")
        return first


@pytest.fixture
async def source() -> Source:
    return await Source().start()


async def ended(work: Coroutine[Any, Any, Any]) -> Exception | None:
    """The exception that ends it."""
    try:
        await work
    except (NotFound, Unavailable, DatabaseAway, RepeatedRequest) as problem:
        return problem
    return None


async def undo(source: Source, first: asyncio.Task[Any]) -> None:
    """Let another primary take over, without the removal."""
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    source.replica_set.fail_over()


async def test_a_repeated_removal_is_not_answered_before_a_majority_has_it(source: Source) -> None:
    first = await source.removal_on_the_primary_only()

    assert isinstance(await ended(source.repeat()), DatabaseAway)
    assert source.leases.awaited == []

    source.replica_set.follows_on_wait = True
    assert isinstance(await ended(source.repeat()), NotFound)
    await first
    assert set(source.leases.awaited) == {1}


async def test_a_change_is_awaited_for_its_account_and_a_repeat_for_all(source: Source) -> None:
    """Of what a repeat finds made it is not known which accounts it is about."""
    await source.remove()
    assert source.leases.concerned == [frozenset({SHARD})]
    assert isinstance(await ended(source.repeat()), NotFound)
    assert source.leases.concerned == [frozenset({SHARD}), None]


async def test_a_repeat_awaits_the_barrier_at_the_head_that_it_saw(source: Source) -> None:
    await source.add()
    source.leases.awaited.clear()
    first = await source.removal_on_the_primary_only()
    source.replica_set.follows_on_wait = True

    assert isinstance(await ended(source.repeat()), NotFound)
    await first

    assert set(source.leases.awaited) == {2}


async def test_a_change_that_another_primary_undid_is_not_answered_as_made(source: Source) -> None:
    first = await source.removal_on_the_primary_only()
    repeat = asyncio.create_task(ended(source.repeat()))
    await wait_for(lambda: source.replica_set.waiting == 2, what="the repeat to wait")
    await undo(source, first)

    assert isinstance(await repeat, Unavailable)
    assert source.leases.awaited == []


class Undone(Repeats):
    """Before the head is read, another primary undoes the removal and makes another change."""

    undo: Any = None

    async def head(self, seen: Any) -> Any:
        await self.undo()
        return await super().head(seen)


async def test_another_change_in_the_undone_ones_place_is_not_taken_for_it(source: Source) -> None:
    repeats = Undone(MongoLeaseStore(source.client, source.database))
    first = await source.removal_on_the_primary_only()

    async def undo_and_add() -> None:
        await undo(source, first)
        await source.add()

    repeats.undo = undo_and_add
    process = source.process(repeats=repeats)
    process.epoch = source.journal.epoch

    assert isinstance(await ended(source.remove(journal=process)), Unavailable)
    assert (await source.journal.heads()).seqs[SHARD] == 1


async def test_a_repeat_is_not_answered_for_another_history(source: Source) -> None:
    await source.remove()
    await source.database["heads"].update_one({"_id": "epoch"}, {"$set": {"epoch": "restored"}})

    assert isinstance(await ended(source.repeat()), Unavailable)


async def test_a_repeat_that_changes_nothing_awaits_the_barrier_too(source: Source) -> None:
    async def nothing(write: JournalWrite) -> None:
        return None

    await source.add()
    await source.journal.write("acc_1", nothing, caller=CALLER, effective_everywhere=True)

    assert source.leases.awaited == [1]


async def test_a_repeat_is_not_answered_while_a_replica_lacks_the_change(source: Source) -> None:
    await source.remove()
    lease, epoch = lease_id(service="authz", slot="a", life="1"), source.journal.epoch
    await source.leases.grant(lease, report_at({}, epoch=epoch), asked=1)
    source.leases._timeouts = Timeouts(barrier=0.01)
    assert isinstance(await ended(source.repeat()), Unavailable)

    heads = await source.journal.heads()
    await source.leases.applied(
        lease, Report(epoch=epoch, applied=heads.seqs, digests=heads.digests)
    )
    source.leases._timeouts = Timeouts(barrier=30)
    assert isinstance(await ended(source.repeat()), NotFound)


async def test_a_process_with_an_old_primary_answers_no_repeat(source: Source) -> None:
    """What it reads outside the session's time is older than what its transaction saw."""
    await source.add()
    await source.remove()
    source.leases.awaited.clear()
    source.client.behind = 1

    assert isinstance(await ended(source.repeat()), DatabaseAway)
    assert source.leases.awaited == []


async def test_the_barrier_sees_each_lease_from_before_the_commit(source: Source) -> None:
    """A process that still asks an old primary would find no lease, and would not wait."""
    lease = lease_id(service="authz", slot="a", life="1")
    epoch, old = source.journal.epoch, source.replica_set.majority
    await source.leases.grant(lease, report_at({}, epoch=epoch), asked=1)
    source.client.behind = old
    removal = asyncio.create_task(source.remove())
    await wait_for(lambda: source.leases.awaited == [1], what="the barrier")
    for _ in range(100):
        await asyncio.sleep(0)
    assert not removal.done()

    source.client.behind = None
    heads = await source.journal.heads()
    await source.leases.applied(
        lease, Report(epoch=epoch, applied=heads.seqs, digests=heads.digests)
    )
    assert (await removal).effective
    [receipt] = source.replica_set.latest[1]["receipts"].values()
    assert [replica["how"] for replica in receipt["replicas"]] == ["applied"]


async def test_a_kept_answer_is_given_once_a_majority_has_it(source: Source) -> None:
    first = await source.removal_on_the_primary_only(source.guard())
    repeat = source.guard()

    assert isinstance(await ended(source.repeat(repeat)), Unavailable)
    assert source.leases.awaited == []

    source.replica_set.follows_on_wait = True
    assert isinstance(await ended(source.repeat(repeat)), RepeatedRequest)
    assert (await repeat.kept_answer(Removed)).seq == 1
    await first


async def test_a_repeat_by_its_key_awaits_the_barrier_too(source: Source) -> None:
    await source.remove(source.guard())
    source.leases.awaited.clear()

    assert isinstance(await ended(source.repeat(source.guard())), RepeatedRequest)
    assert source.leases.awaited == [1]


async def test_a_repeat_of_an_undone_request_has_the_effect_itself(source: Source) -> None:
    first = await source.removal_on_the_primary_only(source.guard())
    repeat = asyncio.create_task(source.repeat(source.guard()))
    await wait_for(lambda: source.replica_set.waiting == 2, what="the repeat to wait")
    await undo(source, first)

    assert (await repeat).revision is not None
    assert source.leases.awaited == [1]


class NoAnswer(Transactions):
    """Every commit takes effect at the primary, and no answer comes in the transaction's time."""

    replica_set: ReplicaSet

    async def commit(self, session: Any) -> None:
        before = len(self.replica_set.versions)
        commit = asyncio.create_task(super().commit(session))
        await wait_for(lambda: len(self.replica_set.versions) > before, what="the commit")
        commit.cancel()
        self.replica_set.follows_on_wait = True
        raise forgotten()


async def test_the_look_up_of_an_unanswered_commit_waits_for_a_majority(source: Source) -> None:
    transactions = NoAnswer(source.client, seconds=0.0)
    transactions.replica_set = source.replica_set
    source.replica_set.holds_back = True

    process = source.process(transactions)
    process.epoch = source.journal.epoch

    done = await source.remove(journal=process)

    assert done.revision is not None
    assert source.leases.awaited == [1]
