"""Catalogs compiled to bits: permissions, and grants as two integers."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from rolecall.core.catalog import Catalog
from rolecall.core.control_permissions import (
    CONTROL_PERMISSIONS,
    CREATE_PROJECT,
    PROJECT_PERMISSIONS,
)
from rolecall.core.level_grants import Alternative, LevelGrant, Scope, alternatives, grant_text
from rolecall.core.masks import Matrix, combined
from rolecall.core.problems import CatalogError
from rolecall.core.table import Grants, Role


class RoleFields(Protocol):
    """The fields of a role that an account has defined itself (`Ci8`)."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def description(self) -> str:
        """What it is for; may be empty."""

    @property
    def grants(self) -> object:
        """Entry -> level -> scope, in the shape of a role's grants in a catalog file."""


_NO_ROLES: Mapping[str, RoleFields] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CompiledPermission:
    """A permission of one catalog, with the bit of the level that carries it.

    `on_project`: its level carries a right on one project, so its resource is a project.
    """

    name: str
    resource_type: str
    bit: int
    project_scoped: bool
    on_project: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """One level of one entry as it is held; as text `instance:write`, or `instance:write (own)`."""

    entry: str
    level: str
    held: LevelGrant

    def __str__(self) -> str:
        """The permission's name, with `(own)` or the conditions where it does not reach all."""
        limit = (
            {Scope.ALL: "", Scope.SELF: " (own)"}.get(self.held)
            if isinstance(self.held, Scope)
            else f" ({grant_text(self.held)})"
        )
        return f"{self.entry}:{self.level}{limit}"


