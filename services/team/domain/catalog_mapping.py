"""What an account says about roles and levels that the catalog it moves to does not have."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rolecall import (
    CompiledCatalog,
    Level,
    LevelGrant,
    Role,
    exceeds,
    is_conditional,
    offered,
    read_grant,
    widest,
)
from shared.problems import Invalid, Refusal, RefusalKind

SHOWN_NEEDS = 200
"""How many places a refusal names."""
SHOWN_MAPPINGS = 50
"""How many roles and how many levels of a mapping an audit record names."""


@dataclass(frozen=True, kw_only=True)
class CatalogMapping:
    """Old role → new role, and old level → new level (`entry:level`); `None` ends its grants.

    `end_overrides` says that overrides end where the new catalog does not offer them.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, str | None] = field(default_factory=dict)
    end_overrides: bool = False

    def shown(self) -> dict[str, Any]:
        """The mapping as an audit record shows it."""
        shown = {
            name: [
                f"{old} → {new or 'none'}" for old, new in sorted(given.items())[:SHOWN_MAPPINGS]
            ]
            for name, given in (("roles", self.roles), ("levels", self.levels))
            if given
        }
        return {"mapping": shown} if shown else {}


NO_MAPPING = CatalogMapping()


class MappingNeeded(Refusal):
    """The account uses something that the other catalog does not have, or may mean differently."""

    kind = RefusalKind.CONFLICT
    code = "mapping-needed"
    detail = (
        "The account uses roles or levels that have no certain counterpart in the catalog"
        " {catalog}. Add what `errors` lists to `mapping`, look at the preview, and try again."
    )


class Translator:
    """Roles and grants of one account in another catalog, by a mapping.

    Between two versions of one catalog a role or level that both have stays. Between two catalogs
    the same id may mean something else, so all that is used needs a mapping. `finish` refuses what
    was used without one.
    """

    def __init__(self, old: CompiledCatalog, new: CompiledCatalog, mapping: CatalogMapping) -> None:
        """Check the mapping by itself.

        Raises:
            Invalid: it names something that a catalog does not have.
        """
        self._same_name = same_catalog(old, new)
        self._new = new
        self._mapping = mapping
        self._needed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._reasons: dict[str, str] = {}
        self._levels = _levels(new)
        self.given_roles: set[str] = set()
        self.given_levels: dict[str, dict[str, LevelGrant]] = {}
        """What members get because the mapping says so, and not because both catalogs have it."""
        errors = [*_unknown_levels(mapping, _levels(old), self._levels), *_unknown_roles(old, self)]
        if errors:
            raise Invalid(errors=errors)

    @property
    def mapping(self) -> CatalogMapping:
        """What the caller said."""
        return self._mapping

    @property
    def new(self) -> CompiledCatalog:
        """The catalog that the account moves to, without custom roles."""
        return self._new

    @property
    def needs(self) -> int:
        """How many uses have no counterpart so far."""
        return sum(uses.total() for uses in self._needed.values())

    def role(self, role_id: str, *, held_by: str, kept: bool = False) -> str:
        """The role that its holders have afterwards; `kept` is a custom role that stays.

        Without one the role itself is returned, and `finish` refuses.
        """
        if role_id in self._mapping.roles:
            self.given_roles.add(self._mapping.roles[role_id])
            return self._mapping.roles[role_id]
        if kept:
            return role_id
        found = self._new.catalog.role(role_id)
        if self._same_name and found is not None and found.assignable:
            return role_id
        self.need(f"/roles/{role_id}", held_by, _role_reason(found, self._new))
        return role_id

    def grants(
        self,
        grants: Mapping[str, Mapping[str, object]],
        *,
        used_by: str,
        inside_project: bool = False,
    ) -> dict[str, dict[str, LevelGrant]]:
        """The grants in the new catalog's levels.

        Where two levels become one, the narrower of their grants counts. Two that depend on
        different conditions have no narrower one.
        """
        translated: dict[str, dict[str, LevelGrant]] = {}
        for entry, levels in grants.items():
            for level, written in levels.items():
                name, grant = f"{entry}:{level}", read_grant(written)
                place = self._level(name, grant, used_by, inside_project=inside_project)
                if place is not None:
                    cells = translated.setdefault(place[0], {})
                    narrower = _narrower(grant, cells.get(place[1], grant))
                    if narrower is None:
                        self.need(f"/levels/{name}", used_by, _TWO_CONDITIONS)
                    else:
                        cells[place[1]] = narrower
        return translated

    def need(self, pointer: str, used_by: str, reason: str) -> None:
        """Note that `finish` has to refuse, because the mapping has nothing at this place."""
        self._needed[pointer][used_by] += 1
        self._reasons.setdefault(pointer, reason)

    def finish(self) -> None:
        """Refuse if something that is used has no counterpart.

        Raises:
            MappingNeeded: with every place in the mapping that is missing, and what uses it.
        """
        if self._needed:
            errors = [
                (f"/mapping{pointer}", f"{self._reasons[pointer]} Used by: {_counted(uses)}.")
                for pointer, uses in sorted(self._needed.items())
            ]
            raise MappingNeeded(errors=errors[:SHOWN_NEEDS], catalog=self._new.id)

    def _level(
        self, name: str, grant: LevelGrant, used_by: str, *, inside_project: bool
    ) -> tuple[str, str] | None:
        if name in self._mapping.levels:
            wanted = self._mapping.levels[name]
            if wanted is None:
                return None
        elif self._same_name:
            wanted = name
        else:
            self.need(f"/levels/{name}", used_by, _LEVEL_OF_ANOTHER)
            return None
        fault = self._misfit(wanted, grant, inside_project=inside_project)
        if fault is not None:
            self.need(f"/levels/{name}", used_by, fault)
            return None
        entry, _, level = wanted.partition(":")
        if name in self._mapping.levels:
            given = self.given_levels.setdefault(entry, {})
            given[level] = widest(grant, given.get(level, grant))
        return entry, level

    def _misfit(self, wanted: str, grant: LevelGrant, *, inside_project: bool) -> str | None:
        """Why the new catalog cannot have this grant."""
        found = self._levels.get(wanted)
        if found is None:
            return f"The catalog has no level `{wanted}`. Name one of its levels, or null."
        entry = self._new.catalog.entries[wanted.partition(":")[0]]
        if is_conditional(grant) and entry.controls(found):
            return f"The level `{wanted}` cannot depend on a condition. Name another, or null."
        if offered(grant, entry, found) != grant:
            return (
                f"The level `{wanted}` is not offered for own resources only. Name another, or"
                " null."
            )
        if inside_project and not self._new.permissions[wanted].project_scoped:
            return f"The level `{wanted}` is not decided inside a project. Name another, or null."
        return None


