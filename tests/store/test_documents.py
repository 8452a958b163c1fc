"""Queries, indexes and documents as the services use them."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from bson import Binary
from bson.int64 import Int64
from pymongo import DeleteOne, InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.mongo import insert_missing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_a_partial_unique_index_binds_only_the_rows_that_it_covers(db):
    await db.invitations.create_index(
        [("account_id", 1), ("email", 1)],
        unique=True,
        partialFilterExpression={"status": "pending"},
    )
    row = {"account_id": "a", "email": "v@x.example"}
    await db.invitations.insert_one({"_id": 1, **row, "status": "pending"})
    await db.invitations.insert_many(
        [{"_id": 2, **row, "status": "revoked"}, {"_id": 3, **row, "status": "revoked"}]
    )

    with pytest.raises(DuplicateKeyError):
        await db.invitations.insert_one({"_id": 4, **row, "status": "pending"})
    with pytest.raises(DuplicateKeyError):
        await db.invitations.update_one({"_id": 2}, {"$set": {"status": "pending"}})

    await db.invitations.update_one({"_id": 1}, {"$set": {"status": "revoked"}})
    await db.invitations.insert_one({"_id": 4, **row, "status": "pending"})
    pending = await db.invitations.find({**row, "status": "pending"}).to_list(None)
    assert [found["_id"] for found in pending] == [4]


async def test_a_unique_key_of_a_deleted_row_is_free_in_the_same_transaction(db, transact):
    await db.members.create_index("user_id", unique=True)
    await db.members.insert_one({"_id": 1, "user_id": "u"})

    async def work(session):
        await db.members.delete_one({"_id": 1}, session=session)
        await db.members.insert_one({"_id": 2, "user_id": "u"}, session=session)

    await transact(work)

    assert await db.members.find({}).to_list(None) == [{"_id": 2, "user_id": "u"}]


async def test_expiry_is_part_of_the_query_because_the_index_deletes_late(db):
    await db.codes.create_index("expires_at", expireAfterSeconds=0)
    expiries = (NOON - timedelta(seconds=1), NOON, NOON + timedelta(days=36_500))
    await db.codes.insert_many([{"_id": n, "expires_at": at} for n, at in enumerate(expiries)])

    valid = await db.codes.find({"expires_at": {"$gt": NOON}}).to_list(None)

    assert [row["_id"] for row in valid] == [2]
    indexes = await db.codes.index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0


async def test_the_index_that_exists_may_be_created_again(db):
    for _ in range(2):
        await db.members.create_index([("account_id", 1), ("user_id", 1)], unique=True, name="key")

    assert set(await db.members.index_information()) == {"_id_", "key"}


async def test_documents_come_back_as_they_went_in(db):
    document = {
        "_id": "usr_01",
        "text": "ü\u0000\U0001f600",
        "number": 2**53 + 1,
        "long": Int64(7),
        "float": 0.1,
        "none": None,
        "flag": True,
        "at": NOON.replace(microsecond=123_000),
        "bytes": b"\x00\xff",
        "uuid": Binary.from_uuid(uuid.UUID(int=7)),
        "list": [{"a": [1, 2]}, [], "x"],
        "nested": {"b": {"c": {}}, "a": 1},
    }
    await db.rows.insert_one(document)

    found = await db.rows.find_one({"_id": "usr_01"})

    assert found == document
    assert list(found) == list(document)


UPDATES = [
    ("sets a nested field", {"$set": {"n.a": 2}}, {"n": {"a": 2}, "t": ["x"]}),
    ("removes a field", {"$unset": {"n": ""}}, {"t": ["x"]}),
    ("appends to an array", {"$push": {"t": "y"}}, {"n": {"a": 1}, "t": ["x", "y"]}),
    ("keeps an array a set", {"$addToSet": {"t": "x"}}, {"n": {"a": 1}, "t": ["x"]}),
    ("takes out of an array", {"$pull": {"t": "x"}}, {"n": {"a": 1}, "t": []}),
    ("adds to a number", {"$inc": {"n.a": 4}}, {"n": {"a": 5}, "t": ["x"]}),
    ("keeps the greater", {"$max": {"n.a": 0}}, {"n": {"a": 1}, "t": ["x"]}),
]


@pytest.mark.parametrize(
    ("update", "after"), [row[1:] for row in UPDATES], ids=[r[0] for r in UPDATES]
)
async def test_an_update(db, update, after):
    await db.rows.insert_one({"_id": 1, "n": {"a": 1}, "t": ["x"]})

    await db.rows.update_one({"_id": 1}, update)

    assert await db.rows.find_one({}) == {"_id": 1, **after}


FILTERS = [
    ("equality", {"account": "a0", "k": 4}, [4]),
    ("a prefix and a range", {"account": "a0", "k": {"$gt": 4, "$lte": 8}}, [6, 8]),
    ("a prefix and a set", {"account": "a0", "k": {"$in": [0, 2, 3]}}, [0, 2]),
    ("ids by a set", {"_id": {"$in": [3, 99, 1]}}, [1, 3]),
    ("ids by a range", {"_id": {"$gte": 8}}, [8, 9]),
    ("an element of an array", {"tags": "t4"}, [4, 9]),
    ("a nested field", {"nested.k": 7}, [7]),
    ("a missing field", {"missing": None, "account": "a1", "k": 1}, [1]),
    ("one of two", {"$or": [{"_id": 1}, {"nested.k": 2}]}, [1, 2]),
    ("not", {"account": "a1", "k": {"$ne": 1}}, [3, 5, 7, 9]),
    ("an element that has both", {"parts": {"$elemMatch": {"a": 3, "b": 4}}}, [3]),
    ("text by an escaped expression", {"text": {"$regex": r"^n\.4"}}, [4]),
]


@pytest.mark.parametrize(
    ("query", "expected"), [row[1:] for row in FILTERS], ids=[r[0] for r in FILTERS]
)
@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "not indexed"])
async def test_a_filter_finds_the_same_rows_with_and_without_an_index(db, query, expected, indexed):
    await db.rows.insert_many(
        [
            {
                "_id": n,
                "account": f"a{n % 2}",
                "k": n,
                "tags": [f"t{n % 5}", "all"],
                "nested": {"k": n},
                "parts": [{"a": n, "b": n + 1}],
                "text": f"n.{n}",
            }
            for n in range(10)
        ]
    )
    if indexed:
        for keys in ([("account", 1), ("k", -1)], "tags", "nested.k", "text"):
            await db.rows.create_index(keys)

    rows = await db.rows.find(query).to_list(None)

    assert sorted(row["_id"] for row in rows) == expected
    assert await db.rows.count_documents(query) == len(expected)


async def test_pages_over_a_compound_index_have_each_row_once_in_order(db):
    await db.rows.create_index([("account", 1), ("k", -1)])
    await db.rows.insert_many([{"account": f"a{n % 3}", "k": n} for n in range(90)], ordered=False)

    seen, before = [], 1000
    while page := (
        await db.rows.find({"account": "a1", "k": {"$lt": before}})
        .sort("k", -1)
        .limit(7)
        .to_list(None)
    ):
        seen += [row["k"] for row in page]
        before = seen[-1]

    assert seen == sorted((n for n in range(90) if n % 3 == 1), reverse=True)


async def test_a_cursor_of_many_batches_gives_every_row(db):
    await db.rows.insert_many([{"_id": n} for n in range(500)])

    seen = [row["_id"] async for row in db.rows.find({}).batch_size(50)]

    assert sorted(seen) == list(range(500))


async def test_an_unordered_insert_keeps_what_is_new_and_names_what_is_not(db):
    await db.rows.insert_one({"_id": 2})

    with pytest.raises(BulkWriteError) as refused:
        await db.rows.insert_many([{"_id": n} for n in range(5)], ordered=False)

    errors = refused.value.details["writeErrors"]
    assert [(error["index"], error["code"]) for error in errors] == [(2, 11000)]
    assert await db.rows.count_documents({}) == 5


async def test_missing_documents_are_inserted_beside_those_that_exist(db):
    await db.rows.insert_one({"_id": 1, "first": True})
    await insert_missing(db.rows, [{"_id": number} for number in (1, 2, 3)])
    assert await db.rows.find({}).sort("_id", 1).to_list(None) == [
        {"_id": 1, "first": True},
        {"_id": 2},
        {"_id": 3},
    ]


async def test_a_bulk_of_different_writes_does_each(db):
    await db.rows.insert_many([{"_id": 1, "n": 0}, {"_id": 2, "n": 0}])

    result = await db.rows.bulk_write(
        [InsertOne({"_id": 3}), UpdateOne({"_id": 1}, {"$set": {"n": 1}}), DeleteOne({"_id": 2})],
        ordered=False,
    )

    assert (result.inserted_count, result.modified_count, result.deleted_count) == (1, 1, 1)
    assert await db.rows.find({}).to_list(None) == [{"_id": 1, "n": 1}, {"_id": 3}]


async def test_a_causally_consistent_session_reads_what_it_wrote(client, db):
    async with await client.start_session(causal_consistency=True) as session:
        for n in range(50):
            await db.rows.update_one({"_id": 1}, {"$set": {"n": n}}, upsert=True, session=session)
            assert (await db.rows.find_one({"_id": 1}, session=session))["n"] == n
        assert session.operation_time is not None


async def test_databases_do_not_see_each_other(client, database_name):
    one, other = client[database_name], client[f"{database_name}_2"]
    await one.rows.insert_one({"_id": 1, "of": "one"})
    await other.rows.insert_one({"_id": 1, "of": "other"})
    await client.drop_database(other.name)

    assert await one.rows.find({}).to_list(None) == [{"_id": 1, "of": "one"}]
    assert await other.rows.find({}).to_list(None) == []


INDEXED = [
    ("an id", {"_id": "r00000007"}),
    ("a set of ids", {"_id": {"$in": ["r00000007", "r00000009"]}}),
    ("an id and an expected revision", {"_id": "r00000007", "rev": 1}),
    ("a unique key", {"account": "a7", "k": 7}),
    ("a prefix and a range with two ends", {"account": "a7", "k": {"$gt": 0, "$lte": 300}}),
    ("a covered partial index", {"status": "pending", "k": {"$lt": 2000}}),
]


async def test_the_filters_of_the_services_do_not_scan_the_collection(db):
    await db.rows.create_index([("account", 1), ("k", 1)], unique=True)
    await db.rows.create_index("k", partialFilterExpression={"status": "pending"})
    await db.rows.insert_many(
        [
            {
                "_id": f"r{n:08d}",
                "account": f"a{n % 100}",
                "k": n,
                "rev": 1,
                "status": "pending" if n % 500 == 0 else "done",
                "pad": "x" * 100,
            }
            for n in range(3000)
        ]
    )

    # What else the machine does only adds to a time: the least of many is what a query costs.
    least = dict.fromkeys(["a scan", *dict(INDEXED)], float("inf"))
    for turn in itertools.count(1):
        for name, query in [("a scan", {"pad": "x" * 100, "rev": 1, "k": 2999}), *INDEXED]:
            began = perf_counter()
            assert await db.rows.find(query).to_list(None) != []
            least[name] = min(least[name], perf_counter() - began)
        slow = {name for name, _ in INDEXED if least[name] > least["a scan"] / 3}
        if turn >= 7 and (not slow or turn >= 50):
            break

    assert slow == set(), least
