"""The journal: state and facts are saved together, gapless and exactly once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared import context
from shared.clock import SystemClock
from shared.contracts.facts import SHARDS, parse_revision, shard_of
from shared.journal import Journal, JournalWrite
from shared.journal.relay import Relay
from shared.mongo import (
    AlreadyThere,
    Database,
    DbClient,
    DbSession,
    Transactions,
    insert_once,
)
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.shared.journal.conftest import CALLER, MakeJournal, project_created
from tests.support.commands import Commands
from tests.support.journal_keys import signer
from tests.support.journals import journal_of
from tests.support.replica_set import forgotten
from tests.support.round_trips import ROUND_TRIPS, new_trace

SHARD = shard_of("acc_1")


def creating(database: Database, number: int) -> Callable[[JournalWrite], Awaitable[int]]:
    async def change(write: JournalWrite) -> int:
        await database["projects"].insert_one(
            {"_id": number, "rev": write.rev}, session=write.session
        )
        write.record(project_created(number))
        return number

    return change


async def seqs(journal: Journal) -> list[int]:
    return [signed.row.seq for signed in await journal.changes(SHARD, after=0, limit=1000)]


async def test_a_write_saves_state_and_row_and_names_its_revision(
    journal: Journal, database: Database
) -> None:
    written = await journal.write(
        "acc_1", creating(database, 7), caller=CALLER, effective_everywhere=False
    )

    [signed] = await journal.changes(SHARD, after=0, limit=10)
    row = signed.row
    state = await database["projects"].find_one({"_id": 7})
    assert written.result == 7
    assert parse_revision(written.revision or "") == row.position
    assert row.position == ("team", journal.epoch, SHARD, 1)
    assert state == {"_id": 7, "rev": 1}
    assert (row.actor, row.request) == (CALLER.actor, CALLER.request)
    assert [policy_object.rev for policy_object in row.policy_objects] == [1]
    assert row.action == "project.created"
    heads = await journal.heads()
    assert heads[:3] == (journal.epoch, {SHARD: 1}, {SHARD: signed.digest})
    assert not heads.trimmed


async def test_a_write_takes_its_places_before_it_saves_its_rows(
    journal: Journal, database: Database
) -> None:
    """Of two writes of the same places one is lost and tried again; its rows would be doubles."""
    trace = new_trace()
    context.traceparent.set(trace)
    await journal.write("acc_1", creating(database, 1), caller=CALLER, effective_everywhere=False)
    sent = [str(made) for made in ROUND_TRIPS.of[trace]]
    assert sent.index("update heads") < sent.index("insert journal")


async def test_the_facts_of_one_change_carry_its_id_and_their_part(
    journal: Journal,
) -> None:
    async def change(write: JournalWrite) -> None:
        write.record(project_created(1), project_created(2))
        write.record(project_created(3))

    await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    page = await journal.changes(SHARD, after=0, limit=10)
    rows = [signed.row for signed in page]
    assert [(row.part, row.parts) for row in rows] == [(1, 3), (2, 3), (3, 3)]
    assert len({row.change_id for row in rows}) == 1
    assert [row.policy_objects[0].rev for row in rows] == [1, 2, 3]


async def test_work_that_fails_leaves_neither_state_nor_row(
    journal: Journal, database: Database
) -> None:
    async def change(write: JournalWrite) -> None:
        await creating(database, 1)(write)
        raise LookupError("the domain refused")

    with pytest.raises(LookupError):
        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    assert await database["projects"].find_one({"_id": 1}) is None
    assert await seqs(journal) == []


async def test_a_write_without_facts_has_no_revision(journal: Journal) -> None:
    async def change(write: JournalWrite) -> str:
        return "as it was"

    written = await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    assert (written.result, written.revision, written.effective) == ("as it was", None, True)


async def test_two_processes_with_eight_writers_make_one_gapless_sequence(
    journal: Journal, client: DbClient, database: Database, relay: Relay
) -> None:
    other = Journal(
        client, database, source="team", signer=signer("team"), relay=relay, clock=SystemClock()
    )
    await other.start()

    await asyncio.gather(
        *(
            (journal if number % 2 else other).write(
                "acc_1", creating(database, number), caller=CALLER, effective_everywhere=False
            )
            for number in range(24)
        )
    )

    assert other.epoch == journal.epoch
    assert await seqs(journal) == list(range(1, 25))
    assert {row["rev"] async for row in database["projects"].find({})} == set(range(1, 25))


async def test_a_write_whose_turn_does_not_come_has_no_effect(
    make_journal: MakeJournal, database: Database
) -> None:
    journal = await make_journal(timeouts=replace(PATIENT, shard_turn=0.01))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(write: JournalWrite) -> int:
        begun.set()
        await go_on.wait()
        return await creating(database, 1)(write)

    first = asyncio.create_task(
        journal.write("acc_1", slow, caller=CALLER, effective_everywhere=False)
    )
    await begun.wait()
    try:
        with pytest.raises(Unavailable):
            async with asyncio.timeout(30):
                await journal.write(
                    "acc_1", creating(database, 2), caller=CALLER, effective_everywhere=False
                )
    finally:
        go_on.set()
    await first

    await journal.write("acc_1", creating(database, 3), caller=CALLER, effective_everywhere=False)
    assert {row["_id"] async for row in database["projects"].find({})} == {1, 3}


async def test_a_guard_that_finds_its_key_taken_ends_the_write(
    journal: Journal, database: Database
) -> None:
    async def guard(session: DbSession) -> None:
        await insert_once(database["keys"], {"_id": "key"}, session)

    await journal.write(
        "acc_1", creating(database, 1), caller=CALLER, effective_everywhere=False, guard=guard
    )
    with pytest.raises(AlreadyThere):
        await journal.write(
            "acc_1", creating(database, 2), caller=CALLER, effective_everywhere=False, guard=guard
        )

    assert await seqs(journal) == [1]


async def test_a_first_start_inserts_the_epoch_and_all_heads_in_one_call(
    mongo_url: str, database_name: str
) -> None:
    commands = Commands()
    client: DbClient = AsyncIOMotorClient(mongo_url, event_listeners=[commands])
    starting = [journal_of(client, database_name) for _ in range(3)]

    await starting[0].start()
    assert [next(iter(sent)) for sent in commands.sent] == ["find", "insert", "find"]
    await asyncio.gather(*(journal.start() for journal in starting))
    client.close()

    assert len([sent for sent in commands.sent if "insert" in sent]) == 1
    assert len({journal.epoch for journal in starting}) == 1


async def test_of_processes_that_start_at_once_all_have_one_epoch(
    client: DbClient, database: Database
) -> None:
    starting = [journal_of(client, database.name) for _ in range(8)]
    await asyncio.gather(*(journal.start() for journal in starting))

    heads = [head["_id"] async for head in database["heads"].find({})]
    assert sorted(heads, key=str) == sorted(["epoch", *range(SHARDS)], key=str)
    assert len({journal.epoch for journal in starting}) == 1


class LosesFirstAnswer(Transactions):
    """The first commit takes effect, its answer is lost, and the server forgets it."""

    lost = False

    async def commit(self, session: DbSession) -> None:
        await super().commit(session)
        if not self.lost:
            self.lost = True
            raise forgotten()


class CutBeforeFirstCommit(Transactions):
    """The first commit does not reach the database, which has ended the transaction."""

    cut = False

    async def commit(self, session: DbSession) -> None:
        if not self.cut:
            self.cut = True
            raise forgotten()
        await super().commit(session)


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(
    make_journal: MakeJournal, client: DbClient, database: Database
) -> None:
    transactions = LosesFirstAnswer(client)
    journal = await make_journal(transactions=transactions)
    numbers = iter((1, 2))

    async def change(write: JournalWrite) -> int:
        return await creating(database, next(numbers))(write)

    written = await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    assert transactions.lost
    assert written.result == 1
    assert await seqs(journal) == [1]


async def test_a_commit_that_did_not_happen_is_tried_again(
    make_journal: MakeJournal, client: DbClient, database: Database
) -> None:
    transactions = CutBeforeFirstCommit(client)
    journal = await make_journal(transactions=transactions)

    await journal.write("acc_1", creating(database, 1), caller=CALLER, effective_everywhere=False)

    assert transactions.cut
    assert await seqs(journal) == [1]


async def test_a_row_that_no_message_could_carry_is_refused(
    journal: Journal,
) -> None:
    fact = project_created(1)
    oversize = type(fact)(
        payload=fact.payload, resource=fact.resource, after={"name": "x" * 200_000}
    )

    async def change(write: JournalWrite) -> None:
        write.record(oversize)

    with pytest.raises(ValueError, match="has more than 131072 bytes"):
        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    assert await seqs(journal) == []


async def test_changes_come_in_order_from_after_the_asked_sequence(
    journal: Journal, database: Database
) -> None:
    for number in range(5):
        await journal.write(
            "acc_1", creating(database, number), caller=CALLER, effective_everywhere=False
        )

    page = await journal.changes(SHARD, after=1, limit=3)

    assert [signed.row.seq for signed in page] == [2, 3, 4]


async def test_a_row_is_found_by_its_whole_position(journal: Journal, database: Database) -> None:
    await journal.write("acc_1", creating(database, 1), caller=CALLER, effective_everywhere=False)
    [signed] = await journal.changes(SHARD, after=0, limit=1)
    row = signed.row
    there = row.position

    assert await journal.row(there) == row
    for elsewhere in (
        there._replace(source="identity"),
        there._replace(epoch="another"),
        there._replace(shard=(SHARD + 1) % SHARDS),
        there._replace(seq=10**30),
    ):
        assert await journal.row(elsewhere) is None


async def test_a_write_effective_everywhere_needs_leases(
    journal: Journal, database: Database
) -> None:
    with pytest.raises(RuntimeError, match="no leases"):
        await journal.write(
            "acc_1", creating(database, 1), caller=CALLER, effective_everywhere=True
        )
