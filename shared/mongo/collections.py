"""Collections that use majority, and the writes that need more than one call of the driver."""

from collections.abc import Iterable, Sequence

import pymongo
from bson.codec_options import CodecOptions
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.mongo.away import only_duplicates
from shared.mongo.driver import Collection, Database, DbSession, Document, IndexModel

MAJORITY = WriteConcern("majority")
INDEX_NOT_FOUND = 27


class AlreadyThere(Exception):  # noqa: N818 - the caller decides whether that is an error
    """A document with this unique key exists. The exception aborts its transaction."""


class Lost(Exception):  # noqa: N818 - as above
    """A document did not have the expected revision: another write was first. It is tried again."""


def majority(database: Database, name: str) -> Collection:
    """A collection whose reads and writes outside a transaction use majority."""
    return database.get_collection(
        name,
        codec_options=CodecOptions(tz_aware=True),
        read_concern=ReadConcern("majority"),
        write_concern=MAJORITY,
    )


async def create_indexes(collection: Collection, models: Sequence[IndexModel]) -> None:
    """Build indexes in one command, however long it takes; wait until most members have them.

    Under the client's `timeoutMS` the database would abort a long build, and each retry would
    begin it anew. `timeout(0)` means no limit; `timeout(None)` would mean the client's. The quorum
    of a majority lets the build end while one member of the replica set is down.
    """
    with pymongo.timeout(0):
        await collection.create_indexes(models, commitQuorum="majority")


async def drop_index(collection: Collection, name: str) -> None:
    """Drop an index, unless it is gone."""
    try:
        await collection.drop_index(name)
    except OperationFailure as problem:
        if problem.code != INDEX_NOT_FOUND:
            raise


async def insert_once(
    collection: Collection, document: Document, session: DbSession | None = None
) -> None:
    """Insert a document whose unique key must be new.

    Raises:
        AlreadyThere: it exists. Inside a transaction let the exception pass: the transaction is
            over, and catching it leads to an endless retry.
    """
    try:
        await collection.insert_one(document, session=session)
    except DuplicateKeyError as duplicate:
        raise AlreadyThere(collection.name) from duplicate


async def insert_all_once(
    collection: Collection, documents: Iterable[Document], session: DbSession
) -> None:
    """Insert documents whose unique keys must be new, all or none.

    Raises:
        AlreadyThere: one of them exists; the transaction has ended.
    """
    try:
        await collection.insert_many(documents, session=session)
    except BulkWriteError as problem:
        if only_duplicates(problem):
            raise AlreadyThere(collection.name) from problem
        raise


async def insert_missing(collection: Collection, documents: Sequence[Document]) -> list[Document]:
    """Insert those of the documents whose unique key is new, all in one call; return the others."""
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as problem:
        if not only_duplicates(problem):
            raise
        return [documents[error["index"]] for error in problem.details["writeErrors"]]
    return []


async def update_expected(
    collection: Collection, expected: Document, change: Document, session: DbSession
) -> None:
    """Update the one document that matches `expected`: its id and the revision that was read.

    Raises:
        Lost: no document matches; it changed since it was read.
    """
    outcome = await collection.update_one(expected, change, session=session)
    if outcome.matched_count != 1:
        raise Lost(collection.name)


async def update_all_expected(
    collection: Collection,
    updates: Sequence[tuple[Document, Document]],
    session: DbSession,
    *,
    insert: bool = False,
) -> None:
    """Make several updates in one call, each of the one document that matches what was read.

    With `insert` a document that does not exist is inserted.

    Raises:
        Lost: a document does not match; it changed since it was read.
    """
    if not updates:
        return
    writes = [pymongo.UpdateOne(*update, upsert=insert) for update in updates]
    outcome = await collection.bulk_write(writes, session=session)
    if outcome.matched_count + outcome.upserted_count != len(writes):
        raise Lost(collection.name)


async def update_each(collection: Collection, updates: Sequence[tuple[Document, Document]]) -> None:
    """Make several updates in one call, each of the document that matches its filter, if any."""
    if updates:
        await collection.bulk_write([pymongo.UpdateOne(*update) for update in updates])
