"""The rules for the roles of a catalog, and for custom ones."""

from collections.abc import Iterator, Mapping, Sequence

from rolecall.core.grants import expand
from rolecall.core.problems import Place, Problem, choices
from rolecall.core.table import Entry, Grants, Level, Role, Scope

# Every role holds it, so a member without it does not exist.
VIEW_ACCOUNT = "account:view"
MEMBER_PERMISSIONS = ("member:view", "member:invite", "member:update", "member:remove")


def problems_of_roles(
    entries: Mapping[str, Entry],
    roles: Sequence[Role],
    *,
    owner_role: str,
    role_after_transfer: str,
) -> Iterator[Problem]:
    """Every problem of the built-in roles, and of the roles that the catalog names elsewhere."""
    named = {role.id: role for role in roles}
    for key, role_id in (("owner_role", owner_role), ("role_after_transfer", role_after_transfer)):
        if role_id not in named:
            yield Problem((key,), f"The catalog has no role {role_id!r}. {choices(role_id, named)}")
    if role_after_transfer in named and not named[role_after_transfer].assignable:
        yield Problem(
            ("role_after_transfer",),
            f"The role {role_after_transfer!r} is not assignable, so a former owner cannot get it."
            " Choose an assignable role.",
        )
    if not any(role.assignable for role in roles):
        yield Problem(
            ("roles",),
            "No role is assignable, so no member could be invited. Make one `assignable`.",
        )
    for at, role in enumerate(roles):
        place: Place = ("roles", at, "grants")
        grants, problems = expand(role.grants, entries, place)
        yield from problems
        if problems:  # a mistyped name may be the reason for what the role does not hold
            yield from _narrower(entries, grants, place)
            continue
        yield from role_problems(entries, grants, place, called=f"The role {role.id!r}")
        if role.id == owner_role:
            held = _held_for_all(entries, grants)
            for name in MEMBER_PERMISSIONS:
                if name not in held:
                    yield _not_held(entries, name, place, f"The owner's role {role.id!r}")


def role_problems(
    entries: Mapping[str, Entry], grants: Grants, place: Place = (), *, called: str
) -> Iterator[Problem]:
    """Every fault of one role whose grants name known levels; `called` begins a message."""
    yield from _narrower(entries, grants, place)
    if VIEW_ACCOUNT not in _held_for_all(entries, grants):
        yield _not_held(entries, VIEW_ACCOUNT, place, called)


def _not_held(entries: Mapping[str, Entry], name: str, place: Place, called: str) -> Problem:
    carrying = [
        f"the level {level.id!r} of {entry.id!r}"
        for entry in entries.values()
        for level in entry.levels
        if name in entry.permission_names(level)
    ]
    grant = carrying[0] if carrying else "a level that has it"
    return Problem(place, f"{called} must hold {name!r} in scope 'all'. Grant {grant}.")


def _narrower(entries: Mapping[str, Entry], grants: Grants, place: Place) -> Iterator[Problem]:
    """The grants in scope 'self' of levels that another grant includes in scope 'all'."""
    for entry_id, cells in grants.items():
        levels = {level.id: level for level in entries[entry_id].levels}
        for level_id, scope in cells.items():
            for lower in _included(level_id, levels):
                if scope is Scope.ALL and cells.get(lower) is Scope.SELF:
                    yield Problem(
                        (*place, entry_id, lower),
                        f"The level {level_id!r} is granted in scope 'all' and includes {lower!r},"
                        " so scope 'self' has no effect here. Remove this grant, or grant"
                        f" {level_id!r} in scope 'self', too.",
                    )


def _included(level_id: str, levels: Mapping[str, Level]) -> Iterator[str]:
    for lower in levels[level_id].includes:
        yield lower
        yield from _included(lower, levels)


def _held_for_all(entries: Mapping[str, Entry], grants: Grants) -> set[str]:
    held = set()
    for entry_id, cells in grants.items():
        entry = entries[entry_id]
        levels = {level.id: level for level in entry.levels}
        for level_id, scope in cells.items():
            if scope is Scope.ALL:
                for reached in (level_id, *_included(level_id, levels)):
                    held |= set(entry.permission_names(levels[reached]))
    return held
