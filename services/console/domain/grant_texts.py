"""Grants in the few words that a page shows: levels, how far they reach, and their conditions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.domain.grant_unions import ALL, Grant
from services.console.domain.permission_tables import (
    Grants,
    PermissionTable,
    TableEntry,
    TableLevel,
    TableSection,
    held_levels,
)

_PHRASES: Mapping[str, tuple[str, str]] = {
    "equals": ("is", "is not"),
    "in": ("is one of", "is none of"),
    "contains": ("contains", "does not contain"),
    "in_network": ("is an address in", "is an address outside of"),
    "same_as": ("is the same as", "differs from"),
}
"""Each comparison, and its negation."""


@dataclass(frozen=True, kw_only=True)
class LevelText:
    """A level that is held. `limit` is empty where it reaches everything.

    Otherwise it is `self`, or the grant in words. `source` is where it comes from, if that is
    known.
    """

    level: TableLevel
    limit: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class EntryText:
    """A row of the table for people: every level that is held, highest first, and the others."""

    entry: TableEntry
    held: Sequence[LevelText]
    missing: Sequence[TableLevel]
    source: str = ""
    """Where it comes from that nothing is held, if that is known."""

    @property
    def common_limit(self) -> str:
        """The limit that several levels share; empty if they share none."""
        limits = {one.limit for one in self.held}
        return limits.pop() if len(self.held) > 1 and len(limits) == 1 else ""

    def gives_as(self, other: "EntryText") -> bool:
        """Whether both give the same, wherever it comes from."""
        own, theirs = ([(one.level.id, one.limit) for one in row.held] for row in (self, other))
        return own == theirs


def differing(
    sections: Sequence[TableSection], rows: Mapping[str, EntryText], others: Mapping[str, EntryText]
) -> list[TableSection]:
    """The sections, with the entries alone of which the rows give something else."""
    return [
        TableSection(title=section.title, entries=entries)
        for section in sections
        if (
            entries := tuple(
                one for one in section.entries if not rows[one.id].gives_as(others[one.id])
            )
        )
    ]


def of_grants(table: PermissionTable, grants: Grants) -> dict[str, EntryText]:
    """What grants give, by entry."""
    held = held_levels(table, grants)
    found = {}
    for entry in table.entries.values():
        texts = {
            level.id: grant_text(held[level.place].grant)
            for level in entry.levels
            if level.place in held
        }
        found[entry.id] = _row(entry, texts, {})
    return found


def of_cells(
    table: PermissionTable, cells: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> dict[str, EntryText]:
    """What a member has in one place, by entry: from the cells of the API's access table."""
    found = {}
    for entry in table.entries.values():
        here = cells.get(entry.id, {})
        texts = {level: cell["scope"] for level, cell in here.items() if cell["scope"]}
        found[entry.id] = _row(
            entry, texts, {level: str(cell["source"]) for level, cell in here.items()}
        )
    return found


def _row(entry: TableEntry, texts: Mapping[str, str], sources: Mapping[str, str]) -> EntryText:
    missing = [level for level in entry.levels if level.id not in texts]
    return EntryText(
        entry=entry,
        held=[
            LevelText(
                level=level,
                limit="" if texts[level.id] == ALL else texts[level.id],
                source=sources.get(level.id, ""),
            )
            for level in reversed(entry.levels)
            if level.id in texts
        ],
        missing=missing,
        source=sources.get(missing[0].id, "") if missing else "",
    )


def summary(rows: Sequence[EntryText]) -> list[tuple[str, Sequence[str]]]:
    """What has each highest level, that of the most first; an empty title: nothing is held."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.held[0].level.title if row.held else "", []).append(row.entry.title)
    return sorted(found.items(), key=lambda one: (not one[0], -len(one[1])))


def grant_text(grant: Grant) -> str:
    """A grant in words: `all`, `self`, or `all when …`."""
    if isinstance(grant, str):
        return grant
    return "; or ".join(
        f"{one['scope']} when {_condition(one['when'])}" if "when" in one else str(one["scope"])
        for one in grant
    )


def _condition(when: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    tests = [when] if isinstance(when, Mapping) else when
    return " and ".join(map(_test, tests))


def _test(test: Mapping[str, Any]) -> str:
    negated = "not" in test
    said = test["not"] if negated else test
    name = next((name for name in _PHRASES if name in said), "")
    phrase = _PHRASES[name][negated] if name else ""
    return f"{said.get('path', '')} {phrase} {_operand(name, said.get(name))}"


def _operand(name: str, value: Any) -> str:
    if name == "same_as":
        return str(value)
    if name == "in_network":
        # one address is shown as constants are, in quotes
        return " or ".join(value) if isinstance(value, list) else json.dumps(value)
    constants = value if isinstance(value, list) else [value]
    return ", ".join(json.dumps(one, ensure_ascii=False) for one in constants)
