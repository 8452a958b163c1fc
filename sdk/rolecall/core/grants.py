"""Grants as they are written, expanded to the levels of a catalog."""

from collections.abc import Mapping

from rolecall.core.problems import Place, Problem, choices, did_you_mean
from rolecall.core.table import Entry, Grants, Level, Scope

WILDCARD = "*"


def expand(
    grants: Grants, entries: Mapping[str, Entry], place: Place = ()
) -> tuple[dict[str, dict[str, Scope]], list[Problem]]:
    """Expand every `*`, and list the grants that name an unknown entry or level.

    A named entry replaces what `*` would give it; a named level replaces it within its entry. For
    a level that does not offer scope `self`, `*` in scope `self` grants nothing.
    """
    expanded: dict[str, dict[str, Scope]] = {}
    common = grants.get(WILDCARD, {})
    known_levels = {level.id for entry in entries.values() for level in entry.levels}
    problems = [
        Problem((*place, name), f"The table has no entry {name!r}. {choices(name, entries)}")
        for name in grants
        if name != WILDCARD and name not in entries
    ]
    problems += [
        Problem(
            (*place, WILDCARD, name),
            f"No entry has a level {name!r}. {did_you_mean(name, sorted(known_levels))}Name a level"
            " of the table, or remove this grant.",
        )
        for name in common
        if name != WILDCARD and name not in known_levels
    ]
    for entry in entries.values():
        levels = {level.id: level for level in entry.levels}
        named = grants.get(entry.id, common)
        if entry.id in grants:
            problems += _misfits(named, levels, (*place, entry.id))
        cells = {}
        for level in levels.values():
            scope = named.get(level.id, named.get(WILDCARD))
            if scope is Scope.ALL or (scope is Scope.SELF and level.offers_self):
                cells[level.id] = scope
        if cells:
            expanded[entry.id] = cells
    return expanded, problems


def _misfits(
    named: Mapping[str, Scope], levels: Mapping[str, Level], place: Place
) -> list[Problem]:
    problems = []
    for level_id, scope in named.items():
        if level_id == WILDCARD:
            continue
        if level_id not in levels:
            message = f"This entry has no level {level_id!r}. {choices(level_id, levels)}"
        elif scope is Scope.SELF and not levels[level_id].offers_self:
            message = (
                f"The level {level_id!r} does not offer scope 'self'."
                " Grant 'all', or remove the grant."
            )
        else:
            continue
        problems.append(Problem((*place, level_id), message))
    return problems
