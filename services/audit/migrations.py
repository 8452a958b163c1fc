"""Which indexes does audit's database need?"""

from shared.mongo import Database

SEARCHED = (
    "actor_id",
    "action",
    "noun",
    "resource_type",
    "resource_id",
    "project_id",
    "outcome",
    "request_id",
)
"""The fields that a search can name; each has its index within an account, in the order of time."""

HOUR = 3600


async def migrate(database: Database) -> None:
    """Bring the database to this version's form; safe to repeat and to run twice at once."""
    records = database["records"]
    await records.create_index([("account_id", 1), ("order", 1)], name="by_time")
    for field in SEARCHED:
        await records.create_index(
            [("account_id", 1), (field, 1), ("order", 1)], name=f"by_{field}"
        )
    await database["people"].create_index([("email", 1)], name="by_address")
    await database["readings"].create_index([("at", 1)], name="kept", expireAfterSeconds=HOUR)
