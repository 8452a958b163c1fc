"""Begin a new epoch in a database of a source that was restored from a backup.

`python -m deploy.after_restore URL DATABASE`, while all services are stopped. The old rows are kept
in the collection `journal_before_restore`. In team's database it also begins anew the time in which
an owner can restore a deleted account. The command may be repeated.
"""

import argparse
import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.team.settings import Settings
from shared.journal import begin_history
from shared.mongo import Database, connect, majority
from shared.timeouts import DEFAULT_TIMEOUTS

KEPT = "journal_before_restore"
OPERATION_SECONDS = 3600.0
"""The time of one operation: an update of all objects of a large database."""


async def begin_epoch(database: Database) -> int:
    """Set the journal aside and forget its heads; return how many rows were kept.

    The next start of the service makes a new random epoch, whose sequences begin at 1. So `rev` of
    every stored object falls to 0: a follower takes a state only over a lower `rev`.
    """
    journal = majority(database, "journal")
    rows = await journal.count_documents({})
    await journal.aggregate([{"$merge": {"into": KEPT}}]).to_list(None)
    for name in set(await database.list_collection_names()) - {"journal", KEPT}:
        stored = majority(database, name)
        await stored.update_many({"rev": {"$exists": True}}, {"$set": {"rev": 0}})
    await begin_history(database, at=datetime.now(UTC))
    # The heads go last: without them a start would number from 1 beside the old rows.
    await journal.delete_many({})
    await majority(database, "heads").delete_many({})
    return rows


async def postpone_deletions(database: Database, until: datetime) -> int:
    """Let no account be deleted for good before `until`; return how many wait for it.

    A backup does not know that an owner has restored an account since then. What was being deleted
    at its moment is not whole, and stays due.
    """
    deleted = {"deletes_at": {"$ne": None}, "purging": {"$ne": True}}
    accounts = majority(database, "accounts")
    outcome = await accounts.update_many(deleted, {"$set": {"deletes_at": until}})
    return outcome.matched_count


async def run(url: str, name: str, *, grace: timedelta) -> int:
    """Begin the epoch in one database, say so, and return an exit status."""
    patient = replace(DEFAULT_TIMEOUTS, database=OPERATION_SECONDS)
    client = connect(url, app_name="rolecall-after-restore", timeouts=patient)
    try:
        until = datetime.now(UTC) + grace
        waiting = await postpone_deletions(client[name], until)
        rows = await begin_epoch(client[name])
    finally:
        client.close()
    sys.stdout.write(f"{name} begins a new epoch. {rows} rows are kept in {KEPT}.\n")
    if waiting:
        sys.stdout.write(
            f"{name} has {waiting} deleted accounts. Their owners can restore them until"
            f" {until:%Y-%m-%d %H:%M} UTC.\n"
        )
    return 0


def main() -> int:
    """Run the command, and return an exit status."""
    options = argparse.ArgumentParser(
        prog="python -m deploy.after_restore",
        description="Begin a new epoch in a database that was restored, while all services are"
        " stopped.",
    )
    options.add_argument("url", metavar="URL", help="address of MongoDB")
    options.add_argument("database", metavar="DATABASE", help="such as rolecall_team")
    options.add_argument(
        "--grace-days",
        type=int,
        default=Settings.model_fields["deletion_grace_days"].default,
        metavar="DAYS",
        help="the days in which owners can restore deleted accounts from now on, as in"
        " ROLECALL_TEAM_DELETION_GRACE_DAYS (default: %(default)s)",
    )
    given = options.parse_args()
    grace = timedelta(days=given.grace_days)
    return asyncio.run(run(given.url, given.database, grace=grace))


if __name__ == "__main__":
    raise SystemExit(main())
