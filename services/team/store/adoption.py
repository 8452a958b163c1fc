"""Documents without the number of their shard, from replicas of an earlier version."""

from pymongo import UpdateOne

from services.team.store.member_list import LIST_FIELDS
from shared.contracts.facts import shard_of
from shared.journal import Adopt
from shared.journal.adoption import unnumbered
from shared.mongo import Collection, Database, DbSession, Document, majority

OF_ACCOUNTS = ("accounts", "members", "projects", "overrides", "invitations")
"""The collections in which earlier versions stored documents of accounts without it."""
BATCH_SIZE = 500
"""The number of documents of one statement."""


def adopts(database: Database) -> Adopt:
    """Give the documents of a shard their number, in the session of the caller."""
    collections = [majority(database, name) for name in OF_ACCOUNTS]

    async def adopt(shard: int, session: DbSession) -> None:
        for collection in collections:
            await _number(collection, only=shard, session=session)

    return adopt


async def number_documents(database: Database) -> None:
    """Give every document of an account the number of its shard: a migration step.

    A replica of an earlier version may write documents without it afterwards, until it ends. Those
    are adopted (`shared/journal/adoption.py`).
    """
    for name in OF_ACCOUNTS:
        await _number(majority(database, name), only=None, session=None)


async def _number(collection: Collection, *, only: int | None, session: DbSession | None) -> None:
    """Number the documents, those of one shard or all, batch after batch."""
    after = ""
    while True:
        rows = await unnumbered(collection, after=after, limit=BATCH_SIZE, session=session)
        if not rows:
            return
        after = rows[-1]["_id"]
        writes = [
            UpdateOne({"_id": row["_id"], "shard": None}, {"$set": _added(collection.name, row)})
            for row in rows
            if only in {None, shard_of(row["account_id"])}
        ]
        if writes:
            await collection.bulk_write(writes, session=session)


def _added(collection: str, row: Document) -> Document:
    """What a document of an earlier version lacks: its shard, and what lists are sorted by."""
    fields_of = LIST_FIELDS.get(collection)
    return {"shard": shard_of(row["account_id"]), **(fields_of(row) if fields_of else {})}
