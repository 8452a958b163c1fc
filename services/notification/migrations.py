"""Which indexes does notification's database need?"""

from datetime import timedelta

from shared.mongo import Database

KEPT = timedelta(days=90)
"""How long a finished message is kept; the audit log has its facts for longer."""


async def migrate(database: Database) -> None:
    """Bring the database to this version's form; safe to repeat and to run twice at once."""
    messages = database["messages"]
    await messages.create_index(
        [("open", 1), ("due_at", 1)], name="due", partialFilterExpression={"open": True}
    )
    await messages.create_index(
        [("finished_at", 1)], name="kept", expireAfterSeconds=int(KEPT.total_seconds())
    )
