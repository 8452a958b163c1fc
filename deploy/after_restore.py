"""Begin a new epoch in a database of a source that was restored from a backup.

`rolecall admin after-restore` runs it, while all services are stopped. The old rows are kept in the
collection `journal_before_restore`, and the next start of the service records the restore. In
team's database it also begins anew the time in which an owner can restore a deleted account. In
identity's it ends every session. The command may be repeated.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity.store.sessions import end_every_session
from services.team.settings import Settings
from shared.clock import Clock, SystemClock
from shared.journal import KEPT, begin_epoch
from shared.mongo import Database, connect, majority
from shared.timeouts import DEFAULT_TIMEOUTS

OPERATION_SECONDS = 3600.0
"""The time of one operation: an update of all objects of a large database."""
OFFICE = "sweeper"
"""The election that some replica of a running service always holds."""
RUNNING = "A replica of {name} is running. Stop every replica of every service, and repeat.\n"
REFUSED = 1


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Which database was restored, and what the audit log says about it."""

    url: str
    database: str
    grace: timedelta
    operator: str | None = None
    explanation: str | None = None


async def is_served(
    database: Database,
    *,
    clock: Clock,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> bool:
    """Return whether a process works on the database now.

    A backup of a running product contains a term that may not be over yet: this waits for its end.
    """
    elections = majority(database, "elections")
    found = await elections.find_one({"_id": OFFICE})
    while found is not None and (left := found["until"] - clock.now()) > timedelta():
        await pause(left.total_seconds())
        held, found = found, await elections.find_one({"_id": OFFICE})
        if found is not None and found["until"] != held["until"]:
            return True
    return False


async def postpone_deletions(database: Database, until: datetime) -> int:
    """Let no account be deleted for good before `until`; return how many wait for it.

    A backup does not know that an owner has restored an account since then. What was being deleted
    at its moment is not whole, and stays due.
    """
    deleted = {"deletes_at": {"$ne": None}, "purging": {"$ne": True}}
    accounts = majority(database, "accounts")
    outcome = await accounts.update_many(deleted, {"$set": {"deletes_at": until}})
    return outcome.matched_count


async def run(restore: Restore) -> int:
    """Begin the epoch in one database, say so, and return an exit status."""
    name, clock = restore.database, SystemClock()
    patient = replace(DEFAULT_TIMEOUTS, database=OPERATION_SECONDS)
    client = connect(restore.url, app_name="rolecall-after-restore", timeouts=patient)
    try:
        if await is_served(client[name], clock=clock):
            sys.stderr.write(RUNNING.format(name=name))
            return REFUSED
        now = clock.now()
        waiting = await postpone_deletions(client[name], now + restore.grace)
        sessions = await end_every_session(client[name], now)
        rows = await begin_epoch(
            client[name], at=now, operator=restore.operator, explanation=restore.explanation
        )
    finally:
        client.close()
    sys.stdout.write(f"{name} begins a new epoch. {rows} rows are kept in {KEPT}.\n")
    if sessions:
        sys.stdout.write(
            f"{name} had {sessions} sessions. They have ended: people sign in again.\n"
        )
    if waiting:
        sys.stdout.write(
            f"{name} has {waiting} deleted accounts. Their owners can restore them until"
            f" {now + restore.grace:%Y-%m-%d %H:%M} UTC.\n"
        )
    return 0


def main(arguments: list[str] | None = None) -> int:
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
    options.add_argument(
        "--as",
        dest="operator",
        default=os.environ.get("ROLECALL_OPERATOR"),
        metavar="NAME",
        help="your name for the audit log (default: ROLECALL_OPERATOR)",
    )
    options.add_argument("--reason", metavar="TEXT", help="why it was restored, for the audit log")
    given = options.parse_args(arguments)
    return asyncio.run(
        run(
            Restore(
                url=given.url,
                database=given.database,
                grace=timedelta(days=given.grace_days),
                operator=given.operator,
                explanation=given.reason,
            )
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
