"""The guarantees of MongoDB's transactions."""

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.store.conftest import CONCERNS

TRANSIENT = "TransientTransactionError"


async def test_a_committed_transaction_changes_all_its_collections(db, transact):
    async def work(session):
        await db.accounts.insert_one({"_id": "a"}, session=session)
        await db.journal.insert_many([{"_id": 1}, {"_id": 2}], session=session)

    await transact(work)

    assert await db.accounts.count_documents({}) == 1
    assert await db.journal.count_documents({}) == 2


async def test_an_aborted_transaction_changes_nothing(db, transact):
    await db.accounts.insert_one({"_id": "a", "rev": 1})

    async def work(session):
        await db.accounts.update_one({"_id": "a"}, {"$set": {"rev": 2}}, session=session)
        await db.accounts.insert_one({"_id": "b"}, session=session)
        await db.accounts.delete_one({"_id": "a"}, session=session)
        raise ValueError

    with pytest.raises(ValueError):
        await transact(work)

    assert await db.accounts.find({}).to_list(None) == [{"_id": "a", "rev": 1}]


async def test_only_the_transaction_itself_reads_its_open_writes(client, db):
    async with await client.start_session() as session:
        session.start_transaction(**CONCERNS)
        await db.accounts.insert_one({"_id": "a", "n": 1}, session=session)
        await db.accounts.update_one({"_id": "a", "n": 1}, {"$set": {"n": 2}}, session=session)

        assert await db.accounts.find_one({"_id": "a"}, session=session) == {"_id": "a", "n": 2}
        assert await db.accounts.count_documents({"n": 2}, session=session) == 1
        assert await db.accounts.find_one({"_id": "a"}) is None
        await session.commit_transaction()

    assert await db.accounts.find_one({"_id": "a"}) == {"_id": "a", "n": 2}


async def test_a_transaction_reads_one_snapshot(client, db):
    await db.accounts.insert_many([{"_id": i, "kind": "old", "n": 0} for i in range(3)])
    await db.accounts.create_index("kind")
    async with await client.start_session() as session:
        session.start_transaction(**CONCERNS)
        await db.accounts.find_one({"_id": 0}, session=session)

        await db.accounts.insert_one({"_id": 9, "kind": "old", "n": 0})
        await db.accounts.update_one({"_id": 1}, {"$set": {"n": 5, "kind": "new"}})
        await db.accounts.delete_one({"_id": 2})

        seen = await db.accounts.find({"kind": "old"}, session=session).sort("_id", 1).to_list(None)
        assert [(row["_id"], row["n"]) for row in seen] == [(0, 0), (1, 0), (2, 0)]
        await session.abort_transaction()


async def test_a_write_over_a_newer_state_is_a_transient_conflict(client, db):
    await db.accounts.insert_one({"_id": "a", "rev": 1})
    async with await client.start_session() as session:
        session.start_transaction(**CONCERNS)
        await db.accounts.find_one({"_id": "a"}, session=session)
        await db.accounts.update_one({"_id": "a"}, {"$set": {"rev": 2}})

        with pytest.raises(OperationFailure) as refused:
            await db.accounts.update_one({"_id": "a"}, {"$set": {"rev": 3}}, session=session)

    assert refused.value.has_error_label(TRANSIENT)
    assert await db.accounts.find_one({"_id": "a"}) == {"_id": "a", "rev": 2}


async def test_the_second_writer_of_a_row_gets_the_conflict_at_once(db, two_sessions):
    await db.accounts.insert_one({"_id": "a", "n": 0})
    one, other = two_sessions
    await db.accounts.update_one({"_id": "a"}, {"$set": {"n": 1}}, session=one)

    with pytest.raises(OperationFailure) as refused:
        await db.accounts.update_one({"_id": "a"}, {"$set": {"n": 2}}, session=other)
    await one.commit_transaction()

    assert refused.value.has_error_label(TRANSIENT)
    assert await db.accounts.find_one({"_id": "a"}) == {"_id": "a", "n": 1}


async def test_two_transactions_on_different_rows_both_commit(db, two_sessions):
    one, other = two_sessions
    await db.create_collection("accounts")
    await db.accounts.insert_one({"_id": "a"}, session=one)
    await db.accounts.insert_one({"_id": "b"}, session=other)
    await one.commit_transaction()
    await other.commit_transaction()

    assert await db.accounts.count_documents({}) == 2


async def test_rows_that_are_only_read_do_not_conflict(db, two_sessions):
    """Write skew: why every change writes its account's row besides its own."""
    await db.members.insert_many([{"_id": 1, "owner": True}, {"_id": 2, "owner": True}])
    for session, leaves in zip(two_sessions, (1, 2), strict=True):
        assert await db.members.count_documents({"owner": True}, session=session) == 2
        await db.members.update_one({"_id": leaves}, {"$set": {"owner": False}}, session=session)
    for session in two_sessions:
        await session.commit_transaction()

    assert await db.members.count_documents({"owner": True}) == 0


async def test_the_same_unique_key_in_two_transactions_is_taken_by_one(db, two_sessions):
    await db.members.create_index([("account_id", 1), ("user_id", 1)], unique=True)
    one, other = two_sessions
    row = {"account_id": "a", "user_id": "u"}
    await db.members.insert_one({"_id": 1, **row}, session=one)

    with pytest.raises(OperationFailure) as refused:
        await db.members.insert_one({"_id": 2, **row}, session=other)
    await one.commit_transaction()

    assert refused.value.has_error_label(TRANSIENT)
    assert [found["_id"] async for found in db.members.find(row)] == [1]


async def test_a_duplicate_key_ends_the_transaction_without_asking_to_try_again(db, transact):
    await db.keys.insert_one({"_id": "request-1"})
    runs = []

    async def work(session):
        runs.append(1)
        await db.accounts.insert_one({"_id": "a"}, session=session)
        await db.keys.insert_one({"_id": "request-1"}, session=session)

    with pytest.raises(DuplicateKeyError) as refused:
        await transact(work)

    assert not refused.value.has_error_label(TRANSIENT)
    assert len(runs) == 1
    assert await db.accounts.find_one({}) is None


async def test_a_swallowed_duplicate_key_would_run_the_callback_again_and_again(db, transact):
    """The trap: the server ended the transaction, so the next statement says to try again."""
    await db.keys.insert_one({"_id": "request-1"})
    runs = []

    async def work(session):
        runs.append(1)
        if len(runs) == 4:
            raise ValueError
        try:
            await db.keys.insert_one({"_id": "request-1"}, session=session)
        except DuplicateKeyError:
            await db.accounts.insert_one({"_id": len(runs)}, session=session)

    with pytest.raises(ValueError):
        await transact(work)

    assert len(runs) == 4
    assert await db.accounts.find_one({}) is None


async def test_a_collection_may_be_created_inside_a_transaction(client, db):
    async with await client.start_session() as session:
        for commits in (False, True):
            session.start_transaction(**CONCERNS)
            await db.fresh.insert_one({"_id": 1}, session=session)
            if commits:
                await session.commit_transaction()
            else:
                await session.abort_transaction()
            assert ("fresh" in await db.list_collection_names()) is commits


async def test_transactions_over_two_databases_are_one(client, database_name, transact):
    here, there = client[database_name], client[f"{database_name}_2"]
    await here.rows.insert_one({"_id": 0})
    await there.rows.insert_one({"_id": 0})

    async def work(session):
        await here.rows.insert_one({"_id": 1}, session=session)
        await there.rows.insert_one({"_id": 0}, session=session)

    with pytest.raises(DuplicateKeyError):
        await transact(work)

    assert await here.rows.count_documents({}) == 1
