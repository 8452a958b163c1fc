"""Marks of what services of the platform reported, so that each report is recorded once."""

from collections.abc import Collection, Mapping
from datetime import datetime

from shared.mongo import Database, DbSession, insert_all_once, majority

KEYS_OF_A_QUESTION = 100
"""SecantusDB looks up to about this many keys up one by one, and reads all documents for more."""


class ReportRows:
    """The collection `reports`: the key of each report with its digest."""

    def __init__(self, database: Database) -> None:
        self._reports = majority(database, "reports")

    async def report_digests(self, keys: Collection[str]) -> dict[str, str]:
        """The digests of those of these reports that are recorded."""
        ordered, digests = sorted(keys), {}
        for start in range(0, len(ordered), KEYS_OF_A_QUESTION):
            some = ordered[start : start + KEYS_OF_A_QUESTION]
            found = self._reports.find({"_id": {"$in": some}}, {"digest": 1})
            digests.update({row["_id"]: row["digest"] async for row in found})
        return digests

    async def add_report_marks(
        self, marks: Mapping[str, str], *, now: datetime, session: DbSession
    ) -> None:
        """Mark these reports as recorded.

        Raises:
            AlreadyThere: one of them is marked; the transaction has ended.
        """
        rows = [{"_id": key, "digest": digest, "at": now} for key, digest in marks.items()]
        await insert_all_once(self._reports, rows, session)
