"""Marks of what services of the platform reported, so that each report is recorded once."""

from collections.abc import Collection, Mapping
from datetime import datetime

from shared.mongo import Database, DbSession, insert_all_once, majority


class ReportRows:
    """The collection `reports`: the key of each report with its digest."""

    def __init__(self, database: Database) -> None:
        self._reports = majority(database, "reports")

    async def report_digests(self, keys: Collection[str]) -> dict[str, str]:
        """The digests of those of these reports that are recorded."""
        found = self._reports.find({"_id": {"$in": sorted(keys)}}, {"digest": 1})
        return {row["_id"]: row["digest"] async for row in found}

    async def add_report_marks(
        self, marks: Mapping[str, str], *, now: datetime, session: DbSession
    ) -> None:
        """Mark these reports as recorded.

        Raises:
            AlreadyThere: one of them is marked; the transaction has ended.
        """
        rows = [{"_id": key, "digest": digest, "at": now} for key, digest in marks.items()]
        await insert_all_once(self._reports, rows, session)
