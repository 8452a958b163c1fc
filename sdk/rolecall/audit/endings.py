"""The end of records by retention, as far as records of the log itself tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rolecall.audit.scattered import Indexes

ENDED = "records.ended"
"""The action of the record that says how far retention has ended the records."""


@dataclass
class Ending:
    """The records of which an export has the hash only: the oldest ones, as a record says.

    A hash above a record that is kept, or one that no record tells of, is of a removed record.
    """

    hashes: int = 0
    days: int | None = None
    """The days after which they ended."""
    _until: int = 0
    _kept: Indexes = field(default_factory=Indexes)

    def add(self, index: int, *, hash_only: bool, told: tuple[int, int | None]) -> None:
        """Look at a record; `told` is up to which index, and after how many days, it says so."""
        if hash_only:
            self.hashes += 1
            return
        self._kept.add(index)
        if told[0] > self._until:
            self._until, self.days = told

    def removed(self, size: int) -> int | None:
        """The first hash in a whole log of a record that has not ended; `None` if all have."""
        for first, end in self._kept.gaps(size):
            if first or end > self._until:
                return first or self._until
        return None


def told_end(record: Mapping[str, Any]) -> tuple[int, int | None]:
    """Up to which index the records have ended, if this one says so: audit itself recorded it."""
    if record.get("action") != ENDED or record.get("reported_by") is not None:
        return 0, None
    told = record.get("after") or {}
    until, days = told.get("until"), told.get("days")
    if record["position"]["source"] != "audit" or type(until) is not int:
        return 0, None
    return until, days if type(days) is int else None
