"""The erasure of personal values, as far as records of the log itself tell of it."""

from collections.abc import Mapping
from typing import Any

ERASED = "records.erased"
"""The action of the record that says in how many records values of a deleted user were erased."""


def told_erasures(record: Mapping[str, Any]) -> int:
    """In how many records values were erased, as this one says: audit itself recorded it."""
    if record.get("action") != ERASED or record.get("reported_by") is not None:
        return 0
    told = (record.get("after") or {}).get("records")
    of_audit = record["position"]["source"] == "audit"
    return told if of_audit and type(told) is int and told > 0 else 0
