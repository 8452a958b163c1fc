"""How long accounts keep their records, and how far the records of each tree have ended."""

from collections.abc import Sequence
from dataclasses import replace

from services.audit.domain.records import Record
from services.audit.domain.retention import Endings, RecordedAt, Retention
from services.audit.store.records import record_in
from shared.contracts.facts import Position
from shared.documents import changes
from shared.mongo import (
    Database,
    DbSession,
    Document,
    insert_once,
    majority,
    update_expected,
)


class RetentionRows:
    """The collections `retentions` and `endings`."""

    def __init__(self, database: Database) -> None:
        self._retentions = majority(database, "retentions")
        self._endings = majority(database, "endings")
        self._trees_to_end = majority(database, "trees")
        self._ended_records = majority(database, "records")
        self._ended_seals = majority(database, "seals")

    async def retention(
        self, account_id: str, session: DbSession | None = None
    ) -> Retention | None:
        """What an account has chosen; `None` if it has not."""
        found = await self._retentions.find_one({"_id": account_id}, session=session)
        return None if found is None else _retention(found)

    async def set_retention(
        self, account_id: str, retention: Retention, session: DbSession
    ) -> None:
        """Save what an account has chosen."""
        await self._retentions.update_one(
            {"_id": account_id}, {"$set": changes(retention)}, upsert=True, session=session
        )

    async def endings(self, tree: str, session: DbSession | None = None) -> Endings:
        """How far the records of a tree have ended."""
        found = await self._endings.find_one({"_id": tree}, session=session)
        return Endings(tree=tree) if found is None else _endings(tree, found)

    async def save_endings(self, before: Endings, after: Endings, session: DbSession) -> None:
        """Save how far the records of a tree have ended, over the state that was read.

        Raises:
            Lost, AlreadyThere: another process was first; the transaction has ended.
        """
        saved = _endings_document(replace(after, changes=before.changes + 1))
        if not before.changes:
            await insert_once(self._endings, {"_id": after.tree, **saved}, session)
            return
        expected = {"_id": after.tree, "changes": before.changes}
        await update_expected(self._endings, expected, {"$set": saved}, session)

    async def trees_after(self, after: str, *, limit: int) -> list[str]:
        """The names of trees, in their order."""
        found = self._trees_to_end.find({"_id": {"$gt": after}}, {"_id": 1})
        return [tree["_id"] async for tree in found.sort("_id", 1).limit(limit)]

    async def recorded(self, event_ids: Sequence[str]) -> list[RecordedAt]:
        """The times of those of these records that exist."""
        shown = {"recorded_at": 1, "occurred_at": 1, "action": 1}
        found = self._ended_records.find({"_id": {"$in": list(event_ids)}}, shown)
        return [
            RecordedAt(
                id=each["_id"],
                recorded_at=each["recorded_at"],
                occurred_at=each["occurred_at"],
                action=each["action"],
            )
            async for each in found
        ]

    async def record_at(self, position: Position) -> Record | None:
        """The record of a row."""
        place = {f"position.{name}": value for name, value in position._asdict().items()}
        found = await self._ended_records.find_one(place)
        return None if found is None else record_in(found)

    async def delete_records(self, event_ids: Sequence[str], session: DbSession) -> None:
        """Delete records with their salts; their hashes stay in the tree."""
        wanted = {"_id": {"$in": list(event_ids)}}
        await self._ended_records.delete_many(wanted, session=session)
        await self._ended_seals.delete_many(wanted, session=session)


def _retention(found: Document) -> Retention:
    return Retention(
        days=found["days"],
        chosen_at=found["chosen_at"],
        former_days=found["former_days"],
        former_until=found["former_until"],
    )


def _endings_document(endings: Endings) -> Document:
    place = endings.announcement
    saved = {**changes(endings), "announcement": None if place is None else place._asdict()}
    saved.pop("tree")
    return saved


def _endings(tree: str, found: Document) -> Endings:
    place = found["announcement"]
    return Endings(
        tree=tree,
        until=found["until"],
        announced=found["announced"],
        announced_at=found["announced_at"],
        announcement=None if place is None else Position(**place),
        told_at=found["told_at"],
        last=found["last"],
        changes=found["changes"],
    )
