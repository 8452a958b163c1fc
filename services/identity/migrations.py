"""Which indexes and steps does identity's database need, in which order?

Every step can be repeated and can race with another replica's: all run at every start.
"""

from collections.abc import Awaitable, Callable

from shared.mongo import Database


async def index_users(database: Database) -> None:
    """One verified user an address at most; who never verifies is deleted."""
    users = database["users"]
    await users.create_index([("email_key", 1), ("verified", 1), ("created_at", 1)], name="address")
    await users.create_index(
        [("email_key", 1)],
        name="verified_address",
        unique=True,
        partialFilterExpression={"verified": True},
    )
    await users.create_index([("lapses_at", 1)], name="lapses", expireAfterSeconds=0)


async def index_sessions(database: Database) -> None:
    """Sessions of a user in an account; ended ones in order of their end; old ones are deleted."""
    sessions = database["sessions"]
    await sessions.create_index(
        [("user_id", 1), ("account_id", 1), ("ended", 1)], name="user_account"
    )
    await sessions.create_index([("ended", 1), ("end_key", 1)], name="ended")
    await sessions.create_index([("delete_at", 1)], name="delete_at", expireAfterSeconds=0)


async def index_signing_keys(database: Database) -> None:
    """Replicas that start at once make one first key."""
    await database["signing_keys"].create_index([("slot", 1)], name="slot", unique=True)


async def index_counters(database: Database) -> None:
    """Counters that count no more are deleted."""
    await database["counters"].create_index([("ends_at", 1)], name="ends", expireAfterSeconds=0)


async def migrate(database: Database) -> None:
    """Bring the database to what this version needs."""
    for step in MIGRATIONS.values():
        await step(database)


MIGRATIONS: dict[int, Callable[[Database], Awaitable[None]]] = {
    1: index_users,
    2: index_sessions,
    3: index_signing_keys,
    4: index_counters,
}
