"""Each row of a journal is signed and follows the one before it; old rows get both."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from shared.contracts.facts import GENESIS, shard_of
from shared.indexes import build_indexes
from shared.journal import INDEXES, JournalWrite, rows, signing_step
from shared.row_verifier import RowVerifier
from tests.clocks import SetClock
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.journal_keys import PUBLIC_KEYS, signer

if TYPE_CHECKING:
    from shared.auth.row_signatures import SignedRow
    from shared.journal import Journal
    from shared.mongo import Database
    from tests.shared.journal.conftest import MakeJournal

ACCOUNTS = ("acc_1", "acc_2")


async def record(journal: Journal, account_id: str, *numbers: int) -> None:
    async def change(write: JournalWrite) -> None:
        write.record(*(project_created(number, account_id=account_id) for number in numbers))

    await journal.write(account_id, change, caller=CALLER, effective_everywhere=False)


async def rows_of(journal: Journal, account_id: str) -> list[SignedRow]:
    return await journal.changes(shard_of(account_id), after=0, limit=500)


def assert_chain(page: list[SignedRow]) -> None:
    previous = GENESIS
    verifier = RowVerifier(PUBLIC_KEYS, clock=SetClock())
    for signed in page:
        assert verifier.message(rows.message(signed)) == signed
        assert signed.row.previous == previous
        previous = signed.digest


async def test_rows_are_a_chain_within_a_change_and_from_change_to_change(
    journal: Journal,
) -> None:
    await record(journal, "acc_1", 1, 2)
    await record(journal, "acc_1", 3)
    await record(journal, "acc_2", 4)
    page = await rows_of(journal, "acc_1")
    assert [signed.row.seq for signed in page] == [1, 2, 3]
    assert_chain(page)
    assert_chain(await rows_of(journal, "acc_2"))
    heads = await journal.heads()
    assert heads.digests[shard_of("acc_1")] == page[-1].digest


async def test_writers_at_once_make_one_chain(journal: Journal, make_journal: MakeJournal) -> None:
    other = await make_journal()
    await asyncio.gather(
        *(record((journal, other)[number % 2], "acc_1", number) for number in range(20))
    )
    page = await rows_of(journal, "acc_1")
    assert len(page) == 20
    assert_chain(page)


async def made_old(database: Database) -> dict[str, dict[str, Any]]:
    """Give the journal the form that it had before rows were signed; return its documents."""
    async for stored in database["journal"].find({}):
        event = json.loads(stored["event"])
        del event["data"]["previous"]
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        await database["journal"].update_one(
            {"_id": stored["_id"]}, {"$set": {"event": text}, "$unset": {"signature": ""}}
        )
    async for head in database["heads"].find({"last_seq": {"$exists": True}}):
        await database["heads"].update_one(
            {"_id": head["_id"]},
            {"$set": {"seq": head["last_seq"]}, "$unset": {"last_seq": "", "digest": ""}},
        )
    return {stored["_id"]: stored async for stored in database["journal"].find({})}


@pytest.fixture
async def old(journal: Journal, database: Database) -> dict[str, dict[str, Any]]:
    """Two shards of a journal of an earlier version, one of them longer than a batch."""
    for start in range(0, 450, 90):
        await record(journal, "acc_1", *range(start, start + 90))
    await record(journal, "acc_2", 1, 2)
    return await made_old(database)


async def test_old_rows_become_a_signed_chain_and_keep_their_places(
    journal: Journal, database: Database, old: dict[str, dict[str, Any]], make_journal: MakeJournal
) -> None:
    await signing_step(signer("team"))(database)
    for account_id in ACCOUNTS:
        assert_chain(await rows_of(journal, account_id))
    async for stored in database["journal"].find({}):
        before = old[stored["_id"]]
        now, then = json.loads(stored["event"]), json.loads(before["event"])
        assert now["data"].pop("previous")
        assert now == then
        assert {name for name in stored if stored[name] != before.get(name)} == {
            "event",
            "signature",
        }
    again = await make_journal()
    await record(again, "acc_1", 999)
    await record(again, "acc_3", 1)
    assert_chain(await rows_of(again, "acc_1"))
    assert (await again.heads()).seqs == {
        shard_of("acc_1"): 451,
        shard_of("acc_2"): 2,
        shard_of("acc_3"): 1,
    }


async def test_the_step_can_end_halfway_and_run_beside_itself(
    journal: Journal, database: Database, old: dict[str, dict[str, Any]]
) -> None:
    step = signing_step(signer("team"))
    await step(database)
    whole = [signed.signature for signed in await rows_of(journal, "acc_1")]
    # As a process leaves it that was killed in the middle: some rows, and no head.
    for document in sorted(old)[200:]:
        await database["journal"].replace_one({"_id": document}, old[document])
    for account_id, seq in (("acc_1", 450), ("acc_2", 2)):
        await database["heads"].update_one(
            {"_id": shard_of(account_id)},
            {"$set": {"seq": seq}, "$unset": {"last_seq": "", "digest": ""}},
        )
    await asyncio.gather(step(database), step(database))
    assert [signed.signature for signed in await rows_of(journal, "acc_1")] == whole
    for account_id in ACCOUNTS:
        assert_chain(await rows_of(journal, account_id))


async def test_a_row_written_while_the_step_runs_is_signed_too(
    journal: Journal, database: Database, old: dict[str, dict[str, Any]]
) -> None:
    """A replica of the earlier version goes on until the head has its new form."""
    shard = shard_of("acc_2")
    last = old[f"{shard:02d}.{2:012d}"]
    text = last["event"].replace('"seq":2', '"seq":3')
    late = last | {"_id": f"{shard:02d}.{3:012d}", "seq": 3, "event": text}

    await database["journal"].insert_one(late)
    step = signing_step(signer("team"))
    running = asyncio.create_task(step(database))
    await database["heads"].update_one({"_id": shard}, {"$set": {"seq": 3}})
    await running
    page = await rows_of(journal, "acc_2")
    assert [signed.row.seq for signed in page] == [1, 2, 3]
    assert_chain(page)


async def test_a_row_written_before_its_head_changes_is_signed_too(
    journal: Journal,
    database: Database,
    old: dict[str, dict[str, Any]],
) -> None:
    """A replica of the earlier version writes after the step has read the last row."""
    shard = shard_of("acc_2")
    last = old[f"{shard:02d}.{2:012d}"]
    text = last["event"].replace('"seq":2', '"seq":3')
    late = [last | {"_id": f"{shard:02d}.{3:012d}", "seq": 3, "event": text}]
    journal_rows, heads = database["journal"], database["heads"]

    class Heads:
        find_one = staticmethod(heads.find_one)

        async def update_one(self, wanted: Any, change: Any) -> Any:
            if wanted["_id"] == shard and late:
                await journal_rows.insert_one(late.pop())
                await heads.update_one({"_id": shard}, {"$set": {"seq": 3}})
            return await heads.update_one(wanted, change)

    class Overtaken:
        """The database, in which that replica is quicker than the step."""

        def get_collection(self, name: str, **options: Any) -> Any:
            return Heads() if name == "heads" else database.get_collection(name, **options)

    await signing_step(signer("team"))(cast("Database", Overtaken()))
    page = await rows_of(journal, "acc_2")
    assert [signed.row.seq for signed in page] == [1, 2, 3]
    assert_chain(page)
    assert (await journal.heads()).seqs[shard] == 3


async def test_rows_can_be_signed_anew_with_another_key(
    journal: Journal, database: Database
) -> None:
    """After the theft of a key: the events, and with them the chain, stay as they are."""
    await record(journal, "acc_2", 1, 2)
    shard = shard_of("acc_2")
    before = await rows_of(journal, "acc_2")
    await database["journal"].update_many({}, {"$unset": {"signature": ""}})
    await database["heads"].update_many(
        {"last_seq": {"$exists": True}}, {"$rename": {"last_seq": "seq"}}
    )
    await signing_step(signer("audit"))(database)
    after = await rows_of(journal, "acc_2")
    assert [signed.event for signed in after] == [signed.event for signed in before]
    assert (await journal.heads()).digests == {shard: before[-1].digest}
    assert {signed.signature for signed in after}.isdisjoint(
        {signed.signature for signed in before}
    )


async def test_a_replica_of_the_earlier_version_can_write_no_more(
    journal: Journal, database: Database, old: dict[str, dict[str, Any]]
) -> None:
    await signing_step(signer("team"))(database)
    heads = [head async for head in database["heads"].find({"_id": {"$ne": "epoch"}})]
    assert all("seq" not in head for head in heads), "that version reads and compares `seq`"


async def test_an_empty_journal_is_left_as_it_is(database: Database) -> None:
    await build_indexes(database, *INDEXES)
    await signing_step(signer("team"))(database)
    assert await database["journal"].count_documents({}) == 0
    assert await database["heads"].count_documents({}) == 0
