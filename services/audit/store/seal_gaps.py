"""The gaps that sealers have left, and the records in them, in MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from services.audit.domain.seal_gaps import Gap
from shared.mongo import AlreadyThere, Database, DbSession, Document, majority, update_all_expected


class SealGapRows:
    """Each document is one gap; what is left of one has another id."""

    def __init__(self, database: Database) -> None:
        self._gaps = majority(database, "seal_gaps")
        self._recorded = majority(database, "records")

    async def gaps(self, after: str, *, limit: int) -> dict[str, Gap]:
        """Some gaps by their ids, in the order of those."""
        found = self._gaps.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return {gap["_id"]: Gap(**{name: gap[name] for name in Gap._fields}) async for gap in found}

    async def add_gaps(self, gaps: Sequence[Gap], session: DbSession) -> None:
        """Note gaps; safe to repeat."""
        writes = [({"_id": _key(gap)}, {"$setOnInsert": gap._asdict()}) for gap in gaps]
        await update_all_expected(self._gaps, writes, session, insert=True)

    async def divide_gap(self, gap: Gap, rest: Sequence[Gap], session: DbSession) -> None:
        """Replace a gap by what is left of it.

        Raises:
            AlreadyThere: another sealer was first; the transaction has ended.
        """
        outcome = await self._gaps.delete_one({"_id": _key(gap)}, session=session)
        if not outcome.deleted_count:
            raise AlreadyThere(self._gaps.name)
        await self.add_gaps(rest, session)

    async def first_recorded(self, gap: Gap) -> datetime | None:
        """When the first record in a gap was recorded; `None` if there is none."""
        found = self._recorded.find(within(gap), {"recorded_at": 1})
        async for record in found.sort("position.seq", 1).limit(1):
            return record["recorded_at"]  # type: ignore[no-any-return]
        return None

    async def count_recorded(self, gap: Gap, *, before: datetime, limit: int) -> int:
        """Count the records in a gap that were recorded before a moment, `limit` at most."""
        wanted = {**within(gap), "recorded_at": {"$lt": before}}
        return await self._recorded.count_documents(wanted, limit=limit)


def within(gap: Gap) -> Document:
    """The filter that finds the records in a gap."""
    return {
        "position.source": gap.source,
        "position.epoch": gap.epoch,
        "position.shard": gap.shard,
        "position.seq": {"$gte": gap.first, "$lte": gap.last},
    }


def gap_document(gap: Gap) -> Document:
    """The document of a gap."""
    return {"_id": _key(gap), **gap._asdict()}


def _key(gap: Gap) -> str:
    return f"{gap.source}.{gap.epoch}.{gap.shard}.{gap.first}-{gap.last}"
