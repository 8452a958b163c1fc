"""Three small catalogs of the state machine, and what their grants mean; nothing of the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Cell = tuple[str, str]
"""Entry and level."""
Held = dict[Cell, str]
"""The scope of each cell that is held, `all` or `self`."""
Grants = dict[str, dict[str, str]]
"""Entry → level → scope, as a request has them; `*` stands for every one."""

DAY = 86_400
LIFETIME = DAY
"""An invitation's, in seconds."""
OWNER, FORMER_OWNER = "owner", "admin"
SELF = {"offers_self": True}
EVERYTHING: Grants = {"*": {"*": "all"}}


def _level(name: str, *includes: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": name.title(), "includes": list(includes), **more}


def _entry(name: str, *levels: dict[str, Any], project_scoped: bool = False) -> dict[str, Any]:
    return {
        "id": name,
        "title": name.title(),
        "why": "The state machine tries it.",
        "project_scoped": project_scoped,
        "levels": list(levels),
    }


WORKSHOP = (
    _entry(
        "instance",
        _level("view", **SELF),
        _level("manage", "view", **SELF),
        _level("delete", "view", **SELF),
        project_scoped=True,
    ),
    _entry("storage", _level("view"), _level("write", "view"), project_scoped=True),
    _entry("invoice", _level("view"), _level("write", "view")),
)
TEAM = (
    _entry("account", _level("view"), _level("update", "view")),
    _entry(
        "member",
        _level("view"),
        _level("invite", "view"),
        _level("update", "view"),
        _level("remove", "view"),
    ),
    _entry("role", _level("view"), _level("manage", "view")),
    _entry(
        "project",
        _level("view"),
        _level("manage", "view"),
        _level("delete", "view"),
        project_scoped=True,
    ),
    _entry("new_project", _level("create", permissions=["project:create"])),
    _entry("api_token", _level("view", **SELF), _level("manage", "view", **SELF)),
    _entry("guardrail", _level("manage")),
    _entry(
        "oversight",
        _level(
            "see",
            permissions=["audit_log:view", "usage:view", "webhook:manage", "review:manage"],
        ),
    ),
)
ENTRIES: dict[str, Any] = {entry["id"]: entry for entry in (*WORKSHOP, *TEAM)}
CELLS: tuple[Cell, ...] = tuple(
    (name, level["id"]) for name, entry in ENTRIES.items() for level in entry["levels"]
)
INSIDE = frozenset(cell for cell in CELLS if ENTRIES[cell[0]]["project_scoped"])
"""The cells that an override can give."""
LEAN_ENTRIES = {**ENTRIES, "storage": _entry("storage", _level("view"), project_scoped=True)}

ROLES: dict[str, Grants] = {
    OWNER: EVERYTHING,
    "admin": {**EVERYTHING, "invoice": {}},
    "lead": {
        "account": {"view": "all"},
        "member": {"*": "all"},
        "role": {"view": "all"},
        "project": {"*": "all"},
        "new_project": {"create": "all"},
        "instance": {"view": "all", "manage": "self"},
        "storage": {"view": "all"},
    },
    "worker": {
        "account": {"view": "all"},
        "member": {"view": "all"},
        "project": {"view": "all"},
        "instance": {"manage": "self"},
        "storage": {"view": "all"},
    },
    "viewer": {"account": {"view": "all"}, "instance": {"view": "all"}},
}


LEAN_ROLES = {name: grants for name, grants in ROLES.items() if name != "worker"} | {
    "viewer": {"account": {"view": "all"}, "instance": {"view": "all"}, "storage": {"view": "all"}}
}


@dataclass(frozen=True, eq=False)
class Catalog:
    """A version of a catalog, and what its grants mean."""

    name: str
    reversible: bool
    member_limit: int
    entries: Mapping[str, Any]
    roles: Mapping[str, Grants]

    @property
    def content(self) -> dict[str, Any]:
        """The catalog as it is published; a reversible one replaces invitations and resends."""
        sections = [
            {
                "id": section,
                "title": section.title(),
                "entries": [self.entries[entry["id"]] for entry in entries],
            }
            for section, entries in (("workshop", WORKSHOP), ("rolecall", TEAM))
        ]
        return {
            "name": self.name,
            "title": self.name.title(),
            "description": "A catalog of the state machine.",
            "sections": sections,
            "roles": [
                {"id": role, "title": role.title(), "assignable": role != OWNER, "grants": grants}
                for role, grants in self.roles.items()
            ],
            "owner_role": OWNER,
            "role_after_transfer": FORMER_OWNER,
            "policies": {
                "conversion": "reversible" if self.reversible else "irreversible",
                "invitations": {
                    "lifetime_seconds": LIFETIME,
                    "after_expiry": "replace" if self.reversible else "delete_first",
                    "resend": self.reversible,
                    "deliveries": ["link", "email"],
                },
                "member_limit": self.member_limit,
            },
        }

    def has(self, cell: Cell) -> bool:
        """Whether there is this level."""
        levels = self.entries[cell[0]]["levels"] if cell[0] in self.entries else ()
        return any(level["id"] == cell[1] for level in levels)

    def assignable(self, role: str) -> bool:
        """Whether a member can have this role of the catalog."""
        return role in self.roles and role != OWNER

    def written_out(self, grants: Grants, *, inside: bool = False) -> Grants:
        """The grants with every `*` written out; `inside`: those that an override can have."""
        found: Grants = {}
        for name, entry in self.entries.items():
            levels = grants.get(name, grants.get("*", {}))
            if inside and not entry["project_scoped"]:
                continue
            known = {
                level["id"]: levels.get(level["id"], levels.get("*")) for level in entry["levels"]
            }
            cells = {level: scope for level, scope in known.items() if scope is not None}
            if cells:
                found[name] = cells
        return found

    def held(self, grants: Grants) -> Held:
        """What the grants give, with every included level; one answer for equal grants."""
        return _held(self, tuple((name, *levels.items()) for name, levels in grants.items()))

    def give(self, found: Held, cell: Cell, scope: str) -> None:
        """Add a cell and what it includes."""
        if found.get(cell) != "all":
            found[cell] = scope
        for level in self.entries[cell[0]]["levels"]:
            if level["id"] == cell[1]:
                for included in level["includes"]:
                    self.give(found, (cell[0], included), scope)


@lru_cache(maxsize=10_000)
def _held(catalog: Catalog, grants: tuple[tuple[Any, ...], ...]) -> Held:
    found: Held = {}
    written = catalog.written_out({name: dict(levels) for name, *levels in grants})
    for name, levels in written.items():
        for level, scope in levels.items():
            catalog.give(found, (name, level), scope)
    return found


FREE = Catalog("free", reversible=True, member_limit=6, entries=ENTRIES, roles=ROLES)
CATALOGS = {
    "free": FREE,
    "strict": Catalog("strict", reversible=False, member_limit=6, entries=ENTRIES, roles=ROLES),
    "lean": Catalog(
        "free", reversible=True, member_limit=4, entries=LEAN_ENTRIES, roles=LEAN_ROLES
    ),
}
"""`lean` is a later version of `free`, with a level and a role less, and a smaller limit."""
MEANT = {**CATALOGS, "standard": FREE}
"""Of a personal account with the standard catalog only the owner counts, who holds everything."""


def covers(has: Held, wanted: Held) -> bool:
    """Whether everything wanted is held in its scope."""
    return all(has.get(cell) in {"all", scope} for cell, scope in wanted.items())


def gained(before: Held, after: Held) -> Held:
    """What `after` has beyond `before`."""
    return {cell: scope for cell, scope in after.items() if before.get(cell) not in {"all", scope}}
