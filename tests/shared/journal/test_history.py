"""The history of a journal: each object as it was after the last row that counts at a time."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.contracts.facts import Fact, Row, format_revision, shard_of
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.contracts.refusals import HistoryUnavailable
from shared.indexes import build_indexes
from shared.journal import (
    HISTORY,
    INDEXES,
    History,
    Journal,
    JournalWrite,
    ObjectName,
    begin_epoch,
)
from tests.clocks import SetClock
from tests.lengths import SEED, length
from tests.patience import PATIENT
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.journal_keys import signer

if TYPE_CHECKING:
    from shared.journal.relay import Relay
    from shared.mongo import Database, DbClient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACCOUNTS = [name for name in map("acc_{}".format, range(400)) if shard_of(name) == 7][:3]
SHARD = 7
NAMES = [ObjectName(PolicyObjectKind.PROJECT, f"prj_{number}") for number in range(4)]


class Site:
    """A journal whose clock a test sets, and its history, derived by pages of a few rows."""

    def __init__(self, client: DbClient, database: Database, relay: Relay) -> None:
        self.clock = SetClock(NOON)
        self.database = database
        self.journal = Journal(
            client,
            database,
            source="team",
            signer=signer("team"),
            relay=relay,
            clock=self.clock,
            timeouts=PATIENT,
        )
        self.history = History(database, page_rows=4)

    async def write(self, *facts: Fact) -> None:
        async def change(write: JournalWrite) -> None:
            write.record(*facts)

        account_id = facts[0].account_id or ""
        await self.journal.write(account_id, change, caller=CALLER, effective_everywhere=False)

    async def rows(self) -> list[Row]:
        return [one.row for one in await self.journal.changes(SHARD, after=0, limit=1_000)]


@pytest.fixture
async def site(client: DbClient, database: Database, relay: Relay) -> Site:
    made = Site(client, database, relay)
    await build_indexes(database, *INDEXES, *HISTORY)
    await made.journal.start()
    return made


def project(number: int, account_id: str, *, gone: bool = False) -> Fact:
    fact = project_created(number, account_id=account_id)
    if not gone:
        return fact
    ended = fact.policy_objects[0].model_copy(update={"state": None})
    return Fact(
        payload=fact.payload,
        resource=fact.resource,
        account_id=account_id,
        policy_objects=(ended,),
    )


def expected(
    rows: list[Row], account_id: str, at: datetime
) -> tuple[dict[str, PolicyObject], str | None]:
    """What the rows that count at the time say, and the revision of the account."""
    known: dict[str, PolicyObject] = {}
    since, revision = NOON, None
    for row in rows:
        since = max(since, row.occurred_at)
        if since > at:
            break
        for each in row.policy_objects:
            if each.account_id == account_id:
                known[each.id] = each
                revision = format_revision(row.position)
    return {each.id: each for each in known.values() if each.state is not None}, revision


@pytest.mark.rule("B15")
async def test_the_past_is_the_state_after_the_last_row_that_counts(site: Site) -> None:
    rng = random.Random(SEED)
    for _ in range(length("HISTORY_WRITES", short=25, soak=400)):
        site.clock.move(rng.choice([-1, 0, 1, 2]))
        account_id = rng.choice(ACCOUNTS)
        facts = [
            project(rng.randrange(len(NAMES)), account_id, gone=rng.random() < 0.3)
            for _ in range(rng.choice([1, 1, 2]))
        ]
        await site.write(*facts)
        if rng.random() < 0.2:
            await site.history.derive(SHARD)
    rows = await site.rows()
    for _ in range(length("HISTORY_QUESTIONS", short=25, soak=2_000)):
        account_id = rng.choice(ACCOUNTS)
        at = NOON + rng.randint(-2, 30) * SECOND
        past = await site.history.as_of(account_id, NAMES, at)
        found = {each.id: each for each in past.objects}
        assert (found, past.revision) == expected(rows, account_id, at), at


async def test_processes_that_derive_at_once_note_each_row_once(site: Site) -> None:
    for number in range(9):
        await site.write(project(number, ACCOUNTS[0]), project(number, ACCOUNTS[1]))
    others = [History(site.database, page_rows=size) for size in (3, 4, 5)]
    await asyncio.gather(*(each.derive(SHARD) for each in (site.history, *others)))
    assert await site.database["history"].count_documents({}) == 4 * 9
    await site.history.derive_all()
    assert await site.database["history_marks"].count_documents({}) == 1


async def test_rows_that_are_not_kept_make_a_refusal(site: Site) -> None:
    for number in range(3):
        site.clock.move(60)
        await site.write(project(number, ACCOUNTS[0]))
    assert (await site.history.as_of(ACCOUNTS[0], NAMES[:1], site.clock.now())).objects
    await site.database["journal"].delete_one({"shard": SHARD, "seq": 1})
    with pytest.raises(HistoryUnavailable) as refused:
        await site.history.as_of(ACCOUNTS[0], NAMES[:1], site.clock.now())
    assert "2026-03-01T12:02:00.000Z" in str(refused.value)
    assert (await site.history.as_of(ACCOUNTS[0], NAMES[1:2], site.clock.now())).objects


async def test_what_began_before_the_kept_rows_is_not_taken_for_missing(site: Site) -> None:
    for number in range(3):
        await site.write(project(number, ACCOUNTS[0]))
    await site.database["journal"].delete_one({"shard": SHARD, "seq": 1})
    with pytest.raises(HistoryUnavailable):
        await site.history.as_of(ACCOUNTS[0], NAMES, NOON)
    assert len((await site.history.as_of(ACCOUNTS[0], NAMES[1:3], NOON)).objects) == 2


async def test_a_restored_database_has_no_history_of_earlier_objects(site: Site) -> None:
    await site.write(project(0, ACCOUNTS[0]))
    await site.history.derive(SHARD)
    await begin_epoch(site.database, at=site.clock.now())
    await site.journal.start()
    await site.write(project(1, ACCOUNTS[0]))
    with pytest.raises(HistoryUnavailable):
        await site.history.as_of(ACCOUNTS[0], NAMES[:1], NOON)
    past = await site.history.as_of(ACCOUNTS[0], NAMES[1:2], NOON)
    assert [each.id for each in past.objects] == ["prj_1"]


async def test_a_shard_without_rows_has_an_empty_past(site: Site) -> None:
    past = await site.history.as_of(ACCOUNTS[0], NAMES, NOON)
    assert (past.objects, past.revision) == ((), None)
