"""Two small catalogs of the state machine, and what their grants mean; nothing of the product."""

from __future__ import annotations

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
MEMBER_LIMIT = 4
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
ENTRIES = {entry["id"]: entry for entry in (*WORKSHOP, *TEAM)}
CELLS: tuple[Cell, ...] = tuple(
    (name, level["id"]) for name, entry in ENTRIES.items() for level in entry["levels"]
)
INSIDE = frozenset(cell for cell in CELLS if ENTRIES[cell[0]]["project_scoped"])
"""The cells that an override can give."""
INCLUDES = {
    (name, level["id"]): [(name, other) for other in level["includes"]]
    for name, entry in ENTRIES.items()
    for level in entry["levels"]
}

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


def content(name: str) -> dict[str, Any]:
    """The catalog as it is published: `free` reverts and resends, `strict` does neither."""
    free = name == "free"
    return {
        "name": name,
        "title": name.title(),
        "description": "A catalog of the state machine.",
        "sections": [
            {"id": "workshop", "title": "Workshop", "entries": list(WORKSHOP)},
            {"id": "rolecall", "title": "Team", "entries": list(TEAM)},
        ],
        "roles": [
            {
                "id": role,
                "title": role.title(),
                "assignable": role != OWNER,
                "grants": grants,
            }
            for role, grants in ROLES.items()
        ],
        "owner_role": OWNER,
        "role_after_transfer": FORMER_OWNER,
        "policies": {
            "conversion": "reversible" if free else "irreversible",
            "invitations": {
                "lifetime_seconds": LIFETIME,
                "after_expiry": "replace" if free else "delete_first",
                "resend": free,
                "deliveries": ["link", "email"],
            },
            "member_limit": MEMBER_LIMIT,
        },
    }


def held(grants: Grants) -> Held:
    """What the grants give, with every included level."""
    found: Held = {}
    for name, entry in ENTRIES.items():
        levels = grants.get(name, grants.get("*", {}))
        for level in entry["levels"]:
            scope = levels.get(level["id"], levels.get("*"))
            if scope is not None:
                _give(found, (name, level["id"]), scope)
    return found


def _give(found: Held, cell: Cell, scope: str) -> None:
    if found.get(cell) != "all":
        found[cell] = scope
    for included in INCLUDES[cell]:
        _give(found, included, scope)


def covers(has: Held, wanted: Held) -> bool:
    """Whether everything wanted is held in its scope."""
    return all(has.get(cell) in {"all", scope} for cell, scope in wanted.items())


def gained(before: Held, after: Held) -> Held:
    """What `after` has beyond `before`."""
    return {cell: scope for cell, scope in after.items() if before.get(cell) not in {"all", scope}}
