"""A record of the audit log as people read it: what changed, from what to what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MAX_SAFE = 2**53
"""Integers beyond it are others in a browser, so a record with one cannot be checked there."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One member of what changed; `None` is a member that is not there."""

    name: str
    before: Any
    after: Any

    @property
    def differs(self) -> bool:
        """Whether it is another one than before."""
        return bool(self.before != self.after)


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Changed]:
    """What a record says of before and after, those first that differ."""
    first, then = before or {}, after or {}
    found = [
        Changed(name=name, before=first.get(name), after=then.get(name))
        for name in dict.fromkeys([*then, *first])
    ]
    return sorted(found, key=lambda one: not one.differs)


def is_moment(name: str, value: Any) -> bool:
    """Whether the value of a member is a moment of the API, by its name and its form."""
    if not (name.endswith("_at") and isinstance(value, str)):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def in_line(value: Any) -> str:
    """A value of a record as one line: lists with commas, objects as names with values."""
    match value:
        case None:
            return ""
        case str():
            return value
        case Mapping():
            return "; ".join(f"{name}: {in_line(each)}" for name, each in value.items())
        case Sequence():
            return ", ".join(map(in_line, value))
    return json.dumps(value)


def as_data(record: Mapping[str, Any]) -> str:
    """A record as the API sends it."""
    return json.dumps(record, ensure_ascii=False, indent=2)


def fits_a_browser(value: Any) -> bool:
    """Whether a browser reads each number of a value as it is written."""
    match value:
        case int():
            return abs(value) <= MAX_SAFE
        case Mapping():
            return all(map(fits_a_browser, value.values()))
        case list():
            return all(map(fits_a_browser, value))
    return True
