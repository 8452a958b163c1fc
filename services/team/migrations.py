"""What must the database have before team starts? Numbered, and harmless to repeat."""

from collections.abc import Awaitable, Callable

from shared.mongo import Database, majority


async def _indexes(database: Database) -> None:
    await majority(database, "members").create_index([("account_id", 1), ("email_key", 1)])
    await majority(database, "members").create_index([("user_id", 1)])
    invitations = majority(database, "invitations")
    await invitations.create_index(
        [("account_id", 1), ("status", 1), ("inviter_user_id", 1), ("expires_at", 1)]
    )
    await invitations.create_index(
        [("account_id", 1), ("email_key", 1)],
        name="one_pending_per_address",
        unique=True,
        partialFilterExpression={"status": "pending"},
    )
    await majority(database, "projects").create_index(
        [("account_id", 1), ("name_key", 1)], unique=True
    )
    overrides = majority(database, "overrides")
    await overrides.create_index([("account_id", 1), ("project_id", 1)])
    await overrides.create_index([("account_id", 1), ("user_id", 1)])
    await majority(database, "catalogs").create_index([("name", 1)])
    await majority(database, "allowances").create_index([("expires_at", 1)], expireAfterSeconds=0)
    ended = majority(database, "ended_sessions")
    await ended.create_index([("expires_at", 1)], expireAfterSeconds=0)
    for name in ("accounts", "members", "projects", "overrides"):
        await majority(database, name).create_index([("slice", 1), ("key", 1)])


async def migrate(database: Database) -> None:
    """Run every migration in order."""
    for _, migration in MIGRATIONS:
        await migration(database)


MIGRATIONS: tuple[tuple[int, Callable[[Database], Awaitable[None]]], ...] = ((1, _indexes),)
