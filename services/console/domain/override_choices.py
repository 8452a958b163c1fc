"""The choices of the page that gives one member other permissions inside one project."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.console.domain.grant_unions import ALL, SELF, Grant
from services.console.domain.permission_tables import (
    CONDITIONAL,
    NONE,
    Grants,
    HeldLevel,
    PermissionTable,
    Place,
    TableLevel,
    TableSection,
    choice_of,
    held_levels,
    levels_of,
)


class LevelChoice(StrEnum):
    """What a person chooses for one level."""

    AS_ROLE = "role"
    """As the role has it at the moment of the press: an override replaces all that the role gives
    inside the project, so the grant is copied."""
    ALLOW = "all"
    OWN = "self"
    DENY = "deny"
    KEEP = "when"
    """The conditions that the override has."""


_REACH = {NONE: 0, SELF: 1, ALL: 2}
_LIMITS = {LevelChoice.DENY: NONE, LevelChoice.OWN: SELF}


@dataclass(frozen=True, kw_only=True)
class LevelContradiction:
    """A level that is refused, although another one that was chosen brings it along."""

    refused: TableLevel
    chosen: TableLevel


def shown_choices(
    table: PermissionTable,
    sections: Sequence[TableSection],
    *,
    role: Grants,
    override: Grants | None,
) -> dict[str, str]:
    """The choice of each field, for a member with this role and override."""
    by_role = held_levels(table, role)
    given = by_role if override is None else held_levels(table, override)
    return {
        level.field: _shown(by_role.get(level.place), given.get(level.place))
        for level in levels_of(sections)
    }


def _shown(by_role: HeldLevel | None, given: HeldLevel | None) -> LevelChoice:
    if (by_role and by_role.grant) == (given and given.grant):
        return LevelChoice.AS_ROLE
    if given is None:
        return LevelChoice.DENY
    return {ALL: LevelChoice.ALLOW, SELF: LevelChoice.OWN}.get(given.choice, LevelChoice.KEEP)


def chosen_grants(
    table: PermissionTable,
    sections: Sequence[TableSection],
    typed: Mapping[str, str],
    *,
    role: Grants,
    override: Grants | None,
) -> tuple[dict[str, dict[str, Grant]], list[LevelContradiction]]:
    """The grants of the override that a form says, and what contradicts itself in it.

    A higher level brings lower ones along. One that is left as in the role gives way where a lower
    one is denied or limited: what else it brings along is chosen by itself.
    """
    by_role = held_levels(table, role)
    had = held_levels(table, override or {})
    chosen = {level.place: _choice(typed.get(level.field)) for level in levels_of(sections)}
    grants: dict[str, dict[str, Grant]] = {}
    faults: list[LevelContradiction] = []
    for level in levels_of(sections):
        choice = chosen[level.place]
        source = by_role if choice is LevelChoice.AS_ROLE else had
        here = source.get(level.place)
        grant = {LevelChoice.ALLOW: ALL, LevelChoice.OWN: SELF, LevelChoice.DENY: NONE}.get(
            choice, here.grant if here else NONE
        )
        for lower, limit in _limited(table, level, chosen):
            if not _wider(grant, limit):
                continue
            if choice is LevelChoice.AS_ROLE:
                grant = limit if level.offers_self else NONE
            else:
                faults.append(LevelContradiction(refused=lower, chosen=level))
        if grant:
            grants.setdefault(level.entry, {})[level.id] = grant
    return grants, faults


def _choice(text: str | None) -> LevelChoice:
    return LevelChoice(text) if text in set(LevelChoice) else LevelChoice.AS_ROLE


def _limited(
    table: PermissionTable, level: TableLevel, chosen: Mapping[Place, LevelChoice]
) -> Iterator[tuple[TableLevel, Grant]]:
    """The levels that come with this one and are denied or limited, and how far they may reach."""
    for lower in table.entries[level.entry].levels:
        limit = _LIMITS.get(chosen[lower.place])
        if lower.id in level.included and limit is not None:
            yield lower, limit


def _wider(grant: Grant, limit: Grant) -> bool:
    """Whether a grant reaches further; one with conditions reaches further than none or own."""
    choice = choice_of(grant)
    if choice == CONDITIONAL:
        return True
    return _REACH[choice] > _REACH[choice_of(limit)]
