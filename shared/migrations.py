"""Numbered changes of a database's form, each applied once, by one replica at a time.

The collection `migrations` holds one document for each applied step, and the lock of the replica
that is applying steps. A changed step is a new step with the next number.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.cancellation import end
from shared.clock import Clock, SystemClock
from shared.indexes import DropStep, IndexStep, Step, build_last_forms
from shared.migration_lock import LOCK_ID, MigrationLock
from shared.mongo import Database, Document, insert_missing, majority
from shared.problems import StartRefused
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

_log = logging.getLogger(__name__)


class Phase(StrEnum):
    """When a step may be applied during an update."""

    EXPAND = "expand"
    """Before the first new replica: replicas of the version before go on with the new form."""
    CONTRACT = "contract"
    """After the last old replica: it takes away what they need, and new ones do without it."""
    REPLACE = "replace"
    """Between them: new replicas need the new form, and old ones cannot go on with it."""


@dataclass(frozen=True)
class Migration:
    """One step. It must be repeatable: a process may end between the step and its record.

    A step may also run beside itself and beside later steps. A holder of the lock that was frozen
    for more than a term goes on with its statement when it wakes, before it notices its successor.
    A step that contracts runs after those behind it, so it undoes nothing that they do, and they
    build on nothing that it does.
    """

    number: int
    name: str
    step: Step
    phase: Phase = Phase.REPLACE


class MigrationsMissing(StartRefused):
    """Steps must be applied before this version starts, and it may not apply them."""


class NewerDatabase(StartRefused):
    """The database has steps that this version does not know."""


class CannotGoBack(StartRefused):
    """A step that was applied took away what the version before needs."""


class MigrationMismatch(StartRefused):
    """A step was applied under another name: two versions gave one number to two steps."""


async def migrate(
    database: Database,
    migrations: Sequence[Migration],
    *,
    clock: Clock,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    contract: bool = True,
) -> None:
    """Apply the steps that the database does not have, in order, and record each.

    Without `contract` it leaves out the steps that contract, unless the database is new.

    Of replicas that start at once one applies the steps; the others wait for it, and succeed it
    when its lock was not renewed for `timeouts.migration_lock` seconds.

    Raises:
        ValueError: the numbers are not 1, 2, 3 and so on, or a name stands twice.
        NewerDatabase, MigrationMismatch: this version must not run on the database.
        Exception: what a step raised; the next start tries that step again.
    """
    check_numbers(migrations)
    runner = _Runner(database, migrations, clock, timeouts.migration_lock, contract=contract)
    while await runner.due():
        if await runner.lock.acquire():
            await runner.apply_locked()
        else:
            await runner.lock.pause()


async def pending_steps(
    database: Database, migrations: Sequence[Migration], *, clock: Clock
) -> Sequence[Migration]:
    """The steps that the database does not have.

    Raises:
        NewerDatabase, MigrationMismatch: as `migrate` says.
    """
    check_numbers(migrations)
    return await _Runner(database, migrations, clock, 1, contract=True).due()


async def require_expanded(
    database: Database, migrations: Sequence[Migration], *, clock: Clock, service: str
) -> None:
    """Refuse the start while a step is missing that must be applied before it.

    Raises:
        MigrationsMissing: `deploy.migrate` has to run first.
        NewerDatabase, MigrationMismatch: as `migrate` says.
    """
    check_numbers(migrations)
    if due := await _Runner(database, migrations, clock, 1, contract=False).due():
        raise MigrationsMissing(
            f"The database {database.name} lacks migration {due[0].number} ({due[0].name}) and "
            f"{len(due) - 1} more. Run `python -m deploy.migrate {service}` with the settings of "
            f"{service} first, or set ROLECALL_{service.upper()}_MIGRATE=at-start."
        )


async def forget_expanded(
    database: Database, migrations: Sequence[Migration], *, after: int
) -> Sequence[Migration]:
    """Delete the records of the steps behind `after`, and return these steps.

    A version before 0.2 then starts on the database. The next update applies them again.

    Raises:
        CannotGoBack: one of them did more than to expand the database.
        NewerDatabase, MigrationMismatch: as `migrate` says.
    """
    runner = _Runner(database, migrations, SystemClock(), 1, contract=True)
    left = {each.number for each in await runner.pending()}
    applied = [each for each in migrations if each.number > after and each.number not in left]
    if kept := next((each for each in applied if each.phase is not Phase.EXPAND), None):
        raise CannotGoBack(
            f"Migration {kept.number} ({kept.name}) of the database {database.name} cannot be "
            "taken back. Restore a backup from before it."
        )
    numbers = [each.number for each in applied]
    await majority(database, "migrations").delete_many({"_id": {"$in": numbers}})
    return applied


def check_numbers(migrations: Sequence[Migration]) -> None:
    """Raise `ValueError` unless the numbers are contiguous from 1 and the names unique."""
    numbers = [migration.number for migration in migrations]
    if numbers != list(range(1, len(migrations) + 1)):
        raise ValueError(f"migrations must be numbered 1, 2, 3 and so on, not {numbers}")
    if len({migration.name for migration in migrations}) != len(migrations):
        raise ValueError("each migration needs a name of its own")


class _Runner:
    def __init__(
        self,
        database: Database,
        migrations: Sequence[Migration],
        clock: Clock,
        term: float,
        *,
        contract: bool,
    ) -> None:
        self.lock = MigrationLock(database, clock, term)
        self._database = database
        self._migrations = migrations
        self._clock = clock
        self._contract = contract
        self._applied = majority(database, "migrations")

    async def due(self) -> Sequence[Migration]:
        """The steps that are not recorded and may be applied now.

        Raises:
            NewerDatabase, MigrationMismatch: as `migrate` says.
        """
        pending = await self.pending()
        if self._contract or await self._is_new(pending):
            return pending
        # What a version before left to contract must not hold back what this one needs.
        return [each for each in pending if each.phase is not Phase.CONTRACT]

    async def pending(self) -> list[Migration]:
        """The steps that are not recorded.

        Raises:
            NewerDatabase, MigrationMismatch: as `migrate` says.
        """
        found = self._applied.find({"_id": {"$ne": LOCK_ID}})
        records = {record["_id"]: record async for record in found}
        applied = {number: record["name"] for number, record in records.items()}
        known = len(self._migrations)
        # An earlier version goes on with what expands only, so that an update can be taken back.
        newer = [
            number
            for number, record in records.items()
            if number > known and record.get("phase") != Phase.EXPAND
        ]
        if highest := max(newer, default=0):
            raise NewerDatabase(
                f"The database {self._database.name} has migration {highest} "
                f"({applied[highest]}), this version knows {known}. "
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
        pending = await self.due()
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
                {
                    "_id": migration.number,
                    "name": migration.name,
                    "phase": migration.phase,
                    "applied_at": self._clock.now(),
                }
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
