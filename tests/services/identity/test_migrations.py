"""Tests of the steps that change stored data of identity."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.migrations import EARLIER_INDEXES, migrations
from services.identity.store import Store
from services.identity.store.adoption import BATCH_SIZE, adopts, number_documents
from shared.clock import SystemClock
from shared.contracts.facts import shard_of
from shared.ids import UserId
from shared.indexes import Index, build_indexes
from shared.links import Link, Links
from shared.migrations import migrate
from shared.mongo import Database, connect, transact
from shared.secret_keys import secret_bytes
from tests.patience import PATIENT
from tests.services.identity.running import PASSWORD, SECRETS, Identity, running
from tests.services.identity.test_shards import EARLIER_ADDRESS
from tests.support.journal_keys import signer
from tests.support.service import FAR
from tests.support.sharded import GLOBAL, check_index

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STEPS = migrations(signer("identity"))

SQUATTERS_PASSWORD = "quiet-otters-paint-maps"
SQUATTER, OWNER = "usr_" + "1" * 32, "usr_" + "2" * 32


async def old_user(user_id: str, email: str, password: str, *, verified: bool) -> dict[str, Any]:
    """A document as the earlier version wrote it."""
    hasher = Argon2Hasher()
    password_hash = await hasher.hash(password, attempts=1)
    hasher.close()
    return {
        "_id": user_id,
        "email": email,
        "email_key": email,
        "name": "Ana",
        "password_hash": password_hash,
        "account_id": "acc_" + user_id[4:],
        "created_at": FAR,
        "generation": 1,
        "verified_at": FAR if verified else None,
        "verified": verified,
        "lapses_at": None if verified else FAR + timedelta(days=7),
    }


async def nothing_opens(identity: Identity, email: str) -> None:
    """Try everything that the earlier form of sign-up gave the person who chose the password."""
    link = Links(secret_bytes(SECRETS["link_key"]), "verification").token(Link(SQUATTER, 1))
    assert (await identity.log_in(email, SQUATTERS_PASSWORD)).status == 401
    for body in ({"token": link}, {"token": link, "password": SQUATTERS_PASSWORD}):
        assert (await identity.post("/v1/email/verify", body)).status in {410, 422}
    assert (await identity.verify({"token": link})).status == 410
    assert (await identity.reset(link, PASSWORD)).status == 410
    await identity.forgot(email)
    await identity.post("/v1/email/resend", {"email": email})
    assert await identity.rows("user.password_reset_requested", "sign_up.requested") == []


@pytest.mark.parametrize("written", ["before the change", "by an earlier version that still runs"])
async def test_an_unverified_user_of_the_earlier_form_cannot_sign_in(
    mongo_url: str, database_name: str, written: str
) -> None:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    squatter = await old_user(SQUATTER, "bo@example.com", SQUATTERS_PASSWORD, verified=False)
    owner = await old_user(OWNER, "ana@example.com", PASSWORD, verified=True)
    steps = STEPS[:7] if written == "before the change" else STEPS
    await migrate(database, steps, clock=SystemClock())
    await database["users"].insert_many([squatter, owner])
    async with running(mongo_url, database_name) as identity:
        kept = {document["_id"] async for document in database["users"].find({})}
        assert kept == ({OWNER} if written == "before the change" else {OWNER, SQUATTER})
        await nothing_opens(identity, "bo@example.com")
        assert await Store(database).users_among([UserId(SQUATTER), UserId(OWNER)]) == {
            OWNER: await Store(database).user(UserId(OWNER))
        }
        assert await Store(database).user(UserId(SQUATTER)) is None
        session = await identity.person("bo@example.com")
        assert session["user"]["id"] != SQUATTER
        assert (await identity.log_in("bo@example.com", SQUATTERS_PASSWORD)).status == 401
    client.close()


async def test_a_user_of_the_earlier_form_keeps_the_sign_in(
    mongo_url: str, database_name: str
) -> None:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    await migrate(database, STEPS[:7], clock=SystemClock())
    owner = await old_user(OWNER, "ana@example.com", PASSWORD, verified=True)
    await database["users"].insert_one(owner)
    async with running(mongo_url, database_name) as identity:
        session = (await identity.log_in("ana@example.com")).expect(200)
        assert session["user"]["id"] == OWNER
        await identity.forgot("ana@example.com")
        token = await identity.mailed_reset("ana@example.com")
        assert (await identity.reset(token, SQUATTERS_PASSWORD)).status == 204
        assert (await identity.log_in("ana@example.com", SQUATTERS_PASSWORD)).status == 200
    client.close()


BEFORE_SHARDS = 16
"""The last step of the versions whose documents have no shard."""
EARLIER = (
    EARLIER_ADDRESS,
    Index(
        collection="users",
        keys=(("email_key", 1), ("verified", 1), ("created_at", 1)),
        name="address",
    ),
    Index(
        collection="sessions",
        keys=(("user_id", 1), ("account_id", 1), ("ended", 1)),
        name="user_account",
    ),
)
"""What the steps 4 and 5 of earlier versions built, and nothing needs any more."""


@asynccontextmanager
async def earlier_database(mongo_url: str, name: str) -> AsyncIterator[Database]:
    """A database of the last version before documents had a shard."""
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database: Database = client[name]
    await migrate(database, STEPS[:BEFORE_SHARDS], clock=SystemClock())
    await build_indexes(database, *EARLIER)
    yield database
    client.close()


async def rows(database: Database, name: str) -> dict[str, dict[str, Any]]:
    return {row["_id"]: row async for row in database[name].find({})}


def user(number: int, *, verified: bool = True) -> dict[str, Any]:
    email = f"ana{number}@example.com"
    return {"_id": f"usr_{number:05}", "email_key": email, "verified": verified}


async def test_users_and_sessions_get_their_shard_and_addresses_in_batches(
    mongo_url: str, database_name: str
) -> None:
    async with earlier_database(mongo_url, database_name) as database:
        people = [user(number) for number in range(BATCH_SIZE + 1)]
        await database["users"].insert_many([*people, user(99_999, verified=False)])
        owners = [f"usr_{number:05}" for number in range(0, BATCH_SIZE, 10)]
        await database["sessions"].insert_many(
            {"_id": f"ses_{owner}", "user_id": owner, "ended": False} for owner in owners
        )
        await migrate(database, STEPS, clock=SystemClock())

        users, sessions = await rows(database, "users"), await rows(database, "sessions")
        assert {key: row["shard"] for key, row in users.items()} == {
            key: shard_of(key) for key in users
        }
        assert len(users) == BATCH_SIZE + 2
        assert {row["_id"]: row["shard"] for row in sessions.values()} == {
            f"ses_{owner}": shard_of(owner) for owner in owners
        }
        addresses = await rows(database, "addresses")
        assert {key: row["user_id"] for key, row in addresses.items()} == {
            one["email_key"]: one["_id"] for one in people
        }
        await number_documents(database)
        assert await rows(database, "users") == users
        assert await rows(database, "addresses") == addresses


async def test_a_step_that_was_killed_between_two_batches_goes_on(
    mongo_url: str, database_name: str
) -> None:
    """Some users have their number and address, and one address was written without the other."""
    async with earlier_database(mongo_url, database_name) as database:
        await database["users"].insert_many([user(number) for number in range(6)])
        await transact(
            database.client, lambda session: adopts(database)(shard_of("usr_00000"), session)
        )
        done = await rows(database, "addresses")
        assert "ana0@example.com" in done
        await migrate(database, STEPS, clock=SystemClock())
        addresses = await rows(database, "addresses")
        assert {key: row["user_id"] for key, row in addresses.items()} == {
            f"ana{number}@example.com": f"usr_{number:05}" for number in range(6)
        }


async def test_an_adoption_numbers_the_documents_of_its_shard_only(
    mongo_url: str, database_name: str
) -> None:
    async with earlier_database(mongo_url, database_name) as database:
        await migrate(database, STEPS, clock=SystemClock())
        await database["users"].insert_many([user(number) for number in range(20)])
        here = shard_of("usr_00007")
        await transact(database.client, lambda session: adopts(database)(here, session))
        numbered = {key for key, row in (await rows(database, "users")).items() if "shard" in row}
        assert numbered == {f"usr_{n:05}" for n in range(20) if shard_of(f"usr_{n:05}") == here}
        addresses = (await rows(database, "addresses")).values()
        assert {row["user_id"] for row in addresses} == numbered


async def test_a_stored_address_stays_with_its_user(mongo_url: str, database_name: str) -> None:
    """A step that was frozen runs beside its successor, or after it."""
    async with earlier_database(mongo_url, database_name) as database:
        await database["addresses"].insert_one({"_id": "ana1@example.com", "user_id": "usr_1"})
        await database["users"].insert_one(user(1))
        await number_documents(database)
        assert await rows(database, "addresses") == {
            "ana1@example.com": {"_id": "ana1@example.com", "user_id": "usr_1"}
        }


async def test_earlier_replicas_keep_the_index_by_which_an_address_is_unique(
    mongo_url: str, database_name: str
) -> None:
    """A new database never has it; in an old one it goes by hand."""
    async with earlier_database(mongo_url, database_name) as database:
        await migrate(database, STEPS, clock=SystemClock())
        left = {index["name"] async for index in database["users"].list_indexes()}
        assert EARLIER_ADDRESS.full_name in left
        assert left.isdisjoint(EARLIER_INDEXES["users"])
        await database["users"].drop_index(EARLIER_ADDRESS.full_name)
        growing = set(await database.list_collection_names()) - GLOBAL
        assert growing >= {"users", "sessions", "journal", "idempotency", "receipts"}
        for name in growing:
            async for index in database[name].list_indexes():
                check_index(name, index)
