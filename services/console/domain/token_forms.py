"""The form of a new API token: what it asks for, and the request that it makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.console.domain.moments import end_of_day
from shared.zones import zone_of

USUAL_DAYS, MOST_DAYS = 90, 365
PROJECT, GRANT = "project.", "grant."
"""The beginnings of the names of boxes; what follows is a project, or entry and level."""


@dataclass(frozen=True, kw_only=True)
class LevelBox:
    """A level of an entry that a token can be restricted to."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class EntryBoxes:
    """An entry of the catalog, with the levels of it that the visitor holds."""

    title: str
    levels: Sequence[LevelBox]


def boxes(catalog: Mapping[str, Any], table: Mapping[str, Mapping[str, Any]]) -> list[EntryBoxes]:
    """The entries of a catalog with the levels that the table of the visitor has."""
    found = []
    for entry in (entry for section in catalog["sections"] for entry in section["entries"]):
        held = table.get(entry["id"], {})
        levels = [
            LevelBox(name=f"{GRANT}{entry['id']}.{level['id']}", title=level["title"])
            for level in entry["levels"]
            if held.get(level["id"])
        ]
        if levels:
            found.append(EntryBoxes(title=entry["title"], levels=levels))
    return found


def days(now: datetime, time_zone: str) -> Mapping[str, str]:
    """The first, the usual and the last day on which a token can end, in the zone of its maker."""
    today = now.astimezone(zone_of(time_zone)).date()
    ends = {"first": 0, "usual": USUAL_DAYS, "last": MOST_DAYS}
    return {name: (today + timedelta(days=number)).isoformat() for name, number in ends.items()}


def new_token(typed: Mapping[str, str], time_zone: str) -> dict[str, Any]:
    """The request of a form. Without a box of its kind, a token is not restricted by it."""
    day = typed.get("expires_at", "")
    projects = [name.removeprefix(PROJECT) for name in typed if name.startswith(PROJECT)]
    grants: dict[str, list[str]] = {}
    for name in typed:
        if name.startswith(GRANT):
            entry, _, level = name.removeprefix(GRANT).partition(".")
            grants.setdefault(entry, []).append(level)
    return {
        "name": typed.get("name", ""),
        "expires_at": end_of_day(day, time_zone=time_zone) or day,
        "restriction": {
            "projects": projects or None,
            "grants": grants or None,
            "read_only": "read_only" in typed,
        },
    }


def grant_titles(catalog: Mapping[str, Any], grants: Mapping[str, Sequence[str]]) -> list[str]:
    """What a token is restricted to, in the words of the catalog; `Instances: View, Start`."""
    entries = {
        entry["id"]: entry for section in catalog["sections"] for entry in section["entries"]
    }
    titles = []
    for entry_id, levels in grants.items():
        entry = entries.get(entry_id, {"title": entry_id, "levels": ()})
        named = {level["id"]: level["title"] for level in entry["levels"]}
        titles.append(f"{entry['title']}: {', '.join(named.get(one, one) for one in levels)}")
    return titles
