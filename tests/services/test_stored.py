"""What the databases of all services delete by themselves, and what they hold only once."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pymongo.errors import DuplicateKeyError

from shared.clock import SystemClock
from shared.contracts.facts import GENESIS
from shared.contracts.topology import SOURCES, Service
from shared.ids import new_id
from shared.migrations import migrate
from shared.mongo import Database, DbClient, connect
from tests.patience import PATIENT
from tests.services.kept.stores import Stores, Writes
from tests.services.kept.table import KEPT
from tests.support.journal_keys import signer
from tests.support.service import FAR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

JOURNAL = ("journal", ("shard", "seq"), None)
UNIQUE: dict[Service, list[tuple[str, tuple[str, ...], dict[str, Any] | None]]] = {
    Service.TEAM: [
        JOURNAL,
        ("invitations", ("shard", "account_id", "email_key"), {"status": "pending"}),
        ("projects", ("shard", "account_id", "name_key"), None),
    ],
    Service.IDENTITY: [
        JOURNAL,
        ("external_ids", ("client_id", "user_id"), None),
        ("sign_ups", ("email_key",), None),
        ("signing_keys", ("slot",), None),
    ],
    Service.AUDIT: [JOURNAL],
    Service.NOTIFICATION: [JOURNAL],
}
"""The fields that no two documents of a collection share, among those of the filter."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


async def migrated(client: DbClient, name: str, service: Service) -> Database:
    """The database of the service, after its migrations."""
    database: Database = client[name]
    module = importlib.import_module(f"services.{service}.migrations")
    await migrate(database, module.migrations(signer(service)), clock=SystemClock())
    return database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def migrated_databases(client: DbClient) -> dict[Service, Database]:
    """A migrated database of each service, for the tests of the module."""
    return {service: await migrated(client, new_id("test"), service) for service in SOURCES}


@pytest_asyncio.fixture(loop_scope="module")
async def database(migrated_databases: dict[Service, Database], service: Service) -> Database:
    """The database of the service without documents."""
    database = migrated_databases[service]
    for name in await database.list_collection_names():
        if name != "migrations":
            await database[name].delete_many({})
    return database


@pytest.mark.parametrize("service", SOURCES)
async def test_the_migrations_of_each_source_sign_its_old_journal(
    client: DbClient, database_name: str, service: Service
) -> None:
    """A head of the earlier form becomes one that a replica of that version cannot use."""
    heads = client[database_name]["heads"]
    await heads.insert_one({"_id": 7, "seq": 0})
    await migrated(client, database_name, service)
    assert await heads.find_one({"_id": 7}) == {"_id": 7, "last_seq": 0, "digest": GENESIS}


async def indexes_of(database: Database) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, index)
        for name in await database.list_collection_names()
        async for index in database[name].list_indexes()
    ]


@pytest.mark.parametrize("service", SOURCES)
async def test_each_index_that_deletes_or_is_unique_has_its_case(
    database: Database, service: Service
) -> None:
    found = await indexes_of(database)
    deleting = {
        f"{name}.{next(iter(index['key']))}"
        for name, index in found
        if "expireAfterSeconds" in index
    }
    unique = [
        (name, tuple(index["key"]), index.get("partialFilterExpression"))
        for name, index in found
        if index.get("unique")
    ]
    assert deleting == {place for owner, place, _, _ in KEPT if owner is service}
    assert sorted(unique, key=str) == sorted(UNIQUE[service], key=str)


@pytest.mark.parametrize(
    ("service", "place", "write", "kept"),
    KEPT,
    ids=[f"{service}-{write.__name__}" for service, _, write, _ in KEPT],  # type: ignore[attr-defined]
)
async def test_a_document_is_deleted_when_it_is_over_and_not_before(
    database: Database, place: str, write: Writes, kept: timedelta | None
) -> None:
    collection, field = place.split(".")

    await write(Stores(database.client, database))

    [document] = await database[collection].find({}).to_list(2)
    [after] = [
        index["expireAfterSeconds"]
        for name, index in await indexes_of(database)
        if name == collection and index["key"].get(field) and "expireAfterSeconds" in index
    ]
    moment: datetime | None = document.get(field)
    deleted_at = None if moment is None else moment + timedelta(seconds=after)
    assert deleted_at == (None if kept is None else FAR + kept)


@pytest.mark.parametrize(
    ("service", "collection", "fields", "partial"),
    [(service, *row) for service, rows in UNIQUE.items() for row in rows],
)
async def test_a_second_document_with_the_same_unique_fields_is_refused(
    database: Database,
    collection: str,
    fields: tuple[str, ...],
    partial: dict[str, Any] | None,
) -> None:
    same = dict.fromkeys(fields, 1) | (partial or {})
    await database[collection].insert_one({"_id": "first", **same})
    await database[collection].insert_one({"_id": "other", **same, fields[-1]: 2})
    if partial is not None:
        outside = dict.fromkeys(partial, "otherwise")
        await database[collection].insert_one({"_id": "outside", **same, **outside})

    with pytest.raises(DuplicateKeyError):
        await database[collection].insert_one({"_id": "second", **same})
