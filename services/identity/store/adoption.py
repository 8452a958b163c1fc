"""Documents of users without the number of their shard, from replicas of an earlier version."""

from functools import partial

from pymongo import UpdateOne

from shared.contracts.facts import shard_of
from shared.journal import Adopt
from shared.journal.adoption import unnumbered
from shared.mongo import Database, DbSession, Document, majority, transact

USER_OF = {"users": "_id", "sessions": "user_id"}
"""The collections in which earlier versions stored documents without it, and the field that names
the user."""
BATCH_SIZE = 100
"""The number of documents of one transaction. It ends in its time on a busy machine, too."""


def adopts(database: Database) -> Adopt:
    """Give the documents of a shard their number, in the session of the caller."""

    async def adopt(shard: int, session: DbSession) -> None:
        for name in USER_OF:
            after: str | None = ""
            while after is not None:
                after = await _number(database, name, after, session, only=shard)

    return adopt


async def number_documents(database: Database) -> None:
    """Give every document of a user the number of its shard: a migration step.

    Each batch is a transaction. A process that was frozen between its read and its write then does
    not write the address that a user had before.
    """
    for name in USER_OF:
        after: str | None = ""
        while after is not None:
            after = await transact(database.client, partial(_number, database, name, after))


async def _number(
    database: Database, name: str, after: str, session: DbSession, *, only: int | None = None
) -> str | None:
    """Number one batch, in one shard or in all; give the last `_id`, or `None` at the end.

    The address of a user gets its document at the same time.
    """
    collection, user_of = majority(database, name), USER_OF[name]
    rows = await unnumbered(collection, after=after, limit=BATCH_SIZE, session=session)
    writes, users = [], []
    for row in rows:
        shard = shard_of(row[user_of])
        if only in {None, shard}:
            change = {"$set": {"shard": shard}}
            writes.append(UpdateOne({"_id": row["_id"], "shard": None}, change))
            users.append(row)
    if writes:
        await collection.bulk_write(writes, session=session)
        if name == "users":
            await _add_addresses(database, users, session)
    return rows[-1]["_id"] if rows else None


async def _add_addresses(database: Database, users: list[Document], session: DbSession) -> None:
    writes = [
        UpdateOne(
            {"_id": user["email_key"]}, {"$setOnInsert": {"user_id": user["_id"]}}, upsert=True
        )
        for user in users
        if user["verified"]
    ]
    if writes:
        await majority(database, "addresses").bulk_write(writes, session=session)
