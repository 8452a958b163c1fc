"""Numbered changes of a database's form, each applied once, by one replica at a time.

The collection `migrations` holds one document for each applied step, and the lock of the replica
that is applying steps. A changed step is a new step with the next number.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from shared.cancellation import end
from shared.clock import Clock
from shared.ids import new_id
from shared.indexes import DropStep, IndexStep, Step, build_last_forms
from shared.mongo import (
    AlreadyThere,
    Database,
    DatabaseAway,
    Document,
    insert_missing,
    insert_once,
    majority,
)
from shared.problems import StartRefused
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

LOCK_ID = "lock"
RENEWALS_PER_TERM = 4
POLLS_PER_TERM = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Migration:
    """One step. It must be repeatable: a process may end between the step and its record.

    A step may also run beside itself and beside later steps. A holder of the lock that was frozen
    for more than a term goes on with its statement when it wakes, before it notices its successor.
    """

    number: int
    name: str
    step: Step


class NewerDatabase(StartRefused):
    """The database has steps that this version does not know."""


class MigrationMismatch(StartRefused):
    """A step was applied under another name: two versions gave one number to two steps."""


async def migrate(
    database: Database,
    migrations: Sequence[Migration],
    *,
    clock: Clock,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> None:
    """Apply the steps that the database does not have, in order, and record each.

    Of replicas that start at once one applies the steps; the others wait for it, and succeed it
    when its lock was not renewed for `timeouts.migration_lock` seconds.

    Raises:
        ValueError: the numbers are not 1, 2, 3 and so on, or a name stands twice.
        NewerDatabase, MigrationMismatch: this version must not run on the database.
        Exception: what a step raised; the next start tries that step again.
    """
    check_numbers(migrations)
    runner = _Runner(database, migrations, clock, timeouts.migration_lock)
    while await runner.pending():
        if await runner.lock.acquire():
            await runner.apply_locked()
        else:
            await runner.lock.pause()


def check_numbers(migrations: Sequence[Migration]) -> None:
    """Raise `ValueError` unless the numbers are contiguous from 1 and the names unique."""
    numbers = [migration.number for migration in migrations]
    if numbers != list(range(1, len(migrations) + 1)):
        raise ValueError(f"migrations must be numbered 1, 2, 3 and so on, not {numbers}")
    if len({migration.name for migration in migrations}) != len(migrations):
        raise ValueError("each migration needs a name of its own")


class _Runner:
    def __init__(
        self, database: Database, migrations: Sequence[Migration], clock: Clock, term: float
    ) -> None:
        self.lock = _Lock(database, clock, term)
        self._database = database
        self._migrations = migrations
        self._clock = clock
        self._applied = majority(database, "migrations")

    async def pending(self) -> list[Migration]:
        """The steps that are not recorded.

        Raises:
            NewerDatabase, MigrationMismatch: as `migrate` says.
        """
        found = self._applied.find({"_id": {"$ne": LOCK_ID}})
        applied = {record["_id"]: record["name"] async for record in found}
        highest = max(applied, default=0)
        if highest > len(self._migrations):
            raise NewerDatabase(
                f"The database {self._database.name} has migration {highest} "
                f"({applied[highest]}), this version knows {len(self._migrations)}. "
                "Start the newer version, or restore a backup from before its first start."
            )
        for migration in self._migrations:
            name = applied.get(migration.number, migration.name)
            if name != migration.name:
                raise MigrationMismatch(
                    f"Migration {migration.number} of the database {self._database.name} was "
                    f"applied as {name!r}, this version calls it {migration.name!r}. "
                    "Give the new step a new number."
                )
        return [migration for migration in self._migrations if migration.number not in applied]

    async def apply_locked(self) -> None:
        """Apply what is pending while the lock is ours; return early when it is lost."""
        work = asyncio.create_task(self._apply())
        keeper = asyncio.create_task(self.lock.keep())
        try:
            await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            else:
                _log.warning("lost the lock of the migrations of %s", self._database.name)
        finally:
            await end({work, keeper})
            await self.lock.release()

    async def _apply(self) -> None:
        total = len(self._migrations)
        pending = await self.pending()
        new = await self._is_new(pending)
        if new:
            await build_last_forms(self._database, [migration.step for migration in pending])
        records: list[Document] = []
        for migration in pending:
            _log.info("migration %d of %d: %s", migration.number, total, migration.name)
            built = new and isinstance(migration.step, IndexStep | DropStep)
            if not built:
                await migration.step(self._database)
            records.append(
                {"_id": migration.number, "name": migration.name, "applied_at": self._clock.now()}
            )
            if not built:
                await self._record(records)
                records = []
        await self._record(records)

    async def _is_new(self, pending: Sequence[Migration]) -> bool:
        """Whether the database has nothing but the lock."""
        if len(pending) < len(self._migrations):
            return False
        return set(await self._database.list_collection_names()) <= {self._applied.name}

    async def _record(self, records: Sequence[Document]) -> None:
        """Record steps; another replica may have recorded them."""
        if records:
            await insert_missing(self._applied, records)


class _Lock:
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
