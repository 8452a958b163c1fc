"""What two grants of one level allow together, as the API writes grants."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Grant = str | Sequence[Mapping[str, Any]]
"""The grant of one level, as the API writes it."""
ALL, SELF = "all", "self"
"""The scopes: everything, or the member's own."""
Part = tuple[bool, str, str]
"""An alternative in the order of the API: whether it has a condition, its scope, its condition."""


def widest(one: Grant, other: Grant) -> Grant:
    """The grant that allows what any of both allows."""
    if one in (other, ALL):
        return one
    if other == ALL:
        return other
    parts = {**_parts(one), **_parts(other)}
    kept = {
        part: written
        for part, written in sorted(parts.items(), key=lambda row: row[0])
        if not any(_covers(wider, part) for wider in parts if wider != part)
    }
    for grant in (one, other):
        if kept.keys() == _parts(grant).keys():
            return grant
    return list(kept.values())


def _parts(grant: Grant) -> dict[Part, Mapping[str, Any]]:
    alternatives = [{"scope": grant}] if isinstance(grant, str) else grant
    return {_part(one): one for one in alternatives}


def _part(one: Mapping[str, Any]) -> Part:
    when = json.dumps(one["when"], sort_keys=True, ensure_ascii=False) if "when" in one else ""
    return "when" in one, one["scope"], when


def _covers(wider: Part, part: Part) -> bool:
    """Whether an alternative allows all that the other allows."""
    conditional, scope, when = wider
    reaches = scope == ALL or part[1] == SELF
    return reaches and (not conditional or when == part[2])
