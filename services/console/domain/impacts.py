"""What a change would give and take, in rows for people: from the API's preview of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.domain.permission_tables import PermissionTable

NAMED = 5
"""The most members of a row who are named; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class LevelShift:
    """A level that is gained or lost, with its grant before and after, in words."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class EntryShift:
    """What is gained or lost of one entry."""

    title: str
    levels: Sequence[LevelShift]

    @property
    def common(self) -> LevelShift | None:
        """The change that several levels share, or None."""
        kinds = {(one.before, one.after) for one in self.levels}
        return self.levels[0] if len(self.levels) > 1 and len(kinds) == 1 else None


@dataclass(frozen=True, kw_only=True)
class PlaceShift:
    """What is gained and lost in one place: everywhere, or in the projects of these names."""

    projects: Sequence[str]
    gained: Sequence[EntryShift]
    lost: Sequence[EntryShift]


@dataclass(frozen=True, kw_only=True)
class ImpactRow:
    """Members for whom the same changes; `role_after` is empty where the membership ends."""

    names: Sequence[str]
    others: int
    role_before: str
    role_after: str
    joins: bool
    leaves: bool
    places: Sequence[PlaceShift]


@dataclass(frozen=True, kw_only=True)
class InvitationRow:
    """A pending invitation that ends, has another role, or passes to another inviter."""

    email: str
    ends: bool
    role_before: str
    role_after: str


@dataclass(frozen=True, kw_only=True)
class Impact:
    """A preview: who is concerned, and whether a rule of the account refuses the change.

    `more` members are concerned besides those of the rows. `tag` names all that it says.
    """

    rows: Sequence[ImpactRow]
    more: int
    ending: int
    invitations: Sequence[InvitationRow]
    more_invitations: int
    violations: Sequence[Mapping[str, Any]]
    etag: str | None
    tag: str

    @property
    def violated(self) -> Sequence[str]:
        """The names of the rules of the account that refuse the change."""
        return list(dict.fromkeys(str(one["guardrail"]) for one in self.violations))

    @property
    def nothing(self) -> bool:
        """Whether no one is concerned."""
        return not (self.rows or self.more or self.invitations)


def read_impact(
    preview: Mapping[str, Any],
    table: PermissionTable,
    *,
    projects: Mapping[str, str],
    after: PermissionTable | None = None,
) -> Impact:
    """The rows of a preview; `projects` are the names of those that the reader may see.

    What is gained is in the words of the table `after`, if the change brings another one.
    """
    tables = table, after or table
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for member in preview["items"]:
        same = {
            name: value
            for name, value in member.items()
            if name not in {"user_id", "name", "email"}
        }
        groups.setdefault(json.dumps(same, sort_keys=True), []).append(member)
    invitations = preview["invitations"]
    return Impact(
        rows=[_row(members, tables, projects) for members in groups.values()],
        more=preview["members_concerned"] - len(preview["items"]),
        ending=preview["memberships_ending"],
        invitations=[_invitation(one, tables) for one in invitations],
        more_invitations=preview["invitations_concerned"] - len(invitations),
        violations=preview["violations"],
        etag=preview["etag"],
        tag=shown_tag(preview),
    )


def shown_tag(preview: Mapping[str, Any]) -> str:
    """The tag of all that a preview says, as a form names it."""
    return str(preview["preview_tag"]).strip('"')


def _row(
    members: Sequence[Mapping[str, Any]],
    tables: tuple[PermissionTable, PermissionTable],
    projects: Mapping[str, str],
) -> ImpactRow:
    first, (before, after) = members[0], tables
    names = [one["name"] for one in members if one["name"] is not None][:NAMED]
    role, membership = first["role"], first["membership"]
    places: list[tuple[list[str], Mapping[str, Any]]] = [([], first["everywhere"])]
    places += [
        (
            sorted(projects.get(one, one) for one in place["project_ids"]),
            _besides(place, first["everywhere"]),
        )
        for place in first["in_projects"]
    ]
    return ImpactRow(
        names=names,
        others=len(members) - len(names),
        role_before=_title(before, role["before"]),
        role_after=_title(after, role["after"]),
        joins=membership["before"] == "none" and membership["after"] == "member",
        leaves=membership["before"] == "member" and membership["after"] == "none",
        places=[
            PlaceShift(
                projects=named,
                gained=shifts(after, place["gained"]),
                lost=shifts(before, place["lost"]),
            )
            for named, place in places
            if place["gained"] or place["lost"]
        ],
    )


def _besides(place: Mapping[str, Any], everywhere: Mapping[str, Any]) -> Mapping[str, Any]:
    """What changes in a place besides what changes everywhere in the same way."""
    return {
        way: {
            entry: left
            for entry, levels in place[way].items()
            if (
                left := {
                    level: change
                    for level, change in levels.items()
                    if everywhere[way].get(entry, {}).get(level) != change
                }
            )
        }
        for way in ("gained", "lost")
    }


def shifts(
    table: PermissionTable, changes: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> list[EntryShift]:
    """Every level that changes, by its entry: the highest first."""
    found = []
    for entry_id, levels in changes.items():
        entry = table.entries.get(entry_id)
        if entry is None:
            titles = [_shift(level, change) for level, change in levels.items()]
            found.append(EntryShift(title=entry_id, levels=titles))
            continue
        shown = [
            _shift(level.title, levels[level.id])
            for level in reversed(entry.levels)
            if level.id in levels
        ]
        found.append(EntryShift(title=entry.title, levels=shown))
    return found


def _shift(title: str, change: Mapping[str, Any]) -> LevelShift:
    return LevelShift(title=title, before=change["before"] or "", after=change["after"] or "")


def _invitation(
    one: Mapping[str, Any], tables: tuple[PermissionTable, PermissionTable]
) -> InvitationRow:
    before, after = tables
    return InvitationRow(
        email=one["email"] or "",
        ends=one["effect"] == "ends",
        role_before=_title(before, one["role"]["before"]),
        role_after=_title(after, one["role"]["after"]),
    )


def _title(table: PermissionTable, role_id: str | None) -> str:
    return "" if role_id is None else table.role_title(role_id)
