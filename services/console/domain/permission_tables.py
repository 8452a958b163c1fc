"""The permission table of an account's catalog, and what a role or a member has of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.console.domain.grant_unions import ALL, SELF, Grant, widest

NONE = ""
"""The choice of the table that gives nothing."""
CONDITIONAL = "when"
"""The choice of a grant that has conditions: a page shows and keeps it."""

Grants = Mapping[str, Mapping[str, Grant]]
"""Entry -> level -> grant."""
Place = tuple[str, str]
"""An entry and a level."""
OF_OWN_ROLES = "rol_"
"""The beginning of the ids of roles that the people of an account have made."""


def is_own_role(role_id: object) -> bool:
    """Whether the people of an account have named the role, and no catalog."""
    return isinstance(role_id, str) and role_id.startswith(OF_OWN_ROLES)


def field_of(entry: str, level: str) -> str:
    """The name of a level's field in a form."""
    return f"grant.{entry}.{level}"


@dataclass(frozen=True, kw_only=True)
class TableLevel:
    """A column of an entry. `included` are the ids of all levels that come with this one."""

    entry: str
    id: str
    title: str
    offers_self: bool
    included: tuple[str, ...]
    names: tuple[str, ...]
    """The permissions that the level carries, its own first."""

    def offered(self, asked: str) -> Sequence[str]:
        """The names that a question about it offers: its own, its actions, and one that is asked.

        A permission with a name of its own, such as `project:create`, is the level in other words.
        """
        plain = [name for name in self.names if self.has_own_title(name)]
        if asked in self.names and asked not in plain:
            plain[0] = asked
        return plain

    def has_own_title(self, name: str) -> bool:
        """Whether people can tell the permission from others: the level, or an action of it."""
        return name == self.names[0] or name.startswith(f"{self.entry}:")

    @property
    def place(self) -> Place:
        """The level, with its entry."""
        return self.entry, self.id

    @property
    def field(self) -> str:
        """The name of its field in a form."""
        return field_of(self.entry, self.id)


@dataclass(frozen=True, kw_only=True)
class TableEntry:
    """A row of the table."""

    id: str
    title: str
    project_scoped: bool
    levels: tuple[TableLevel, ...]

    def title_of(self, level: str) -> str:
        """What people call a level."""
        return next((one.title for one in self.levels if one.id == level), level)


@dataclass(frozen=True, kw_only=True)
class TableSection:
    """A titled group of entries."""

    title: str
    entries: tuple[TableEntry, ...]


@dataclass(frozen=True, kw_only=True)
class PermissionTable:
    """A catalog as pages show it."""

    title: str
    sections: tuple[TableSection, ...]
    roles: Sequence[Mapping[str, Any]]
    owner_role: str
    policies: Mapping[str, Any] = field(repr=False)
    translations: Mapping[str, Mapping[str, str]] = field(repr=False)
    """The texts of the catalog in other languages than its first one."""

    @property
    def project(self) -> str:
        """The provider's word for a project."""
        return str(self.policies["words"]["project"])

    @property
    def projects(self) -> str:
        """The same for several."""
        return str(self.policies["words"]["projects"])

    def offers(self, feature: str) -> bool:
        """Whether the catalog has a part, such as `custom_roles`."""
        return bool(self.policies["features"][feature])

    @cached_property
    def entries(self) -> Mapping[str, TableEntry]:
        """Every entry by its id, in the table's order."""
        return {entry.id: entry for section in self.sections for entry in section.entries}

    @cached_property
    def by_permission(self) -> Mapping[str, TableLevel]:
        """The level that carries each permission."""
        levels = [level for entry in self.entries.values() for level in entry.levels]
        return {name: level for level in levels for name in level.names}

    def role(self, role_id: str) -> Mapping[str, Any] | None:
        """A role of the account that the reader may know."""
        return next((role for role in self.roles if role["id"] == role_id), None)

    def role_title(self, role_id: str) -> str:
        """What people call a role."""
        role = self.role(role_id)
        return role_id if role is None else str(role["name"])

    def inside_projects(self) -> tuple[TableSection, ...]:
        """The sections, with the entries alone that are decided inside a project."""
        return self._entries(project_scoped=True)

    def outside_projects(self) -> tuple[TableSection, ...]:
        """The sections, with the entries alone that are decided for the whole account."""
        return self._entries(project_scoped=False)

    def _entries(self, *, project_scoped: bool) -> tuple[TableSection, ...]:
        return tuple(
            TableSection(title=section.title, entries=found)
            for section in self.sections
            if (
                found := tuple(
                    one for one in section.entries if one.project_scoped is project_scoped
                )
            )
        )


