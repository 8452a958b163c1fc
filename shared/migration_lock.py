"""The right of one replica to migrate a database."""

import asyncio
import contextlib
import logging
import secrets

from shared.clock import Clock
from shared.ids import new_id
from shared.mongo import AlreadyThere, Database, DatabaseAway, insert_once, majority

LOCK_ID = "lock"
RENEWALS_PER_TERM = 4
POLLS_PER_TERM = 20

_log = logging.getLogger(__name__)


class MigrationLock:
    """A lease on the right to migrate, without comparing the clocks of two machines.

    The holder changes `renewal` four times a term. A waiter that sees one value for a whole term,
    by its own clock, takes the lock over.
    """

    def __init__(self, database: Database, clock: Clock, term: float) -> None:
        self._locks = majority(database, "migrations")
        self._name = database.name
        self._clock = clock
        self._term = term
        self._holder = new_id("prc")
        self._watched = ""
        self._watched_since = 0.0

    async def acquire(self) -> bool:
        """Take a free lock, or that of a silent holder; return whether this process has it."""
        mine = {"holder": self._holder, "term_seconds": self._term, "renewal": _renewal()}
        current = await self._locks.find_one({"_id": LOCK_ID})
        if current is None:
            try:
                await insert_once(self._locks, {"_id": LOCK_ID, **mine})
            except AlreadyThere:
                return False
            return True
        now = self._clock.boottime()
        if current["renewal"] != self._watched:
            if not self._watched:
                _log.info("%s migrates %s, waiting", current["holder"], self._name)
            self._watched, self._watched_since = current["renewal"], now
            return False
        if now - self._watched_since <= current["term_seconds"]:
            return False
        _log.warning("%s fell silent while migrating %s", current["holder"], self._name)
        taken = await self._locks.update_one(
            {"_id": LOCK_ID, "renewal": current["renewal"]}, {"$set": mine}
        )
        return bool(taken.matched_count)

    async def keep(self) -> None:
        """Renew the lock until it is lost: taken over, or not renewed for a term."""
        renewed = self._clock.boottime()
        while True:
            await asyncio.sleep(self._term / RENEWALS_PER_TERM)
            began = self._clock.boottime()
            with contextlib.suppress(DatabaseAway):
                outcome = await self._locks.update_one(
                    {"_id": LOCK_ID, "holder": self._holder}, {"$set": {"renewal": _renewal()}}
                )
                if not outcome.matched_count:
                    return
                renewed = began
            if self._clock.boottime() - renewed > self._term:
                return

    async def release(self) -> None:
        """Delete the lock if it is ours; one that stays runs out."""
        with contextlib.suppress(DatabaseAway):
            await self._locks.delete_one({"_id": LOCK_ID, "holder": self._holder})

    async def pause(self) -> None:
        """Wait a moment before looking again."""
        await asyncio.sleep(self._term / POLLS_PER_TERM)


def _renewal() -> str:
    return secrets.token_hex(8)
