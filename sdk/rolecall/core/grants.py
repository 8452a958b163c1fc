"""Which cells of a catalog's table do these grants name?"""

from collections.abc import Mapping

from rolecall.core.problems import Place, Problem
from rolecall.core.table import Entry, Grants, Level, Scope

ANY = "*"


def expand(
    grants: Grants, entries: Mapping[str, Entry], place: Place = ()
) -> tuple[dict[str, dict[str, Scope]], list[Problem]]:
    """Write every `*` out, and say which grants name nothing that `entries` has.

    A named entry replaces what `*` would give it; a named level replaces it within its entry. For
    a level that does not offer own resources only, `*` in scope `self` gives nothing.
    """
    expanded: dict[str, dict[str, Scope]] = {}
    common = grants.get(ANY, {})
    known_levels = {level.id for entry in entries.values() for level in entry.levels}
    problems = [
        Problem((*place, name), f"no entry {name!r}; entries are {', '.join(entries)}")
        for name in grants
        if name != ANY and name not in entries
    ]
    problems += [
        Problem((*place, ANY, name), f"no entry has a level {name!r}")
        for name in common
        if name != ANY and name not in known_levels
    ]
    for entry in entries.values():
        levels = {level.id: level for level in entry.levels}
        named = grants.get(entry.id, common)
        if entry.id in grants:
            problems += _misfits(named, levels, (*place, entry.id))
        cells = {}
        for level in levels.values():
            scope = named.get(level.id, named.get(ANY))
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
        if level_id == ANY:
            continue
        if level_id not in levels:
            message = f"no level {level_id!r} here; levels are {', '.join(levels)}"
        elif scope is Scope.SELF and not levels[level_id].offers_self:
            message = f"level {level_id!r} does not offer scope 'self'; grant 'all' or nothing"
        else:
            continue
        problems.append(Problem((*place, level_id), message))
    return problems
