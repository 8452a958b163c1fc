"""Grants as they are written, expanded to the levels of a catalog."""

from collections.abc import Iterator, Mapping
from itertools import islice

from rolecall.core.level_grants import (
    LevelGrant,
    Scope,
    alternatives,
    granted_by,
    is_conditional,
)
from rolecall.core.problems import Place, Problem, choices, did_you_mean
from rolecall.core.table import Entry, Grants, Level

WILDCARD = "*"
MAX_PROBLEMS = 20
"""How many problems of one table of grants are told. Each has its own search for the spelling."""


def expand(
    grants: Grants, entries: Mapping[str, Entry], place: Place = ()
) -> tuple[dict[str, dict[str, LevelGrant]], list[Problem]]:
    """Expand every `*`, and list the first grants that name an unknown entry or level.

    A named entry replaces what `*` would give it; a named level replaces it within its entry. `*`
    grants nothing to a level that cannot have it: scope `self` where the level does not offer it,
    and a condition where the level gives a control permission.
    """
    expanded: dict[str, dict[str, LevelGrant]] = {}
    common = grants.get(WILDCARD, {})
    for entry in entries.values():
        named = grants.get(entry.id, common)
        cells = {}
        for level in entry.levels:
            written = named.get(level.id, named.get(WILDCARD))
            grant = None if written is None else offered(written, entry, level)
            if grant is not None:
                cells[level.id] = grant
        if cells:
            expanded[entry.id] = cells
    return expanded, [*islice(_problems(grants, entries, place), MAX_PROBLEMS)]


def _problems(grants: Grants, entries: Mapping[str, Entry], place: Place) -> Iterator[Problem]:
    """Each problem when it is asked for."""
    known_levels = sorted({level.id for entry in entries.values() for level in entry.levels})
    for name in grants:
        if name != WILDCARD and name not in entries:
            message = f"The table has no entry {name!r}. {choices(name, entries)}"
            yield Problem((*place, name), message)
    for name in grants.get(WILDCARD, {}):
        if name != WILDCARD and name not in known_levels:
            yield Problem(
                (*place, WILDCARD, name),
                f"No entry has a level {name!r}. {did_you_mean(name, known_levels)}Name a level"
                " of the table, or remove this grant.",
            )
    for entry in entries.values():
        if entry.id in grants:
            yield from _misfits(grants[entry.id], entry, (*place, entry.id))


def offered(grant: LevelGrant, entry: Entry, level: Level) -> LevelGrant | None:
    """What the level can have of a grant."""
    if grant is Scope.ALL:
        return grant
    return granted_by(
        one
        for one in alternatives(grant)
        if (one.scope is Scope.ALL or level.offers_self)
        and (one.when is None or not entry.controls(level))
    )


def _misfits(named: Mapping[str, LevelGrant], entry: Entry, place: Place) -> Iterator[Problem]:
    levels = {level.id: level for level in entry.levels}
    for level_id, grant in named.items():
        if level_id == WILDCARD:
            continue
        if level_id not in levels:
            message = f"This entry has no level {level_id!r}. {choices(level_id, levels)}"
        elif is_conditional(grant) and entry.controls(levels[level_id]):
            message = (
                f"The level {level_id!r} gives a permission of Rolecall's own API, and that is"
                " decided without the properties of a request. Grant it without a condition."
            )
        elif offered(grant, entry, levels[level_id]) != grant:
            message = (
                f"The level {level_id!r} does not offer scope 'self'."
                " Grant 'all', or remove the grant."
            )
        else:
            continue
        yield Problem((*place, level_id), message)
