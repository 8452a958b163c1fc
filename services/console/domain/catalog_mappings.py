"""What becomes of roles and levels when an account moves to another catalog, as a form says it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.domain.permission_tables import PermissionTable, TableLevel, levels_of

ROLE, LEVEL, OVERRIDES = "role.", "level.", "overrides"
"""The beginnings of the names of fields; what follows is a role, or entry and level."""
_POINTERS = {"roles": ROLE, "levels": LEVEL}


@dataclass(frozen=True, kw_only=True)
class MappedPart:
    """A role or a level of the present catalog that the form asks about."""

    field: str
    title: str
    value: str


@dataclass(frozen=True, kw_only=True)
class CatalogForm:
    """What the form asks: each role that needs another, each level, and whether overrides end."""

    roles: Sequence[MappedPart]
    levels: Sequence[MappedPart]
    overrides: bool

    @property
    def asks(self) -> bool:
        """Whether there is something to say."""
        return bool(self.roles or self.levels or self.overrides)


def needed_fields(pointers: Iterable[str]) -> list[str]:
    """The fields that a refusal asks for, by the places in the mapping that it names."""
    found = []
    for pointer in pointers:
        _, _, place = pointer.partition("/mapping/")
        kind, _, name = place.partition("/")
        if kind in _POINTERS and name:
            found.append(_POINTERS[kind] + name)
        elif kind == OVERRIDES:
            found.append(OVERRIDES)
    return found


def read_form(
    typed: Mapping[str, str],
    needed: Sequence[str],
    *,
    present: PermissionTable,
    target: PermissionTable,
) -> CatalogForm:
    """The form of what was typed and of what is needed; the same id is what it suggests."""
    names = list(dict.fromkeys([*typed, *needed]))
    return CatalogForm(
        roles=[
            MappedPart(
                field=name,
                title=present.role_title(name.removeprefix(ROLE)),
                value=typed.get(name, _same_role(target, name.removeprefix(ROLE))),
            )
            for name in names
            if name.startswith(ROLE)
        ],
        levels=[
            MappedPart(
                field=name,
                title=level_text(present, name.removeprefix(LEVEL)),
                value=typed.get(name, _same_level(target, name.removeprefix(LEVEL))),
            )
            for name in names
            if name.startswith(LEVEL)
        ],
        overrides=OVERRIDES in names,
    )


def mapping_of(typed: Mapping[str, str], target: PermissionTable) -> dict[str, Any]:
    """The mapping of a request. A level that is left empty ends."""
    known = {text: name for name, text in _level_texts(target).items()}
    roles, levels = {}, {}
    for name, text in typed.items():
        if name.startswith(ROLE) and text:
            roles[name.removeprefix(ROLE)] = text
        elif name.startswith(LEVEL):
            said = text.strip()
            levels[name.removeprefix(LEVEL)] = known.get(said, said) or None
    ends = typed.get(OVERRIDES) == "end"
    return {"roles": roles, "levels": levels, "overrides": "end" if ends else "keep"}


def level_choices(target: PermissionTable) -> list[str]:
    """What a field of a level takes, in the table's order."""
    return list(_level_texts(target).values())


def _level_texts(target: PermissionTable) -> dict[str, str]:
    """Each level in words, by its id; of levels with equal words each has its id behind them."""
    texts = {_name(one): level_text(target, _name(one)) for one in levels_of(target.sections)}
    counts = Counter(texts.values())
    return {name: text if counts[text] == 1 else f"{text} ({name})" for name, text in texts.items()}


def level_text(table: PermissionTable, name: str) -> str:
    """A level in the words of its catalog, `Instances: View`; its id if it has none there."""
    entry_id, _, level_id = name.partition(":")
    entry = table.entries.get(entry_id)
    if entry is None or level_id not in {level.id for level in entry.levels}:
        return name
    return f"{entry.title}: {entry.title_of(level_id)}"


def _name(level: TableLevel) -> str:
    return f"{level.entry}:{level.id}"


def _same_role(target: PermissionTable, role_id: str) -> str:
    role = target.role(role_id)
    return role_id if role is not None and role["assignable"] else ""


def _same_level(target: PermissionTable, name: str) -> str:
    return _level_texts(target).get(name, "")
