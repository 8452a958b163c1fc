"""A source whose database was restored, and a consumer that was ahead of the backup."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deploy.after_restore import KEPT, begin_epoch, postpone_deletions
from tests.shared.inbox.conftest import journal_in
from tests.shared.journal.conftest import CALLER, project_created

if TYPE_CHECKING:
    from shared.journal import Journal, JournalWrite
    from shared.mongo import DbClient
    from tests.shared.inbox.conftest import Effects, JournalCalls, MakeInbox


async def record(journal: Journal, *numbers: int) -> None:
    for number in numbers:

        async def change(write: JournalWrite, number: int = number) -> None:
            write.record(project_created(number))

        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)


async def test_a_restored_source_begins_an_epoch_that_its_consumers_follow(
    make_inbox: MakeInbox,
    journal: Journal,
    calls: JournalCalls,
    effects: Effects,
    client: DbClient,
    database_name: str,
) -> None:
    inbox = make_inbox()
    await record(journal, 0, 1, 2)
    await inbox.reconcile("team")
    database = client[f"{database_name}_source"]
    await database["members"].insert_one({"_id": "acc_1/usr_1", "rev": 3})

    assert await begin_epoch(database) == 3

    restored = await journal_in(client, database.name)
    assert restored.epoch != journal.epoch
    assert (await restored.heads()).seqs == {}
    calls.journal = restored
    await record(restored, 7)
    await inbox.reconcile("team")
    assert "Project 7" in await effects.saw()
    assert inbox.complete_until is not None
    assert await database[KEPT].count_documents({}) == 3
    [member] = await database["members"].find({}).to_list(2)
    assert member["rev"] == 0, "a later row is taken by a follower"


async def test_the_command_may_be_repeated(
    journal: Journal, client: DbClient, mongo_url: str, database_name: str
) -> None:
    await record(journal, 0, 1, 2)
    name = f"{database_name}_source"
    command = [sys.executable, "-m", "deploy.after_restore", mongo_url]
    for rows in (3, 0):
        running = await asyncio.create_subprocess_exec(
            *command, name, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await running.communicate()
        assert (running.returncode, f"{rows} rows are kept" in printed.decode()) == (0, True)
    assert await client[name][KEPT].count_documents({}) == 3
    wrong = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, usage = await wrong.communicate()
    assert (wrong.returncode, "usage" in usage.decode()) == (2, True)


async def test_deleted_accounts_can_be_restored_again_after_a_restore(
    client: DbClient, database_name: str
) -> None:
    accounts = client[database_name]["accounts"]
    over = datetime(2026, 1, 1, tzinfo=UTC)
    stored = {"acc_0": over, "acc_1": over + timedelta(days=9), "acc_2": None}
    await accounts.insert_many([{"_id": key, "deletes_at": at} for key, at in stored.items()])
    await accounts.insert_one({"_id": "acc_3", "deletes_at": over, "purging": True})

    until = over + timedelta(days=90)
    assert await postpone_deletions(client[database_name], until) == 2

    found = {row["_id"]: row["deletes_at"] async for row in accounts.find({})}
    assert found == {"acc_0": until, "acc_1": until, "acc_2": None, "acc_3": over}
