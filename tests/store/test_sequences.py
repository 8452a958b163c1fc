"""A gapless sequence from transactions, as the journal takes it."""

import asyncio

import pytest
from pymongo.errors import BulkWriteError, DuplicateKeyError

ROWS = 2


def change_in(db, shard, change_id):
    """One change: advance the head by its expected value, insert rows under it, touch a state."""

    async def work(session):
        head = await db.heads.find_one({"_id": shard}, session=session)
        seq = head["seq"]
        advanced = await db.heads.update_one(
            {"_id": shard, "seq": seq}, {"$set": {"seq": seq + ROWS}}, session=session
        )
        assert advanced.modified_count == 1
        await db.journal.insert_many(
            [
                {"_id": f"{change_id}.{part}", "shard": shard, "seq": seq + part}
                for part in range(1, ROWS + 1)
            ],
            session=session,
        )
        await db.state.update_one({"_id": change_id % 3}, {"$inc": {"n": 1}}, session=session)

    return work


async def prepare(db):
    await db.journal.create_index([("shard", 1), ("seq", 1)], unique=True)
    await db.heads.insert_one({"_id": 7, "seq": 0})
    await db.state.insert_many([{"_id": n, "n": 0} for n in range(3)])


async def sequences(db):
    rows = await db.journal.find({"shard": 7}).to_list(None)
    return sorted(row["seq"] for row in rows)


async def test_eight_writers_on_one_shard_leave_no_gap_and_no_duplicate(db, transact):
    await prepare(db)

    async def writer(number):
        for turn in range(3):
            await transact(change_in(db, 7, number * 3 + turn))

    await asyncio.gather(*(writer(number) for number in range(8)))

    assert await sequences(db) == list(range(1, 24 * ROWS + 1))
    assert await db.heads.find_one({"_id": 7}) == {"_id": 7, "seq": 24 * ROWS}
    assert sum([row["n"] async for row in db.state.find({})]) == 24


async def test_a_change_that_fails_late_leaves_no_gap(db, transact):
    await prepare(db)
    for change_id in (0, 1, 2):
        await transact(change_in(db, 7, change_id))
        with pytest.raises(BulkWriteError, match="E11000"):
            await transact(change_in(db, 7, change_id))

    assert await sequences(db) == list(range(1, 3 * ROWS + 1))


async def test_two_writers_never_get_one_sequence_without_the_expected_value(db, transact):
    """The unique index is the second lock on the door."""
    await prepare(db)
    await transact(change_in(db, 7, 0))
    await db.heads.update_one({"_id": 7}, {"$set": {"seq": 0}})

    with pytest.raises(BulkWriteError, match="E11000"):
        await transact(change_in(db, 7, 1))

    assert await sequences(db) == list(range(1, ROWS + 1))


async def test_an_update_with_an_old_revision_changes_nothing(db):
    await db.accounts.insert_one({"_id": "a", "rev": 3, "name": "x"})

    stale = await db.accounts.update_one({"_id": "a", "rev": 2}, {"$set": {"rev": 3, "name": "y"}})
    right = await db.accounts.update_one({"_id": "a", "rev": 3}, {"$set": {"rev": 4, "name": "z"}})

    assert (stale.matched_count, right.matched_count) == (0, 1)
    assert await db.accounts.find_one({}) == {"_id": "a", "rev": 4, "name": "z"}


async def test_of_fifty_updates_that_expect_one_revision_one_wins(db):
    await db.accounts.insert_one({"_id": "a", "rev": 1})

    results = await asyncio.gather(
        *(
            db.accounts.update_one({"_id": "a", "rev": 1}, {"$set": {"rev": 2, "by": number}})
            for number in range(50)
        )
    )

    winners = [number for number, result in enumerate(results) if result.modified_count]
    assert len(winners) == 1
    assert await db.accounts.find_one({}) == {"_id": "a", "rev": 2, "by": winners[0]}


async def test_concurrent_upserts_of_one_id_make_one_row(db):
    async def upsert(number):
        try:
            return await db.rows.update_one(
                {"_id": "one"}, {"$setOnInsert": {"by": number}, "$inc": {"n": 1}}, upsert=True
            )
        except DuplicateKeyError:
            return await upsert(number)

    results = await asyncio.gather(*(upsert(number) for number in range(20)))

    assert sum(result.upserted_id is not None for result in results) == 1
    assert (await db.rows.find_one({}))["n"] == 20
    assert await db.rows.count_documents({}) == 1