class CompiledCatalog:
    """A catalog with its permissions as bits and its roles as matrices.

    `permissions` has every valid name; all names of a level share its bit.
    `project_mask` has the bits that are decided inside a project: those of project-scoped entries.
    `roles` has the built-in roles, `custom_roles` those of one account; `matrix` and `role` know
    both. `compiled_roles` has the custom ones that were asked for.
    `id` is the published version, by default the one of the content.
    """

    __slots__ = (
        "_bits",
        "_control_mask",
        "catalog",
        "compiled_roles",
        "custom_roles",
        "id",
        "permissions",
        "project_mask",
        "roles",
    )

    def __init__(self, catalog: Catalog, *, published_as: str | None = None) -> None:
        self.catalog = catalog
        self.id = published_as or catalog.id
        self.permissions: dict[str, CompiledPermission] = {}
        self.project_mask = 0
        self._control_mask = 0
        # (entry, level) -> (the level's own bit, with the bits of all that it includes)
        self._bits: dict[tuple[str, str], tuple[int, int]] = {}
        for entry in catalog.entries.values():
            own: dict[str, int] = {}
            for level in entry.levels:
                bit = own[level.id] = 1 << (len(self._bits) + len(own))
                if entry.project_scoped:
                    self.project_mask |= bit
                names = entry.permission_names(level)
                if not {*CONTROL_PERMISSIONS}.isdisjoint(names):
                    self._control_mask |= bit
                for name in names:
                    self.permissions[name] = CompiledPermission(
                        name=name,
                        resource_type=name.partition(":")[0],
                        bit=bit,
                        project_scoped=entry.project_scoped,
                        on_project=not {*PROJECT_PERMISSIONS}.isdisjoint(names),
                    )
            includes = {level.id: level.includes for level in entry.levels}
            self._bits |= {
                (entry.id, level): (bit, _closure(level, includes, own))
                for level, bit in own.items()
            }
        self._complete_an_older_version()
        self.roles = {role.id: self.role_matrix(role.id, role.grants) for role in catalog.roles}
        self.custom_roles = _NO_ROLES
        self.compiled_roles: dict[str, Matrix] = {}

    def with_roles(self, custom: Mapping[str, RoleFields]) -> "CompiledCatalog":
        """The catalog as one account has it: with its custom roles, by id (`Ci8`).

        Everything else is shared with this one. A custom role is compiled when it is asked for. It
        never takes the place of a built-in one.
        """
        if not custom and not self.custom_roles:
            return self
        account = copy(self)
        account.custom_roles, account.compiled_roles = custom, {}
        return account

    def matrix(self, role_id: str) -> Matrix | None:
        """The grants of a role; `None` if there is none of that id.

        A custom role whose grants the catalog cannot read grants nothing.
        """
        found = self.roles.get(role_id) or self.compiled_roles.get(role_id)
        if found is None and (role := self.role(role_id)) is not None:
            found = self.compiled_roles[role_id] = self.role_matrix(role_id, role.grants)
        return found

    def role(self, role_id: str) -> Role | None:
        """The built-in or custom role of that id."""
        custom = self.custom_roles.get(role_id)
        if custom is None or role_id in self.roles:
            return self.catalog.role(role_id)
        try:
            grants = self.catalog.parse_grants(custom.grants)
        except CatalogError:
            grants = {}
        return Role(id=role_id, title=custom.name, description=custom.description, grants=grants)

    def all_roles(self) -> Iterator[Role]:
        """The built-in roles in the catalog's order, then the custom ones by name."""
        yield from self.catalog.roles
        named = sorted(
            (role.name.casefold(), role_id) for role_id, role in self.custom_roles.items()
        )
        for _, role_id in named:
            if role_id not in self.roles and (role := self.role(role_id)) is not None:
                yield role

    def _complete_an_older_version(self) -> None:
        """Apply today's rules for projects to a version that was published before them.

        Without `project:create`, the members who manage projects create them, account-wide. An
        entry of `project:manage` or `project:delete` may be account-wide in such a version. The
        right is decided inside the project all the same. An override there cannot name the entry,
        so it takes the right away. Viewing is decided as the entry says.
        """
        creating = self.permissions.get(CREATE_PROJECT, self.permissions.get("project:manage"))
        if creating is not None:
            self.permissions[CREATE_PROJECT] = replace(
                creating, name=CREATE_PROJECT, project_scoped=False, on_project=False
            )
        for name in ("project:manage", "project:delete"):
            changing = self.permissions.get(name)
            if changing is not None and not changing.project_scoped:
                self.permissions[name] = replace(changing, project_scoped=True)
                self.project_mask |= changing.bit

    def role_matrix(self, role_id: str, grants: Grants) -> Matrix:
        """Compile a role's grants, as `Catalog.parse_grants` returns them."""
        return self._compile(f"role:{role_id}", grants)

    def override_matrix(self, project_id: str, grants: Grants) -> Matrix:
        """Compile one member's grants inside a project; account-wide entries are left out."""
        return self._compile(f"override:{project_id}", grants).within(self.project_mask)

    def _compile(self, source: str, grants: Grants) -> Matrix:
        everyones = own = 0
        conditional: list[tuple[int, Alternative]] = []
        for entry, levels in grants.items():
            for level, grant in levels.items():
                _, bits = self._bits[entry, level]
                for one in alternatives(grant):
                    if one.when is not None:
                        conditional += ((bit, one) for bit in _bits_of(bits & ~self._control_mask))
                    elif one.scope is Scope.ALL:
                        everyones |= bits
                    else:
                        own |= bits
        return combined(source, everyones, own, conditional)

    def mask_of(self, levels: Iterable[tuple[str, str]]) -> int:
        """The bits of these levels of entries, and of what they include; unknown ones have none."""
        mask = 0
        for level in levels:
            mask |= self._bits.get(level, (0, 0))[1]
        return mask

    def mask_named(self, names: Collection[str]) -> int:
        """The bits of the levels of these names, whichever their entries; without inclusions."""
        mask = 0
        for (_, level), (bit, _) in self._bits.items():
            if level in names:
                mask |= bit
        return mask

    def has_level(self, entry: str, level: str) -> bool:
        """Whether the catalog has this level of this entry."""
        return (entry, level) in self._bits

    def grants_of(self, matrix: Matrix) -> Iterator[Grant]:
        """The levels that a matrix holds, in the catalog's order, with the included levels."""
        for (entry, level), (bit, _) in self._bits.items():
            held = matrix.granted(bit)
            if held is not None:
                yield Grant(entry=entry, level=level, held=held)

    def grants_exceeding(self, giver: Matrix, given: Matrix) -> tuple[Grant, ...]:
        """The grants of `given` that `giver` lacks and therefore cannot give (`B5`).

        Empty: `giver` may give everything in `given`.
        """
        missing = given.beyond(giver)
        return () if missing.empty else tuple(self.grants_of(missing))

    def within_project(self, role: Matrix, override: Matrix | None) -> Matrix:
        """The grants inside a project: the override's, and the role's for account-wide entries."""
        if override is None:
            return role
        return override.together_with(role.within(~self.project_mask))

    def table(self, matrix: Matrix) -> dict[str, dict[str, str | None]]:
        """Every cell of the table in words: entry -> level -> `all`, `self`, or `None`.

        A cell that depends on a condition says so: `all when …`.
        """
        cells: dict[str, dict[str, str | None]] = {
            entry.id: dict.fromkeys(level.id for level in entry.levels)
            for entry in self.catalog.entries.values()
        }
        for grant in self.grants_of(matrix):
            cells[grant.entry][grant.level] = grant_text(grant.held)
        return cells

    def held(self, matrix: Matrix) -> dict[str, str]:
        """Every permission name that the matrix holds, with its scope and conditions in words."""
        found = {name: matrix.granted(one.bit) for name, one in self.permissions.items()}
        return {name: grant_text(grant) for name, grant in found.items() if grant is not None}


def _bits_of(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


def _closure(level: str, includes: dict[str, tuple[str, ...]], bits: dict[str, int]) -> int:
    mask = bits[level]
    for lower in includes[level]:
        mask |= _closure(lower, includes, bits)
    return mask
