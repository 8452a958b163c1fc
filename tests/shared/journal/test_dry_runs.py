"""Dry runs: a change runs as it would, up to its commit, and leaves nothing behind."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared import context
from shared.contracts.facts import shard_of
from shared.http.idempotency import Idempotency
from shared.journal import DryRun, Journal, JournalWrite
from shared.mongo import Database, DbSession, update_expected
from shared.problems import NotFound, Refusal
from shared.quotas import Quota
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.shared.journal.conftest import CALLER, MakeJournal, project_created

NOW = datetime(2100, 3, 1, 12, tzinfo=UTC)


async def count(database: Database, name: str) -> int:
    return await database[name].count_documents({})


async def test_a_dry_run_sees_its_change_and_saves_nothing(
    journal: Journal, database: Database
) -> None:
    async def look(session: DbSession) -> list[int]:
        return [row["_id"] async for row in database["projects"].find({}, session=session)]

    async def change(write: JournalWrite) -> int:
        await database["projects"].insert_one({"_id": 7}, session=write.session)
        write.record(project_created(7))
        return write.rev

    dry = DryRun(journal, look=look)
    written = await dry.write("acc_1", change, caller=CALLER, effective_everywhere=True)

    assert (written.result, written.revision, written.effective) == (2, None, True)
    assert (dry.before, dry.after) == ([], [7])
    assert [fact.resource.id for fact in dry.facts] == ["prj_7"]
    assert await count(database, "projects") == 0
    assert await count(database, "journal") == 0
    assert (await journal.heads()).seqs == {}


async def test_a_dry_run_counts_records_and_keeps_nothing(
    journal: Journal, database: Database
) -> None:
    guard = Idempotency(database, clock=SetClock(NOW)).guard(
        CALLER, operation="createProject", key="one-key", body=None, path="acc_1"
    )
    quota = Quota(name="invitations", limit=5, remaining=4, reset_seconds=9)
    context.quotas.set(())

    async def change(write: JournalWrite) -> None:
        context.quotas.set((quota,))

    dry = DryRun(journal, look=nothing)
    await dry.write(
        "acc_1", change, caller=CALLER, effective_everywhere=False, guard=guard.take_key
    )
    await dry.refused("acc_1", project_created(1), caller=CALLER)

    assert context.quotas.get() == ()
    assert await count(database, "idempotency") == 0
    assert await count(database, "journal") == 0


async def nothing(session: DbSession) -> None:
    return None


async def test_a_dry_run_is_refused_as_the_real_change(journal: Journal) -> None:
    async def change(write: JournalWrite) -> None:
        raise NotFound

    def ended() -> None:
        raise SessionOver

    async def fine(write: JournalWrite) -> None:
        return None

    dry = DryRun(journal, look=nothing)
    with pytest.raises(NotFound):
        await dry.write("acc_1", change, caller=CALLER, effective_everywhere=True)
    with pytest.raises(SessionOver):
        await dry.write(
            "acc_1", fine, caller=CALLER, effective_everywhere=True, before_commit=ended
        )


class SessionOver(Refusal):
    """What ends a request whose session has ended meanwhile."""

    kind = NotFound.kind
    code = "session-over"
    detail = "The session is over."


async def test_a_dry_run_that_loses_a_race_shows_its_last_attempt(
    journal: Journal, database: Database
) -> None:
    """Another process changes the row after the first attempt has read it."""
    rows = database["counters"]
    await rows.insert_one({"_id": 1, "value": 0})
    attempts = 0

    async def look(session: DbSession) -> int:
        found = await rows.find_one({"_id": 1}, session=session)
        return 0 if found is None else int(found["value"])

    async def change(write: JournalWrite) -> None:
        nonlocal attempts
        attempts += 1
        value = await look(write.session)
        if attempts == 1:
            await rows.update_one({"_id": 1}, {"$set": {"value": 10}})
        write.record(project_created(value))
        await update_expected(
            rows, {"_id": 1, "value": value}, {"$set": {"value": value + 1}}, write.session
        )

    dry = DryRun(journal, look=look)
    await dry.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    assert attempts > 1
    assert (dry.before, dry.after) == (10, 11)
    assert [fact.resource.id for fact in dry.facts] == ["prj_10"]
    assert await rows.find_one({"_id": 1}) == {"_id": 1, "value": 10}


async def test_dry_runs_and_writes_of_one_account_take_turns(
    journal: Journal, database: Database
) -> None:
    async def change(write: JournalWrite) -> int:
        await database["projects"].update_one(
            {"_id": 1}, {"$inc": {"value": 1}}, upsert=True, session=write.session
        )
        write.record(project_created(1))
        return write.rev

    async def tried(number: int) -> None:
        writer = DryRun(journal, look=nothing) if number % 2 else journal
        await writer.write("acc_1", change, caller=CALLER, effective_everywhere=False)

    await asyncio.gather(*(tried(number) for number in range(8)))

    assert await database["projects"].find_one({"_id": 1}) == {"_id": 1, "value": 4}
    assert await count(database, "journal") == 4


async def test_a_dry_run_holds_up_no_other_account(make_journal: MakeJournal) -> None:
    journal = await make_journal(timeouts=replace(PATIENT, shard_turn=0.2))
    others = (f"acc_{number}" for number in range(2, 10_000))
    other = next(key for key in others if shard_of(key) == shard_of("acc_1"))

    async def change(write: JournalWrite) -> None:
        write.record(project_created(1))

    async def long(write: JournalWrite) -> None:
        await journal.write(other, change, caller=CALLER, effective_everywhere=False)

    dry = DryRun(journal, look=nothing)
    await dry.write("acc_1", long, caller=CALLER, effective_everywhere=False)

    assert (await journal.heads()).seqs == {shard_of(other): 1}


async def test_a_dry_run_gives_way_to_a_writer_of_its_account(
    journal: Journal, database: Database
) -> None:
    writers: list[asyncio.Task[object]] = []
    bases = []

    async def change(write: JournalWrite) -> None:
        await database["projects"].update_one(
            {"_id": 1}, {"$inc": {"value": 1}}, upsert=True, session=write.session
        )
        write.record(project_created(1))

    async def long(write: JournalWrite) -> None:
        bases.append(write.base)
        await change(write)
        if not writers:
            writing = journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)
            writers.append(asyncio.create_task(writing))
            await asyncio.sleep(0)
            assert write.is_wanted()
        write.give_way()

    dry = DryRun(journal, look=nothing)
    await dry.write("acc_1", long, caller=CALLER, effective_everywhere=False)
    await asyncio.gather(*writers)

    assert bases == [0, 1]
    assert await database["projects"].find_one({"_id": 1}) == {"_id": 1, "value": 1}