def read_table(catalog: Mapping[str, Any]) -> PermissionTable:
    """The table of a catalog, as the API gives it."""
    return PermissionTable(
        title=catalog["title"],
        sections=tuple(
            TableSection(title=one["title"], entries=tuple(map(_entry, one["entries"])))
            for one in catalog["sections"]
        ),
        roles=catalog["roles"],
        owner_role=catalog["owner_role"],
        policies=catalog["policies"],
        translations=catalog.get("translations") or {},
    )


def _entry(entry: Mapping[str, Any]) -> TableEntry:
    includes = {level["id"]: tuple(level["includes"]) for level in entry["levels"]}
    return TableEntry(
        id=entry["id"],
        title=entry["title"],
        project_scoped=entry["project_scoped"],
        levels=tuple(
            TableLevel(
                entry=entry["id"],
                id=level["id"],
                title=level["title"],
                offers_self=level["offers_self"],
                included=tuple(dict.fromkeys(_included(level["id"], includes))),
                names=(
                    f"{entry['id']}:{level['id']}",
                    *(f"{entry['id']}:{action}" for action in level["actions"]),
                    *level["permissions"],
                ),
            )
            for level in entry["levels"]
        ),
    )


def _included(level: str, includes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for lower in includes[level]:
        yield lower
        yield from _included(lower, includes)


# --- what is held


@dataclass(frozen=True, kw_only=True)
class HeldLevel:
    """A level that is held, and how far."""

    grant: Grant

    @property
    def choice(self) -> str:
        """The choice of a form that says the same."""
        return choice_of(self.grant)


def choice_of(grant: Grant | None) -> str:
    """The choice of a form that says what a grant says."""
    if grant is None:
        return NONE
    return grant if isinstance(grant, str) else CONDITIONAL


def held_levels(table: PermissionTable, grants: Grants) -> dict[Place, HeldLevel]:
    """Every level that the grants give, with those that come with another."""
    found: dict[Place, HeldLevel] = {}
    for entry_id, levels in grants.items():
        entry = table.entries.get(entry_id)
        if entry is None:
            continue
        for level in entry.levels:
            own = levels.get(level.id)
            for lower in () if own is None else (level.id, *level.included):
                here = found.get((entry_id, lower))
                grant = own if here is None or own is None else widest(here.grant, own)
                found[entry_id, lower] = HeldLevel(grant=grant or NONE)
    return found


def typed_grants(
    sections: Sequence[TableSection], typed: Mapping[str, str], before: Grants
) -> dict[str, dict[str, Grant]]:
    """The grants that a form says; where it keeps conditions, they are those of `before`."""
    found: dict[str, dict[str, Grant]] = {}
    for level in levels_of(sections):
        choice = typed.get(level.field, NONE)
        had = before.get(level.entry, {}).get(level.id)
        grant = had if choice == CONDITIONAL else choice
        if choice in {ALL, SELF, CONDITIONAL} and grant:
            found.setdefault(level.entry, {})[level.id] = grant
    return found


def typed_choices(grants: Grants) -> dict[str, str]:
    """The fields of a form that says what the grants say."""
    return {
        field_of(entry, level): choice_of(grant)
        for entry, levels in grants.items()
        for level, grant in levels.items()
    }


def levels_of(sections: Sequence[TableSection]) -> Iterator[TableLevel]:
    """Every level of the sections, in the table's order."""
    for section in sections:
        for entry in section.entries:
            yield from entry.levels
