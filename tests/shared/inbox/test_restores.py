"""A source whose database was restored, and consumers that were ahead of it or behind it."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deploy.after_restore import is_served, postpone_deletions
from services.identity.domain.sessions import UserSession
from services.identity.store.sessions import SessionRows, end_every_session
from shared.ids import AccountId, SessionId, UserId, new_id
from shared.inbox.progress import LAPSES, MOST_ROUNDS, SET_BACK
from shared.journal import KEPT, Restores, begin_epoch
from tests.clocks import SetClock
from tests.shared.inbox.conftest import journal_in
from tests.shared.inbox.test_inbox import SHARD
from tests.shared.journal.conftest import CALLER, project_created

if TYPE_CHECKING:
    from shared.contracts.facts import Row
    from shared.inbox import Inbox
    from shared.journal import Journal, JournalWrite
    from shared.mongo import Database, DbClient
    from tests.shared.inbox.conftest import Effects, JournalCalls, MakeInbox


RESTORED = "team.journal.restored.v1"


async def record(journal: Journal, *numbers: int) -> None:
    for number in numbers:

        async def change(write: JournalWrite, number: int = number) -> None:
            write.record(project_created(number))

        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)


class Source:
    """A source that is restored again and again."""

    def __init__(self, client: DbClient, journal: Journal, calls: JournalCalls, name: str) -> None:
        self.client = client
        self.journal = journal
        self.calls = calls
        self.database: Database = client[name]

    async def record(self, *numbers: int) -> None:
        await record(self.journal, *numbers)

    async def lose(self, *, after: int) -> None:
        """Set the database back to a moment with fewer rows."""
        await self.database["journal"].delete_many({"seq": {"$gt": after}})
        last = await self.database["journal"].find_one({"seq": after})
        assert last is not None
        (kept,) = await self.journal.changes(SHARD, after=after - 1, limit=1)
        head = {"last_seq": after, "digest": kept.digest}
        await self.database["heads"].update_one({"_id": SHARD}, {"$set": head})

    async def restore(self) -> int:
        """Begin a new epoch and start again; return how many rows are kept."""
        kept = await begin_epoch(
            self.database, at=datetime.now(UTC), operator="Zoë", explanation="A broken disk."
        )
        self.journal = self.calls.journal = await journal_in(self.client, self.database.name)
        replicas = [Restores(self.database, self.journal) for _ in range(3)]
        await asyncio.gather(*(each.start() for each in replicas))
        self.calls.restores = replicas[0]
        return kept

    async def told_rows(self) -> list[Row]:
        """The rows of the present epoch."""
        pages = [await self.journal.changes(shard, after=0, limit=9) for shard in range(64)]
        return [one.row for page in pages for one in page]

    async def told(self) -> list[dict[str, object]]:
        """What the present epoch says about restores."""
        return [
            {"by": row.actor.name, "why": row.reason, **row.data}
            for row in await self.told_rows()
            if row.type == RESTORED
        ]


@pytest.fixture
def source(client: DbClient, journal: Journal, calls: JournalCalls, database_name: str) -> Source:
    return Source(client, journal, calls, f"{database_name}_source")


def projects(*numbers: int) -> list[str]:
    return [f"Project {number}" for number in numbers]


async def test_a_restored_source_begins_an_epoch_that_its_consumers_follow(
    make_inbox: MakeInbox, source: Source, effects: Effects
) -> None:
    inbox, former = make_inbox(), source.journal.epoch
    await source.record(0, 1, 2)
    await inbox.reconcile("team")
    await source.database["members"].insert_one({"_id": "acc_1/usr_1", "rev": 3})

    assert await source.restore() == 3

    assert source.journal.epoch != former
    assert SHARD not in (await source.journal.heads()).seqs
    await source.record(7)
    await inbox.reconcile("team")
    assert await effects.saw() == projects(0, 1, 2, 7)
    assert inbox.complete_until is not None
    [member] = await source.database["members"].find({}).to_list(2)
    assert member["rev"] == 0, "a later row is taken by a follower"


async def test_a_restored_source_says_so_once_in_its_journal(source: Source) -> None:
    former = source.journal.epoch
    await source.record(0, 1)
    await source.restore()
    await Restores(source.database, source.journal).start()

    [told] = [row for row in await source.told_rows() if row.type == RESTORED]
    assert told.before == {"epoch": former}
    heads = {str(SHARD): 2}
    assert told.after == {"epoch": source.journal.epoch, "rows": 2, "heads": heads}
    assert await source.told() == [
        {
            "by": "Zoë",
            "why": "A broken disk.",
            "former_epoch": former,
            "epoch": source.journal.epoch,
            "rows": 2,
            "heads": {str(SHARD): 2},
        }
    ]


async def test_rows_that_a_consumer_lacks_of_a_restored_history_are_applied(
    make_inbox: MakeInbox, source: Source, effects: Effects
) -> None:
    await source.record(0)
    await make_inbox().reconcile("team")
    await source.record(1, 2)
    await source.restore()
    await source.record(3)

    inbox = await started(make_inbox())
    await inbox.reconcile("team")

    assert await effects.saw() == projects(0, 1, 2, 3)
    assert effects.calls == 4


async def test_a_consumer_of_an_earlier_moment_catches_up_over_two_restores(
    make_inbox: MakeInbox, source: Source, effects: Effects
) -> None:
    await source.record(0)
    await make_inbox().reconcile("team")
    for number in (1, 2):
        await source.record(number)
        assert await source.restore() == 2
    await source.record(3)

    inbox = await started(make_inbox())
    await inbox.reconcile("team")

    assert await effects.saw() == projects(0, 1, 2, 3)


async def test_a_consumer_that_was_ahead_keeps_what_it_has_and_says_so(
    make_inbox: MakeInbox, source: Source, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = make_inbox()
    await source.record(0, 1, 2)
    await inbox.reconcile("team")
    await source.lose(after=1)
    await source.restore()
    await source.record(3)

    await inbox.reconcile("team")

    assert await effects.saw() == projects(0, 1, 2, 3)
    assert effects.calls == 4
    (lost,) = [line for line in caplog.records if "It lost rows" in line.message]
    assert vars(lost)["rows"] == 2


async def test_kept_rows_that_cannot_be_had_are_an_alarm_and_hold_nothing_up(
    make_inbox: MakeInbox, source: Source, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    await source.record(0)
    await make_inbox().reconcile("team")
    await source.record(1)
    await source.restore()
    await source.record(2)
    await source.database[KEPT].delete_many({})

    inbox = await started(make_inbox())
    for _ in range(MOST_ROUNDS - 1):
        await inbox.reconcile("team")
    assert await effects.saw() == projects(0)
    await inbox.reconcile("team")

    assert await effects.saw() == projects(0, 2)
    alarms = [line.message for line in caplog.records if line.levelno == logging.ERROR]
    assert alarms == ["Rows of a restored journal cannot be had. They are not applied."]


async def test_a_fact_of_a_restored_history_that_failed_can_be_replayed(
    make_inbox: MakeInbox, source: Source, effects: Effects, client: DbClient, database_name: str
) -> None:
    inbox = make_inbox()
    await source.record(0)
    effects.fails["prj_0"] = LookupError("poison")
    for _ in range(6):
        await inbox.reconcile("team")
    (fact,) = await inbox.dead.page(after=None, limit=2)
    await source.restore()
    await inbox.reconcile("team")

    effects.fails.clear()
    own = await journal_in(client, database_name, source="audit")
    await inbox.dead.replay(fact.id, journal=own, caller=CALLER)

    assert await effects.saw() == projects(0)


async def test_a_source_that_was_set_back_without_the_command_is_an_alarm(
    make_inbox: MakeInbox, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = make_inbox()
    await source.record(0, 1, 2)
    await inbox.reconcile("team")
    await source.lose(after=1)

    for _ in range(LAPSES + 3):
        await inbox.reconcile("team")

    assert [line.message for line in caplog.records if line.message == SET_BACK] == [SET_BACK]


async def started(inbox: Inbox) -> Inbox:
    """The inbox of a process that starts anew."""
    await inbox.start()
    await inbox.stop()
    return inbox


@pytest.mark.parametrize(
    ("left", "prolonged", "served"),
    [(None, 0, False), (-5, 0, False), (9, 0, False), (9, 5, True)],
)
async def test_the_command_notices_a_service_that_still_runs(
    client: DbClient, database_name: str, left: float | None, prolonged: float, *, served: bool
) -> None:
    clock, elections = SetClock(), client[database_name]["elections"]

    async def hold(seconds: float) -> None:
        until = {"$set": {"until": clock.now() + timedelta(seconds=seconds)}}
        await elections.update_one({"_id": "sweeper"}, until, upsert=True)

    async def pause(seconds: float) -> None:
        clock.move(seconds)
        if prolonged:
            await hold(prolonged)

    if left is not None:
        await hold(left)
    assert await is_served(client[database_name], clock=clock, pause=pause) is served


async def test_the_command_may_be_repeated(
    journal: Journal, client: DbClient, mongo_url: str, database_name: str
) -> None:
    await record(journal, 0, 1, 2)
    name = f"{database_name}_source"
    command = [sys.executable, "-m", "rolecall.cli", "admin", "after-restore", "team"]
    place = ["--mongo-url", mongo_url, "--database", name]
    for rows in (3, 0):
        running = await asyncio.create_subprocess_exec(
            *command, *place, "--yes", "--as", "Zoë", stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await running.communicate()
        assert (running.returncode, f"{rows} rows are kept" in printed.decode()) == (0, True)
    assert await client[name][KEPT].count_documents({}) == 3
    former = await client[name]["former_epochs"].find_one({})
    assert former is not None
    assert (former["_id"], former["operator"]) == (journal.epoch, "Zoë")
    wrong = await asyncio.create_subprocess_exec(
        *command, *place, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await wrong.communicate()
    assert (wrong.returncode, "Pass --yes" in said.decode()) == (2, True)


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


async def test_every_session_ends_with_a_restore_and_the_next_snapshot_tells_it(
    client: DbClient, database_name: str
) -> None:
    database, now = client[database_name], datetime(2026, 1, 2, tzinfo=UTC)
    sessions, before = SessionRows(database), now - timedelta(minutes=1)
    live = UserSession(
        id=SessionId(new_id("ses")),
        user_id=UserId(new_id("usr")),
        account_id=AccountId("acc_1"),
        started_at=before,
        expires_at=now + timedelta(days=9),
    )
    earlier = replace(live, id=SessionId(new_id("ses")), ended_at=before)
    async with await client.start_session() as session:
        for each in (live, earlier):
            await sessions.insert_session(each, session)

        assert await end_every_session(database, now) == 1
        assert await end_every_session(database, now) == 0

        page = await sessions.ended_sessions(since=before, after="", limit=9, session=session)
    assert [(one.id, one.ended_at) for one in page] == [(earlier.id, before), (live.id, now)]