def _narrower(one: LevelGrant, other: LevelGrant) -> LevelGrant | None:
    """The grant that the other one covers; `None` if neither covers the other."""
    if not exceeds(one, other):
        return one
    return None if exceeds(other, one) else other


_TWO_CONDITIONS = (
    "It becomes one level with another one, and both depend on conditions that differ. Name another"
    " level, or null."
)
_LEVEL_OF_ANOTHER = "Say which level of the new catalog it becomes, or null to end its grants."


def _levels(catalog: CompiledCatalog) -> dict[str, Level]:
    return {
        f"{entry.id}:{level.id}": level
        for entry in catalog.catalog.entries.values()
        for level in entry.levels
    }


def same_catalog(old: CompiledCatalog, new: CompiledCatalog) -> bool:
    """Whether both are versions of one catalog, in which an id keeps its meaning."""
    return old.catalog.name == new.catalog.name


def _unknown_levels(
    mapping: CatalogMapping, old: Mapping[str, Level], new: Mapping[str, Level]
) -> list[tuple[str, str]]:
    errors = []
    for name, wanted in mapping.levels.items():
        place = f"/mapping/levels/{name}"
        if name not in old:
            errors.append((place, "The account's present catalog has no level of this name."))
        if wanted is not None and wanted not in new:
            errors.append((place, f"The new catalog has no level `{wanted}`."))
    return errors


def _unknown_roles(old: CompiledCatalog, translator: Translator) -> list[tuple[str, str]]:
    new, errors = translator.new.catalog, []
    assignable = ", ".join(role.id for role in new.roles if role.assignable)
    for name, wanted in translator.mapping.roles.items():
        place, found = f"/mapping/roles/{name}", new.role(wanted)
        if old.role(name) is None and not CUSTOM_ROLE.fullmatch(name):
            errors.append((place, "The account's present catalog has no role of this id."))
        if found is None or not found.assignable:
            errors.append((place, f"Choose one of: {assignable}."))
    return errors


CUSTOM_ROLE = re.compile(r"rol_[0-9a-f]{32}")
"""The id of a custom role: one mapping may serve many accounts, each with its own."""


def _role_reason(found: Role | None, new: CompiledCatalog) -> str:
    assignable = ", ".join(role.id for role in new.catalog.roles if role.assignable)
    same = "" if found is None else f" It has a role `{found.id}` ({found.title}), too."
    return f"Name the role of the new catalog that its holders get: {assignable}.{same}"


def _counted(uses: Counter[str]) -> str:
    return ", ".join(f"{what} ({number})" for what, number in uses.items())
