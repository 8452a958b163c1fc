"""Users of an earlier version, who have one former address at most."""

from shared.mongo import Database, majority

_EARLIER = ("undo_email", "undo_email_key", "undo_until")


async def list_former_addresses(database: Database) -> None:
    """Put each former address into the list of its user, and mark passwords that an undo took.

    A step of the migration, which changes nothing when it runs again.
    """
    users = majority(database, "users")
    async for row in users.find({"undo_email": {"$gt": ""}}):
        former = {
            "email": row["undo_email"],
            "email_key": row["undo_email_key"],
            "generation": row["undo_generation"],
            "until": row["undo_until"],
        }
        await users.update_one(
            {"_id": row["_id"], "shard": row["shard"], "undo_until": row["undo_until"]},
            {"$set": {"former_addresses": [former]}, "$unset": dict.fromkeys(_EARLIER, "")},
        )
    undone = {"undo_generation": {"$gt": 0}, "password_hash": None}
    await users.update_many(undone, {"$set": {"password_taken": True}})
